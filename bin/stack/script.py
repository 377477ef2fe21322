"""The frame both scripts share: one line for what went wrong, and signals that interrupt nothing halfway."""

import signal
import sys
import threading
from collections.abc import Callable
from types import FrameType
from typing import Final, NoReturn

from stack.errors import StackError

STOPS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def run(name: str, body: Callable[[], int]) -> NoReturn:
    try:
        code = body()
    except StackError as error:
        print(f"{name}: {error}", file=sys.stderr)
        if error.detail:
            print("\n".join(f"    {line}" for line in error.detail.splitlines()), file=sys.stderr)
        code = 1
    except OSError as error:  # a full disk, a file of another user: its text names the file
        print(f"{name}: {error}", file=sys.stderr)
        code = 1
    except KeyboardInterrupt:
        code = 130
    sys.exit(code)


class StopRequest:
    """Set by the first Ctrl-C, SIGTERM or SIGHUP; `hurry` by the second.

    A handler that only sets events cannot leave a server half started or half stopped.
    """

    def __init__(self) -> None:
        self.hurry = threading.Event()
        self._first = threading.Event()
        self._on_stop: Callable[[signal.Signals], None] = lambda _: None
        for sign in STOPS:
            if signal.getsignal(sign) is not signal.SIG_IGN or sign is not signal.SIGHUP:  # nohup stays
                signal.signal(sign, self._handle)

    def __bool__(self) -> bool:
        return self._first.is_set()

    def wait(self, timeout_s: float) -> bool:
        return self._first.wait(timeout_s)

    def notify(self, on_stop: Callable[[signal.Signals], None]) -> None:
        """Call `on_stop` from the handler, for every signal."""
        self._on_stop = on_stop

    def _handle(self, number: int, _: FrameType | None) -> None:
        if self._first.is_set():
            self.hurry.set()
        self._first.set()
        self._on_stop(signal.Signals(number))
