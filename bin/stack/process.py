"""A process and what it forks: started, frozen, ended, killed. Never anybody else's."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import BinaryIO, Final

_LAUNCH: Final = Path(__file__).with_name("launch.py")
_POLL_S: Final = 0.01


@dataclass(frozen=True)
class Account:
    """Another user for a server to run as."""

    uid: int
    gid: int


def spawn(
    command: Sequence[str],
    *,
    death_signal: signal.Signals,
    environment: Mapping[str, str],
    directory: Path,
    output: BinaryIO | int | None = None,
    account: Account | None = None,
    at_terminal: bool = False,
) -> subprocess.Popen[bytes]:
    """Start `command`, which gets `death_signal` when this process dies (on Linux), however that happens.

    Unless it is to use the terminal, it leads a session of its own: a Ctrl-C is then ours to pass on.
    """
    who = f"{account.uid}:{account.gid}" if account else "-"
    launcher = [sys.executable, "-I", "-S", str(_LAUNCH), str(os.getpid()), str(int(death_signal)), who]
    start: Callable[[], subprocess.Popen[bytes]] = lambda: subprocess.Popen(  # noqa: E731
        [*launcher, *command],
        cwd=directory,
        env=environment,
        stdin=None if at_terminal else subprocess.DEVNULL,
        stdout=output,
        stderr=None if output is None else subprocess.STDOUT,
        start_new_session=not at_terminal,
    )
    return _spawner().submit(start).result()


@cache
def _spawner() -> ThreadPoolExecutor:
    """The thread all servers are started by.

    Linux counts the thread that forked as the parent: a server started by a thread that ends, such as one
    of asyncio's, would be stopped at that moment.
    """
    return ThreadPoolExecutor(1, thread_name_prefix="spawner")


class ProcessTree:
    """A spawned process and its descendants, which may lead sessions of their own, as PostgreSQL's do."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self._frozen: set[int] = set()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    @property
    def returncode(self) -> int | None:
        return self._process.poll()

    def freeze(self) -> None:
        """Stop all of it from running; parents first, so that no child can be forked unseen."""
        found = {self.pid}
        while found:
            for pid in found:
                _signal(pid, signal.SIGSTOP)
            self._frozen |= found
            children = {pid for pid, parent in processes().items() if parent in self._frozen}
            found = children - self._frozen

    def thaw(self) -> None:
        for pid in self._frozen:
            _signal(pid, signal.SIGCONT)
        self._frozen.clear()

    def kill(self) -> None:
        """SIGKILL all of it at one instant, and return when nothing of it is left."""
        if not self.running:
            return
        self.freeze()
        for pid in self._frozen:
            _signal(pid, signal.SIGKILL)
        self._process.wait()
        wait_until(lambda: not self._frozen & processes().keys(), timeout_s=10)
        self._frozen.clear()

    def end(self, sign: signal.Signals, *, timeout_s: float, hurry: threading.Event | None = None) -> None:
        """Ask it to end; kill it when it takes too long, or at once when `hurry` is set."""
        if not self.running:
            return
        self.thaw()
        self._process.send_signal(sign)
        wait_until(lambda: not self.running or (hurry is not None and hurry.is_set()), timeout_s=timeout_s)
        self.kill()


def wait_until(condition: Callable[[], bool], *, timeout_s: float) -> bool:
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL_S)
    return True


def _signal(pid: int, sign: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, sign)


def processes() -> dict[int, int]:
    """The parent of every process that still runs; one that only waits to be reaped does not."""
    if not Path("/proc/self/stat").exists():
        return _processes_of_ps()
    parents: dict[int, int] = {}
    for entry in os.scandir("/proc"):
        if not entry.name.isdigit():
            continue
        try:
            # "pid (name) state ppid ...", and the name may contain spaces and parentheses
            state, parent = Path(entry.path, "stat").read_bytes().rpartition(b") ")[2].split(maxsplit=2)[:2]
        except (OSError, ValueError):  # it ended meanwhile
            continue
        if state not in (b"Z", b"X"):
            parents[int(entry.name)] = int(parent)
    return parents


def _processes_of_ps() -> dict[int, int]:
    command = ["ps", "-A", "-o", "pid=,ppid=,state="]
    listed = subprocess.run(command, stdout=subprocess.PIPE, check=True, encoding="utf-8").stdout
    rows = [line.split() for line in listed.splitlines()]
    return {int(pid): int(parent) for pid, parent, state in rows if not state.startswith("Z")}
