"""What a process does before anything else is imported, which takes it most of a second.

Imported first by `app.cli`. It reads the process, not the settings, and does nothing in a program that only
borrows parts of `app.cli`.
"""

import ctypes
import os
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Final, NoReturn

PARENT: Final = "BELLWIRE_PARENT"  # set by the supervisor for its children: its own process number
_ROLES: Final = ("serve", "api", "gateway", "worker")
_PR_SET_PDEATHSIG: Final = 1


def end_with_parent(parent: int) -> None:
    """Where the parent is killed, its children must not keep the ports (Linux only)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:  # it died before the wish was heard
            sys.exit(1)


def _nothing_to_stop(_number: int, _frame: FrameType | None) -> NoReturn:
    """SIGTERM until a role listens to it: nothing is served yet, and PostgreSQL rolls back what was begun."""
    os._exit(0)


_parent: Final = os.environ.pop(PARENT, "")
# What the parent of several has done and said already, its children need not.
IS_CHILD: Final = bool(_parent)
if IS_CHILD:
    end_with_parent(int(_parent))
if (sys.argv[0] == "-m" or Path(sys.argv[0]).name == "bellwire") and sys.argv[1:2] in [[r] for r in _ROLES]:
    signal.signal(signal.SIGTERM, _nothing_to_stop)
