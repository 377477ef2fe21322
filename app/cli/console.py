"""What every command shares: settings, logs, and one clear line when something is wrong."""

import os
from collections.abc import Awaitable, Callable, Coroutine
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import asyncpg
import click
import uvloop

from app import logs
from app.contract.errors import BellwireError
from app.db.migrate import MigrationError
from app.settings import Settings, SettingsError, load

P = ParamSpec("P")
T = TypeVar("T")


def settings() -> Settings:
    """The settings, with logging configured by them. Raises click.ClickException naming the variable."""
    try:
        loaded = load(os.environ)
    except SettingsError as error:
        raise click.ClickException(str(error)) from None
    logs.configure(log_format=loaded.log_format, level=loaded.log_level)
    return loaded


def run(main: Coroutine[Any, Any, T]) -> T:
    """Runs a command's coroutine; what an operator can act on becomes one line, not a traceback."""
    try:
        return uvloop.run(main)
    except KeyboardInterrupt:
        raise click.Abort from None
    except (MigrationError, BellwireError) as error:
        raise click.ClickException(str(error)) from None
    except (OSError, asyncpg.PostgresError) as error:
        raise click.ClickException(f"{type(error).__name__}: {error}") from None


def asynchronous(command: Callable[P, Awaitable[T]]) -> Callable[P, T]:
    """A click command written as a coroutine."""

    @wraps(command)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> T:
        async def main() -> T:
            return await command(*args, **kwargs)

        return run(main())

    return wrapper
