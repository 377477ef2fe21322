"""Becomes another program that dies with its parent: `launch.py PARENT SIGNAL UID:GID|- PROGRAM [ARG ...]`.

A program of its own, run between fork and exec, because a `preexec_fn` may deadlock once the parent has
threads. The order matters: changing the user clears the wish to die with the parent.
"""

import os
import sys

PR_SET_PDEATHSIG = 1


def main(parent: str, death_signal: str, account: str, *command: str) -> None:
    if account != "-":
        uid, gid = account.split(":")
        os.setgroups([])
        os.setgid(int(gid))
        os.setuid(int(uid))
    if sys.platform == "linux":
        _die_with_parent(int(parent), int(death_signal))
    os.execv(command[0], command)  # noqa: S606 - becoming that program is the point


def _die_with_parent(parent: int, death_signal: int) -> None:
    try:
        import ctypes  # noqa: PLC0415 - missing from some builds of Python, and then only this is lost
    except ImportError:
        return
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, death_signal, 0, 0, 0)
    if os.getppid() != parent:  # it died before the wish was heard
        sys.exit(1)


if __name__ == "__main__":
    main(*sys.argv[1:])
