"""What every command shares: settings, logs, and one clear line when something is wrong."""

import os
import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Generator
from contextlib import asynccontextmanager, contextmanager
from functools import wraps
from typing import Any, Final, ParamSpec, TypeVar
from urllib.parse import urlsplit

import asyncpg
import click
import uvloop

from app import logs
from app.contract.errors import BellwireError, Unavailable
from app.db.migrate import MigrationError
from app.db.pool import AWAY, MIGRATIONS_PENDING, REFUSED, UNMIGRATED, Pool, create_pool
from app.settings import UNREADABLE_URL, Settings, SettingsError, load

P = ParamSpec("P")
T = TypeVar("T")

_PLACE: Final = re.compile(r"[\w.-]+(:\d+)?|\[[\da-fA-F:.]+\](:\d+)?")


def settings(*, with_redis: bool = True) -> Settings:
    """The settings, with logging configured by them. Raises click.ClickException naming the variable.

    with_redis: False for a command that only asks PostgreSQL; REDIS_URL is then not looked at.
    """
    environ = os.environ if with_redis else {**os.environ, "REDIS_URL": "redis://not-asked"}
    try:
        loaded = load(environ)
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
    except (MigrationError, BellwireError, SettingsError) as error:
        raise click.ClickException(str(error)) from None
    except (OSError, asyncpg.PostgresError) as error:
        raise click.ClickException(f"{type(error).__name__}: {error}") from None


@asynccontextmanager
async def database(name: str) -> AsyncGenerator[Pool]:
    """A pool for a command that needs nothing but the database. Raises click.ClickException."""
    url = settings(with_redis=False).database_url
    with asking_database(url):
        async with create_pool(url, size=2, name=name) as pool:
            yield pool


@contextmanager
def asking_database(url: str) -> Generator[None]:
    """Names DATABASE_URL where the server cannot be reached, refuses, or is not migrated.

    Raises click.ClickException.
    """
    try:
        yield
    except Unavailable as error:
        raise _database_error(url, error.__cause__ or error) from None
    except (*AWAY, *REFUSED) as error:
        raise _database_error(url, error) from None


def _database_error(url: str, error: BaseException) -> click.ClickException:
    place = urlsplit(url).netloc.rpartition("@")[2]
    server = f"PostgreSQL at {place}" if _PLACE.fullmatch(place) else "PostgreSQL"
    match error:
        case ValueError():  # its text may repeat a piece of the password
            return click.ClickException(f"DATABASE_URL {UNREADABLE_URL}")
        case asyncpg.PostgresError() if isinstance(error, UNMIGRATED):
            return click.ClickException(f"DATABASE_URL: {server}: {MIGRATIONS_PENDING}")
        case asyncpg.PostgresError() if isinstance(error, REFUSED):
            verb, reason = "refuses", str(error)
        case OSError() if error.errno is not None and error.errno > 0:
            verb, reason = "does not answer", os.strerror(error.errno)  # without the address once more
        case OSError() if error.strerror:
            verb, reason = "does not answer", error.strerror
        case _:
            verb, reason = "does not answer", str(error) or "no answer in time"
    return click.ClickException(f"DATABASE_URL: {server} {verb}: {reason.splitlines()[0]}")


def asynchronous(command: Callable[P, Awaitable[T]]) -> Callable[P, T]:
    """A click command written as a coroutine."""

    @wraps(command)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> T:
        async def main() -> T:
            return await command(*args, **kwargs)

        return run(main())

    return wrapper
