"""Becomes another program that dies with its parent: `launch.py PARENT SIGNAL UID:GID|- PROGRAM [ARG ...]`.

A program of its own, run between fork and exec, because a `preexec_fn` may deadlock once the parent has
threads. The order matters: the other user may be unable to read Python's library, so all of it is loaded
first, and changing the user clears the wish to die with the parent, so that comes last.
"""

import os
import sys

try:
    import ctypes
except ImportError:  # missing from some builds of Python, and then only the wish is lost
    ctypes = None

PR_SET_PDEATHSIG = 1


def main(parent: str, death_signal: str, account: str, *command: str) -> None:
    libc = ctypes.CDLL(None) if ctypes and sys.platform == "linux" else None
    if account != "-":
        uid, gid = account.split(":")
        os.setgroups([])
        os.setgid(int(gid))
        os.setuid(int(uid))
    if libc:
        libc.prctl(PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0)
        if os.getppid() != int(parent):  # it died before the wish was heard
            sys.exit(1)
    os.execv(command[0], command)  # noqa: S606 - becoming that program is the point


if __name__ == "__main__":
    main(*sys.argv[1:])
