"""bin/bellwire: the checkout's own command, which finds the servers that bin/dev has started."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NoReturn

from stack import bootstrap, running, script
from stack.errors import StackError

_ASK_SERVERS: Final = ("serve", "api", "gateway", "worker", "migrate", "env", "key", "admin", "dlq", "doctor")


def main() -> NoReturn:
    script.run("bin/bellwire", _enter_and_run)


def _enter_and_run() -> NoReturn:
    bootstrap.enter("dev", script="bellwire")
    run(bootstrap.STATE, sys.argv[1:])


def run(state: Path, arguments: Sequence[str]) -> NoReturn:
    """Become `bellwire`. What is set wins over what bin/dev says of itself."""
    environment = bootstrap.clean_environment()
    found = running.told(state)
    environment |= {name: value for name, value in found.items() if not environment.get(name)}
    asks = arguments[:1] and arguments[0] in _ASK_SERVERS and not {"-h", "--help"} & set(arguments)
    if asks and not found and not environment.get("DATABASE_URL"):
        raise StackError(
            "bin/dev does not run in this checkout: start it in another terminal, or set DATABASE_URL."
        )
    bellwire = str(bootstrap.VENV / "bin" / "bellwire")
    os.execve(bellwire, [bellwire, *arguments], environment)  # noqa: S606 - becoming it is the point
