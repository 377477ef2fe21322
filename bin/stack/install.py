"""Installs the locked packages: with uv, through a mirror with uv, or with pip. All three check hashes."""

import shutil
import subprocess
import sysconfig
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from stack.errors import StackError, tail
from stack.progress import note, step

LOCKED: Final = Path(__file__).resolve().parents[1] / "locked"
_GROUPS: Final = {
    "dev": ["--no-default-groups", "--group", "servers"],
    "test": ["--all-groups", "--all-extras"],
}

# Configured for somebody's daily work, each of these turns a plain installation into another one.
_PIP_NEUTRAL: Final = {"PIP_USER": "0", "PIP_REQUIRE_VIRTUALENV": "0", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
_PIP_UNWANTED: Final = ("PIP_PREFIX", "PIP_ROOT", "PIP_TARGET", "PIP_PYTHON")
_UV_UNWANTED: Final = ("UV_LOCKED", "UV_PROJECT", "UV_WORKING_DIRECTORY", "UV_NO_EDITABLE", "UV_NO_GROUP")


@dataclass(frozen=True)
class Installation:
    root: Path
    tools: Path
    venv: Path
    base: Path
    """The Python to make `venv` with; an existing one keeps its own."""
    environment: Mapping[str, str]

    def run(self, profile: str) -> None:
        uv = self._uv()
        if not uv:
            note("uv cannot be had; taking pip")
        if uv and (mirror := self._mirror()):
            install = [uv, "pip", "install", "--python", str(self._python)]
            self._install_from_index(install, profile, {"UV_DEFAULT_INDEX": mirror})
        elif not uv or not self._sync(uv, profile):
            self._install_from_index([*self._pip(), "--python", str(self._python), "install"], profile, {})

    @property
    def _python(self) -> Path:
        return self.venv / "bin" / "python"

    def _sync(self, uv: str, profile: str) -> bool:
        # Inexact, for otherwise bin/dev would take the test packages away from bin/test.
        sync = [uv, "sync", "--project", str(self.root), "--frozen", "--inexact", *_GROUPS[profile]]
        # Two seconds once; without, every process of a user who lets Python write no bytecode takes longer.
        sync.append("--compile-bytecode")
        # uv empties an environment whose Python differs from the requested one even in the patch.
        python = self._python if self._python.exists() else self.base
        with step("installing the locked packages"):
            failure = self._attempt(sync, {"UV_PYTHON": str(python)})
        if failure:
            note(f"uv could not install them ({failure.splitlines()[-1].strip()}); trying pip")
        return not failure

    def _install_from_index(self, install: Sequence[str], profile: str, extra: Mapping[str, str]) -> None:
        """From the exported lock: `uv sync --frozen` asks the hosts written in uv.lock, never a mirror."""
        with step("installing the locked packages"):
            if not self._python.exists():
                self._require([str(self.base), "-m", "venv", "--without-pip", str(self.venv)], {})
            locked = str(LOCKED / f"{profile}.txt")
            self._require([*install, "--no-deps", "--require-hashes", "-r", locked], extra)
            self._require([*install, "--no-deps", "-e", str(self.root)], extra)

    def _uv(self) -> str | None:
        """A pinned uv in the tools directory; one from the PATH only where pip cannot bring it."""
        home = self.tools / f"uv-{_pinned_uv()}-{sysconfig.get_platform()}"
        uv = home / "bin" / "uv"
        if not uv.exists():
            partial = self.tools / "uv.partial"
            shutil.rmtree(partial, ignore_errors=True)
            options = ["--no-deps", "--require-hashes", "--target", str(partial)]
            with step("fetching uv"):
                pip = self._pip(required=False)
                if pip and not self._attempt([*pip, "install", *options, "-r", str(LOCKED / "uv.txt")]):
                    shutil.rmtree(home, ignore_errors=True)
                    partial.rename(home)
        return str(uv) if uv.exists() else shutil.which("uv", path=self.environment.get("PATH"))

    def _pip(self, *, required: bool = True) -> Sequence[str]:
        """Pip of the base Python or, where a distribution left it out, the one `ensurepip` brings."""
        home = self.tools / f"pip-{sysconfig.get_python_version()}"
        own = [str(self.base), "-m", "pip"]
        brought = [str(home / "bin" / "python"), "-m", "pip"]
        for pip in (own, brought):
            if not self._attempt([*pip, "--version"]):
                return pip
        if not self._attempt([str(self.base), "-m", "venv", "--clear", str(home)]):
            return brought
        if required:
            raise StackError(
                f"{self.base} has no pip to install Bellwire's packages with: install it "
                "(Debian, Ubuntu: apt install python3-venv), or put uv on the PATH."
            )
        return []

    def _mirror(self) -> str:
        """An index of the user's own, from the environment or from pip's configuration."""
        for name in ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "PIP_INDEX_URL"):
            if url := self.environment.get(name):
                return url
        asked = self._start([str(self.base), "-m", "pip", "config", "get", "global.index-url"], {})
        return asked.stdout.strip() if asked.returncode == 0 else ""

    def _require(self, command: Sequence[str], extra: Mapping[str, str]) -> None:
        if failure := self._attempt(command, extra):
            raise StackError("Installing the packages failed:", detail=failure)

    def _attempt(self, command: Sequence[str], extra: Mapping[str, str] | None = None) -> str:
        """Run it; empty when it succeeded, otherwise the end of what it said."""
        try:
            ended = self._start(command, extra or {})
        except OSError as error:
            return str(error)
        return "" if ended.returncode == 0 else tail(ended.stdout) or f"exit code {ended.returncode}"

    def _start(self, command: Sequence[str], extra: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
        unwanted = (*_PIP_UNWANTED, *_UV_UNWANTED)
        environment = {name: value for name, value in self.environment.items() if name not in unwanted}
        environment |= _PIP_NEUTRAL
        environment |= {"UV_PROJECT_ENVIRONMENT": str(self.venv), "UV_PYTHON_DOWNLOADS": "never"}
        environment.setdefault("UV_SYSTEM_CERTS", "1")
        return subprocess.run(
            command,
            cwd=self.root,
            env={**environment, **extra},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            check=False,
        )


def _pinned_uv() -> str:
    requirement = (LOCKED / "uv.txt").read_text(encoding="utf-8").partition("uv==")[2]
    return requirement.split()[0]
