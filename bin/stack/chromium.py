"""A Chromium for the browser tests: found, or installed where that needs nobody's permission."""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from stack.errors import tail
from stack.progress import note, step

VARIABLE: Final = "BELLWIRE_CHROMIUM"
_NAMES: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
_MAC: Final = ("Google Chrome", "Chromium")
_INSTALL_TIMEOUT_S: Final = 300
_START_TIMEOUT_S: Final = 30


def find() -> str:
    """Its path; empty when there is none that starts."""
    if chosen := os.environ.get(VARIABLE):
        return chosen
    found = [path for name in _NAMES if (path := shutil.which(name))]
    found += [f"/Applications/{name}.app/Contents/MacOS/{name}" for name in _MAC if sys.platform == "darwin"]
    return next((path for path in found if Path(path).exists() and _starts(path)), "")


def find_or_install() -> str:
    path = find()
    if not path and os.geteuid() == 0 and shutil.which("apt-get"):
        with step("installing Chromium for the browser tests"):
            failure = _install()
        if failure:
            note(f"apt-get could not: {failure}")
        path = find()
    if not path:
        note("!! NO CHROMIUM FOUND: THE BROWSER TESTS ARE GOING TO BE SKIPPED.")
        note(f"!! Install it (Debian: apt install chromium), or name one in {VARIABLE}.")
    return path


def _starts(path: str) -> bool:
    """Some systems have in its place a script that only says how to install it."""
    return not _failure_of([path, "--version"], _START_TIMEOUT_S)


def _install() -> str:
    # Patient with another installation, impatient with a network that is not there.
    options = ["-o", "DPkg::Lock::Timeout=120", "-o", "Acquire::Retries=1", "-o", "Acquire::http::Timeout=20"]
    packages = ["chromium", "fonts-liberation"]
    _failure_of(["apt-get", *options, "update"], _INSTALL_TIMEOUT_S)
    install = ["apt-get", *options, "install", "-y", "--no-install-recommends", *packages]
    return _failure_of(install, _INSTALL_TIMEOUT_S)


def _failure_of(command: Sequence[str], timeout_s: float) -> str:
    """Run it; empty when it succeeded, otherwise the last line of what it said."""
    # dpkg refuses to work without the administrator's programs on the PATH.
    path = f"{os.environ.get('PATH', os.defpath)}:/usr/local/sbin:/usr/sbin:/sbin"
    try:
        ended = subprocess.run(
            command,
            env={**os.environ, "PATH": path, "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            timeout=timeout_s,
            check=False,
        )
    except (OSError, subprocess.SubprocessError) as error:
        return str(error)
    return "" if ended.returncode == 0 else tail(ended.stdout, 1) or f"exit code {ended.returncode}"
