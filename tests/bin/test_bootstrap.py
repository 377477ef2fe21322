"""One environment for both scripts: made when it is needed, and otherwise left alone."""

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import stack
from stack import bootstrap, install
from stack.errors import StackError
from stack.install import Installation

BIN = Path(stack.__file__).parents[1]
ROOT = BIN.parent


@pytest.mark.parametrize("script", ["dev", "test", "bellwire"])
def test_an_old_python_is_told_what_is_needed_in_one_line(script: str) -> None:
    pretend = "import runpy, sys; sys.version_info = (3, 9, 2); sys.version = '3.9.2 (main)'; "
    run = f"runpy.run_path({str(BIN / script)!r}, run_name='__main__')"
    command = [sys.executable, "-c", pretend + run]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)  # noqa: S603
    assert ended.returncode == 1
    assert ended.stderr == (
        "Bellwire needs Python 3.11 or newer, and this is Python 3.9.2; "
        f"run it with a newer one, for example: python3.12 {BIN / script}\n"
    )


def test_what_greets_an_old_python_holds_no_syntax_that_is_newer() -> None:
    newer = re.compile(r"\bf[\"']|:=|\bmatch\b|->|^\s*\w+: ", re.MULTILINE)
    for greeting in (BIN / "dev", BIN / "test", BIN / "bellwire", BIN / "stack" / "__init__.py"):
        assert not newer.search(greeting.read_text())


class Checkout:
    """A checkout in a temporary directory, with an environment that looks made."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.root = root
        self.installed: list[str] = []
        venv = root / ".venv"
        for name, value in {
            "ROOT": root,
            "STATE": root / ".bellwire",
            "VENV": venv,
            "VENV_PYTHON": venv / "bin" / "python",
            "_STAMP": venv / "bellwire-stamp.json",
        }.items():
            monkeypatch.setattr(bootstrap, name, value)
        monkeypatch.setattr(Installation, "run", self._install)
        monkeypatch.setattr(os, "execve", self._start_again)
        self.started_again = False
        (root / "pyproject.toml").write_text("[project]\nname = 'x'\n")
        (root / "uv.lock").write_text("version = 1\n")

    def _install(self, profile: str) -> None:
        self.installed.append(profile)
        (self.root / ".venv" / "bin").mkdir(parents=True, exist_ok=True)
        python = self.root / ".venv" / "bin" / "python"
        python.unlink(missing_ok=True)
        python.symlink_to(sys.executable)
        version = f"{sys.version_info.major}.{sys.version_info.minor}.9"
        (self.root / ".venv" / "pyvenv.cfg").write_text(f"home = /somewhere\nversion_info = {version}\n")

    def _start_again(self, *_: object) -> None:
        self.started_again = True

    def enter(self, profile: bootstrap.Profile) -> list[str]:
        """The profiles that had to be installed."""
        self.installed.clear()
        bootstrap.enter(profile)
        assert self.started_again
        return self.installed


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Checkout:
    return Checkout(tmp_path, monkeypatch)


def test_an_environment_is_made_once(checkout: Checkout) -> None:
    assert checkout.enter("dev") == ["dev"]
    assert checkout.enter("dev") == []


def test_the_environment_of_the_tests_is_enough_for_bin_dev_but_not_the_reverse(checkout: Checkout) -> None:
    assert checkout.enter("dev") == ["dev"]
    assert checkout.enter("test") == ["test"]
    assert checkout.enter("dev") == []
    assert checkout.enter("test") == []


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("uv.lock", "version = 2\n"),
        ("pyproject.toml", "[project]\nname = 'x'\nscripts = {y = 'z:main'}\n"),
    ],
)
def test_another_lock_or_other_metadata_installs_again(checkout: Checkout, file: str, text: str) -> None:
    checkout.enter("test")
    (checkout.root / file).write_text(text)
    assert checkout.enter("test") == ["test"]


def test_a_setting_of_a_tool_does_not_install_again(checkout: Checkout) -> None:
    checkout.enter("test")
    with (checkout.root / "pyproject.toml").open("a") as project:
        project.write("[tool.ruff]\nline-length = 90\n")
    assert checkout.enter("test") == []


def test_an_installation_that_failed_is_not_taken_for_a_whole_one(
    checkout: Checkout, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkout.enter("dev")
    (checkout.root / "uv.lock").write_text("version = 2\n")

    def fail(_: Installation, profile: str) -> None:
        raise StackError(profile)

    with monkeypatch.context() as broken:
        broken.setattr(Installation, "run", fail)
        with pytest.raises(StackError):
            checkout.enter("dev")
    (checkout.root / "uv.lock").write_text("version = 1\n")
    assert checkout.enter("dev") == ["dev"]


@pytest.mark.parametrize("unusable", ["version", "moved", "python"])
def test_an_environment_of_another_python_or_place_is_made_anew(checkout: Checkout, unusable: str) -> None:
    checkout.enter("dev")
    venv = checkout.root / ".venv"
    (venv / "from-before").touch()
    stamp = json.loads((venv / "bellwire-stamp.json").read_text())
    if unusable == "version":
        (venv / "pyvenv.cfg").write_text("version = 3.10.1\n")
        stamp["digest"] = "of that Python"
    elif unusable == "moved":
        stamp |= {"digest": "of that place", "root": "/elsewhere"}
    else:
        (venv / "bin" / "python").unlink()
    (venv / "bellwire-stamp.json").write_text(json.dumps(stamp))
    assert checkout.enter("dev") == ["dev"]
    assert not (venv / "from-before").exists()


def test_another_environments_activation_does_not_leak_in(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("VIRTUAL_ENV", "PYTHONHOME", "PYTHONPATH"):
        monkeypatch.setenv(name, "/elsewhere")
    monkeypatch.setenv("UV_INDEX_URL", "https://mirror.example/simple")
    environment = bootstrap.clean_environment()
    assert not {"VIRTUAL_ENV", "PYTHONHOME", "PYTHONPATH"} & environment.keys()
    assert environment["UV_INDEX_URL"] == "https://mirror.example/simple"


class Machine:
    """One whose Python and uv only write down what they are asked."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.python = root / "python"
        self.pip_brings_uv = True
        self.uv_says = "exit 0"

    def install(self, profile: str, **environment: str) -> list[str]:
        """What the installers were asked, one line each."""
        log = self.root / "log"
        log.write_text("")
        bring = f'mkdir -p "$7/bin" && cp {self.root}/uv "$7/bin/uv"' if self.pip_brings_uv else "exit 1"
        self._program(
            "python",
            f'case "$*" in *--target*) {bring}; exit;; *"config get"*) exit 1;; *--version) exit 0;; esac\n'
            f'echo "python $*" >> {log}',
        )
        self._program("uv", f'echo "uv $* with $UV_PYTHON$UV_DEFAULT_INDEX" >> {log}; {self.uv_says}')
        installation = Installation(
            self.root,
            self.root / "tools",
            self.root / "venv",
            self.python,
            {"PATH": os.defpath, **environment},
        )
        installation.run(profile)
        return log.read_text().splitlines()

    def _program(self, name: str, body: str) -> None:
        (self.root / name).write_text(f"#!/bin/sh\n{body}\n")
        (self.root / name).chmod(0o755)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def locked(profile: str) -> str:
    return f"--no-deps --require-hashes -r {BIN / 'locked' / profile}.txt"


def test_uv_installs_exactly_the_lock_with_this_python_and_removes_nothing(machine: Machine) -> None:
    (dev,) = machine.install("dev")
    assert re.fullmatch(r"uv sync .*--frozen --inexact --no-default-groups --group servers .*", dev)
    assert dev.endswith(f"with {machine.python}")
    (test,) = machine.install("test")
    assert "--frozen --inexact --all-groups --all-extras" in test


@pytest.mark.parametrize("variable", ["UV_DEFAULT_INDEX", "UV_INDEX_URL", "PIP_INDEX_URL"])
def test_a_mirror_is_asked_instead_of_the_hosts_in_the_lock(machine: Machine, variable: str) -> None:
    mirror = "https://mirror.example/simple"
    _, packages, project = machine.install("dev", **{variable: mirror})
    assert packages.startswith("uv pip install")
    assert locked("dev") in packages
    assert project.endswith(f"--no-deps -e {machine.root} with {mirror}")


def test_pip_checks_the_same_hashes_where_uv_cannot_be_had(machine: Machine) -> None:
    machine.pip_brings_uv = False
    venv, packages, project = machine.install("test")
    assert venv == f"python -m venv --without-pip {machine.root / 'venv'}"
    assert packages == f"python -m pip --python {machine.root / 'venv/bin/python'} install {locked('test')}"
    assert project.endswith(f"install --no-deps -e {machine.root}")


def test_pip_takes_over_where_uv_fails(machine: Machine) -> None:
    machine.uv_says = "echo no route; exit 1"
    sync, venv, packages, _ = machine.install("dev")
    assert sync.startswith("uv sync")
    assert venv.startswith("python -m venv")
    assert locked("dev") in packages


def test_the_locks_for_pip_say_what_the_lock_says() -> None:
    lock = tomllib.loads((ROOT / "uv.lock").read_text())
    in_lock = {
        f"{package['name']}=={package['version']}": {
            file["hash"] for file in [*package.get("wheels", []), package.get("sdist", {})] if file
        }
        for package in lock["package"]
        if package["name"] != "bellwire"
    }
    stale = "export bin/locked again with the commands at the top of its files"
    exported = {profile: _requirements(profile) for profile in ("dev", "test")}
    assert exported["test"] == in_lock, stale
    assert exported["dev"].items() <= exported["test"].items(), stale
    project = next(package for package in lock["package"] if package["name"] == "bellwire")
    direct = [*project["dependencies"], *project["dev-dependencies"]["servers"]]
    names = {requirement.partition("==")[0] for requirement in exported["dev"]}
    assert {dependency["name"] for dependency in direct} <= names, stale


def _requirements(profile: str) -> dict[str, set[str]]:
    text = (install.LOCKED / f"{profile}.txt").read_text()
    entries = re.findall(r"^([^\s#]+==[^\s;]+).*((?:\n\s+--hash=.*)+)", text, re.MULTILINE)
    return {requirement: set(re.findall(r"--hash=(\S+)", hashes)) for requirement, hashes in entries}
