"""The frame both scripts share: one line for what went wrong, and signals that interrupt nothing halfway."""

import signal
import sys
import threading
import time
from collections.abc import Callable
from types import FrameType
from typing import Final, NoReturn

from stack.errors import StackError

STOPS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


_POLL_S: Final = 0.05


class _Stopped(BaseException):
    """SIGTERM or SIGHUP, before a StopRequest listens to them."""


def run(name: str, body: Callable[[], int], *, code_if_stopped: int = 130) -> NoReturn:
    for sign in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(sign) is signal.SIG_DFL:
            signal.signal(sign, _stop)
    try:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPS)  # blocked by a script that became this one
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
    except _Stopped:
        code = code_if_stopped
    sys.exit(code)


def _stop(_number: int, _frame: FrameType | None) -> NoReturn:
    raise _Stopped


class StopRequest:
    """Set by the first Ctrl-C, SIGTERM or SIGHUP; `hurry` by the second.

    A handler that only takes a note cannot leave a server half started or half stopped.
    """

    def __init__(self) -> None:
        self.hurry = threading.Event()
        self._first = False  # an Event could be held by the very wait that the handler interrupts
        self._on_stop: Callable[[signal.Signals], None] = lambda _: None
        for sign in STOPS:
            if signal.getsignal(sign) is not signal.SIG_IGN or sign is not signal.SIGHUP:  # nohup stays
                signal.signal(sign, self._handle)

    def __bool__(self) -> bool:
        return self._first

    def wait(self, timeout_s: float) -> bool:
        deadline = time.monotonic() + timeout_s
        while not self._first and (left := deadline - time.monotonic()) > 0:
            time.sleep(min(left, _POLL_S))
        return self._first

    def notify(self, on_stop: Callable[[signal.Signals], None]) -> None:
        """Call `on_stop` from the handler, for every signal."""
        self._on_stop = on_stop

    def _handle(self, number: int, _: FrameType | None) -> None:
        if self._first:
            self.hurry.set()
        self._first = True
        self._on_stop(signal.Signals(number))
