"""The one bin/dev of a checkout, and what it tells the checkout's other programs while it runs."""

import fcntl
import json
import os
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TextIO

from stack.errors import StackError
from stack.process import wait_until
from stack.supervisor import write_private

_LOOK_TIMEOUT_S: Final = 0.3  # a look at the lock holds it for an instant


@contextmanager
def only_one(state: Path) -> Generator[None]:
    with (state / "dev.lock").open("a+") as lock:
        if not wait_until(lambda: _locked(lock, fcntl.LOCK_EX), timeout_s=_LOOK_TIMEOUT_S):
            raise _runs_already(lock)
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


def refuse_a_second(state: Path) -> None:
    """Raises StackError where one runs. Only a look: `only_one` decides."""
    if (state / "dev.lock").exists():
        with (state / "dev.lock").open() as lock:
            if not _locked(lock, fcntl.LOCK_SH):
                raise _runs_already(lock)


@contextmanager
def telling(state: Path, variables: Mapping[str, str]) -> Generator[None]:
    """Keep them, passwords included, in a file for the owner's eyes while the body runs."""
    file = _file(state)
    unfinished = file.with_suffix(".unfinished")
    write_private(unfinished, json.dumps(variables))
    unfinished.rename(file)
    try:
        yield
    finally:
        file.unlink(missing_ok=True)


def told(state: Path) -> Mapping[str, str]:
    """What the running one tells; nothing where none runs, or its servers do not yet."""
    try:
        with (state / "dev.lock").open() as lock:
            return {} if _locked(lock, fcntl.LOCK_SH) else json.loads(_file(state).read_text())
    except FileNotFoundError:
        return {}


def _file(state: Path) -> Path:
    return state / "dev.json"


def _locked(lock: TextIO, kind: int) -> bool:
    try:
        fcntl.flock(lock, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _runs_already(lock: TextIO) -> StackError:
    lock.seek(0)
    return StackError(f"It already runs in this checkout, as process {lock.read()}.")
