"""One line on stderr per step, with the seconds it took; rewritten in place only on a terminal."""

import sys
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

_TICK_S: Final = 0.2
_WIDTH: Final = 48


@contextmanager
def step(label: str) -> Generator[None]:
    """Show `label` while the body runs, then how long it took, also when it fails."""
    in_place = sys.stderr.isatty()
    started = time.monotonic()
    finished = threading.Event()
    ticker = threading.Thread(target=_tick, args=(label, started, finished), daemon=True)
    if in_place:
        ticker.start()
    else:
        _write(f"  {label} ... ")
    outcome = "failed after "
    try:
        yield
        outcome = ""
    finally:
        finished.set()
        elapsed = f"{outcome}{time.monotonic() - started:.1f} s"
        if in_place:
            ticker.join()
            _write(f"\r  {label:<{_WIDTH}} {elapsed}\033[K\n")
        else:
            _write(f"{elapsed}\n")


def note(text: str) -> None:
    _write(f"  {text}\n")


def _tick(label: str, started: float, finished: threading.Event) -> None:
    while not finished.wait(_TICK_S):
        _write(f"\r  {label:<{_WIDTH}} {time.monotonic() - started:.0f} s\033[K")


def _write(text: str) -> None:
    sys.stderr.write(text)
    sys.stderr.flush()
