"""Several `bellwire` processes as one: they start together, and when one ends, all do."""

import ctypes
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from types import FrameType
from typing import Final

import structlog

log = structlog.stdlib.get_logger()

_STOP_TIMEOUT_S: Final = 60.0  # past every grace and drain an operator would set
_PR_SET_PDEATHSIG: Final = 1


def run(commands: Sequence[Sequence[str]], environ: Mapping[str, str]) -> int:
    """Runs until SIGTERM or SIGINT, or until a child ends by itself. Returns the exit code.

    0 where it was told to stop and every child stopped cleanly.
    """
    told_to_stop = threading.Event()
    something_happened = threading.Event()

    def stop(_number: int, _frame: FrameType | None) -> None:
        told_to_stop.set()
        something_happened.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    children = [
        subprocess.Popen(  # noqa: S603 - our own interpreter and commands
            [sys.executable, "-m", "app.cli", *command],
            env=dict(environ),
            # The terminal's Ctrl-C reaches this process alone, which then stops the children in order.
            process_group=0,
            preexec_fn=_end_with_parent,  # noqa: PLW1509 - no threads yet
        )
        for command in commands
    ]

    def watch(child: subprocess.Popen[bytes], command: Sequence[str]) -> None:
        child.wait()
        if not told_to_stop.is_set():
            log.error("a process ended; stopping the others", role=command[0], code=child.returncode)
        something_happened.set()

    for child, command in zip(children, commands, strict=True):
        threading.Thread(target=watch, args=(child, command), daemon=True).start()
    something_happened.wait()
    _stop(children)
    if told_to_stop.is_set() and all(child.returncode == 0 for child in children):
        return 0
    return 1


def _stop(children: Sequence[subprocess.Popen[bytes]]) -> None:
    for child in children:
        if child.poll() is None:
            child.terminate()
    for child in children:
        try:
            child.wait(_STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def _end_with_parent() -> None:
    """Where the parent is killed, the children must not keep its ports (Linux only)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
