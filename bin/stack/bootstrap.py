"""The checkout's `.venv`, made and kept in step with uv.lock; the script then starts again inside it.

A stamp in `.venv` says what it was made from. It is removed before an installation begins and written after
it ended, so a half-made environment is never taken for a whole one, and an up-to-date one costs a few
milliseconds. Two scripts at once take turns on a lock.
"""

import fcntl
import hashlib
import json
import os
import shutil
import signal
import sys
import tomllib
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Literal

from stack.errors import StackError
from stack.install import Installation
from stack.progress import note
from stack.script import STOPS

Profile = Literal["dev", "test"]
"""What to install, named like the script that needs it; `test` contains `dev`."""

ROOT: Final = Path(__file__).resolve().parents[2]
STATE: Final = ROOT / ".bellwire"
VENV: Final = ROOT / ".venv"
VENV_PYTHON: Final = VENV / "bin" / "python"
_STAMP: Final = VENV / "bellwire-stamp.json"

# Left by another environment's activation, these make a Python look for its modules in the wrong place.
_LEAKS: Final = ("PYTHONHOME", "PYTHONPATH", "VIRTUAL_ENV", "__PYVENV_LAUNCHER__")


def enter(profile: Profile, *, script: str = "") -> None:
    """Return when inside an up-to-date `.venv`; otherwise make one and start the script again in it.

    script: its name in bin/, where that is not the profile's.
    """
    current = is_current(profile)
    if not current:
        make_state_directory()
        with _lock():
            if not is_current(profile):  # it may have been made while we waited
                _install(profile)
    if not current or Path(sys.prefix).resolve() != VENV.resolve():
        sys.stdout.flush()
        command = [str(VENV_PYTHON), str(ROOT / "bin" / (script or profile)), *sys.argv[1:]]
        # A signal on the way is heard by the script that starts: it unblocks them when it can.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, STOPS)
        try:
            os.execve(VENV_PYTHON, command, clean_environment())  # noqa: S606
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)


def clean_environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name not in _LEAKS}


def make_state_directory() -> None:
    try:
        STATE.mkdir(exist_ok=True)
    except OSError as error:
        raise StackError(f"Cannot make {STATE}: {error.strerror}.") from error


def _install(profile: Profile) -> None:
    if VENV.exists() and (reason := _why_unusable()):
        note(f"making .venv anew: {reason}")
        shutil.rmtree(VENV)
    _STAMP.unlink(missing_ok=True)
    Installation(ROOT, STATE / "tools", VENV, _base_interpreter(), clean_environment()).run(profile)
    stamp = {"profile": profile, "digest": _digest(), "root": str(ROOT)}
    _STAMP.write_text(json.dumps(stamp), encoding="utf-8")


def is_current(profile: Profile) -> bool:
    stamp = _read_stamp()
    return (
        stamp.get("profile") in (profile, "test")
        and stamp.get("digest") == _digest()
        and VENV_PYTHON.exists()
    )


def _read_stamp() -> Mapping[str, str]:
    try:
        return json.loads(_STAMP.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def _digest() -> str:
    """Everything an environment depends on: the lock, the project's own metadata, Python and its place."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    metadata = {table: project.get(table) for table in ("build-system", "project", "dependency-groups")}
    made_of = [json.dumps(metadata, sort_keys=True), _running_version(), str(ROOT)]
    digest = hashlib.sha256((ROOT / "uv.lock").read_bytes())
    digest.update("\0".join(made_of).encode())
    return digest.hexdigest()


def _why_unusable() -> str:
    if not VENV_PYTHON.exists():
        return "its Python is gone"
    if _read_stamp().get("root", str(ROOT)) != str(ROOT):
        return "the checkout has moved"
    if (version := _venv_version()) != _running_version():
        return f"it has Python {version}, this is {_running_version()}"
    return ""


def _venv_version() -> str:
    """Major and minor, from the line that `venv` calls version and uv calls version_info."""
    try:
        lines = (VENV / "pyvenv.cfg").read_text(encoding="utf-8").splitlines()
    except OSError:
        return "of an unknown version"
    settings = {key.strip(): value.strip() for key, _, value in (line.partition("=") for line in lines)}
    version = settings.get("version_info") or settings.get("version") or ""
    return ".".join(version.split(".")[:2])


def _running_version() -> str:
    return f"{sys.version_info.major}.{sys.version_info.minor}"


def _base_interpreter() -> Path:
    """The Python behind another virtual environment we may have been started from."""
    base = Path(sys.base_prefix, "bin", f"python{_running_version()}")
    return base if sys.prefix != sys.base_prefix and base.exists() else Path(sys.executable)


@contextmanager
def _lock() -> Generator[None]:
    try:
        lock = (STATE / "bootstrap.lock").open("w")
    except OSError as error:
        raise StackError(f"Cannot write in {STATE}: {error.strerror}. Is it another user's?") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            note("waiting for another of bin's scripts that is installing")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
