"""Throw-away directories that do not outlive their process by much.

Each holds a lock for as long as its process lives. A process that was killed leaves its directory behind
unlocked, and the next one to ask for a directory removes it.
"""

import fcntl
import os
import shutil
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Final, Self

_PREFIX: Final = "bellwire-"
_LOCK: Final = ".lock"
_MEMORY: Final = Path("/dev/shm")  # noqa: S108 - only mkdtemp makes anything in it
_MEMORY_NEEDED: Final = 2 * 1024**3


class Scratch:
    """A directory others may pass through but not list; `in_memory` where the machine has room for it.

    Memory is for data: it is often mounted so that no program in it can be started.
    """

    def __init__(self, kind: str, *, in_memory: bool = False) -> None:
        base = _MEMORY if in_memory and _has_room(_MEMORY) else Path(tempfile.gettempdir())
        _sweep(base)
        self.path = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{kind}-", dir=base))
        self._lock = (self.path / _LOCK).open("w")
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        self.path.chmod(0o711)

    def close(self) -> None:
        shutil.rmtree(self.path, ignore_errors=True)
        self._lock.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _sweep(base: Path) -> None:
    for lock in base.glob(f"{_PREFIX}*/{_LOCK}"):
        try:
            if lock.stat().st_uid != os.geteuid():
                continue
            with lock.open("w") as held:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(lock.parent, ignore_errors=True)
        except OSError:  # in use, or gone meanwhile
            continue


def _has_room(directory: Path) -> bool:
    try:
        status = os.statvfs(directory)
    except OSError:
        return False
    return os.access(directory, os.W_OK | os.X_OK) and status.f_bavail * status.f_frsize >= _MEMORY_NEEDED
