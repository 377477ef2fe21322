"""Several `bellwire` processes as one: started together, restarted when one dies, stopped together."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from types import FrameType
from typing import Final

import structlog

from app.cli import beginning

log = structlog.stdlib.get_logger()

SETTLED_S: Final = 5.0
LONGEST_PAUSE_S: Final = 30.0
_POLL_S: Final = 0.05


def run(commands: Sequence[Sequence[str]], environ: Mapping[str, str], *, patience_s: float) -> int:
    """Runs until SIGTERM or SIGINT, or until a child ends that never ran for SETTLED_S: it has a reason that
    another start would not cure. One that did is started again whenever it ends, at once or, where it ends
    soon after its start, after a pause that grows; the others go on.

    patience_s: for all children together to stop in; then they are killed. Returns the exit code: 0 where it
    was told to stop and every child stopped cleanly.
    """
    stopping = False

    def stop(_number: int, _frame: FrameType | None) -> None:
        nonlocal stopping
        stopping = True

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    children = [_Child(command, environ) for command in commands]
    failed = False
    while not stopping and not failed:
        time.sleep(_POLL_S)
        for child in children:
            if child.waits:
                child.start_when_due()
                continue
            code = child.code
            if code is None or stopping:  # told to stop meanwhile, as it may have been
                continue
            if not child.has_settled:
                log.error("a process ended soon after its start; stopping", role=child.role, code=code)
                failed = True
                break
            pause_s = child.start_later()
            log.warning("a process ended; starting it again", role=child.role, code=code, in_s=pause_s)
    clean = _stop(children, patience_s)
    return 0 if clean and not failed else 1


class _Child:
    def __init__(self, command: Sequence[str], environ: Mapping[str, str]) -> None:
        self.role = command[0]
        self._settled = False
        self._early_ends = 0  # in a row
        self._command = command
        self._environ = {**environ, beginning.PARENT: str(os.getpid())}
        self.start()

    def start(self) -> None:
        self._next_start: float | None = None
        self._started_at = time.monotonic()
        self.process = subprocess.Popen(  # noqa: S603 - our own interpreter and commands
            [sys.executable, "-m", "app.cli", *self._command],
            env=self._environ,
            # The terminal's Ctrl-C reaches this process alone, which then stops the children in order.
            process_group=0,
        )

    @property
    def code(self) -> int | None:
        """None while it runs."""
        return self.process.poll()

    @property
    def has_settled(self) -> bool:
        """Whether it ran long enough once, this time or before."""
        return self._settled or self._lived_s >= SETTLED_S

    @property
    def waits(self) -> bool:
        return self._next_start is not None

    def start_later(self) -> float:
        """After so many seconds, which it returns."""
        if self._lived_s >= SETTLED_S:
            self._settled, self._early_ends, pause_s = True, 0, 0.0
        else:
            pause_s = min(LONGEST_PAUSE_S, 2.0**self._early_ends)
            self._early_ends = min(self._early_ends + 1, 10)
        self._next_start = time.monotonic() + pause_s
        return pause_s

    def start_when_due(self) -> None:
        if self._next_start is not None and time.monotonic() >= self._next_start:
            self.start()

    @property
    def _lived_s(self) -> float:
        return time.monotonic() - self._started_at


def _stop(children: Sequence[_Child], patience_s: float) -> bool:
    """Whether all ended cleanly: by themselves, or of the signal where it came before they could listen."""
    running = [child for child in children if not child.waits]
    for child in running:
        if child.code is None:
            child.process.terminate()
    deadline = time.monotonic() + patience_s
    for child in running:
        try:
            child.process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            log.error("a process did not stop in time; killing it", role=child.role)  # noqa: TRY400
            child.process.kill()
            child.process.wait()
    return all(child.code in (0, -signal.SIGTERM) for child in running)
