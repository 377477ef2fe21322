"""The import contracts of pyproject.toml hold, and importing a role loads nothing it must not."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent


def test_import_contracts_hold() -> None:
    result = subprocess.run(  # noqa: S603 - our own linter
        [Path(sys.executable).parent / "lint-imports", "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "COLUMNS": "120"},
    )
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize("module", ["realtime.main", "app.worker.main"])
def test_only_the_api_loads_litestar(module: str) -> None:
    """A gateway or a worker does not pay for a web framework."""
    code = f"import sys, {module}; sys.exit('litestar' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0  # noqa: S603


def test_settings_are_not_read_at_import() -> None:
    """Importing every module with an empty environment does nothing but define things."""
    code = (
        "import importlib, pkgutil, app, realtime\n"
        "for package in (app, realtime):\n"
        "    for found in pkgutil.walk_packages(package.__path__, package.__name__ + '.'):\n"
        "        if not found.name.endswith('__main__'):\n"
        "            importlib.import_module(found.name)\n"
    )
    result = subprocess.run(  # noqa: S603
        [sys.executable, "-W", "error", "-c", code],
        cwd=ROOT,
        env={},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
