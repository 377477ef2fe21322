"""The browser, where there is one."""

import pytest
from stack import chromium


@pytest.fixture(scope="session")
def chromium_path() -> str:
    path = chromium.find()
    if not path:
        pytest.skip(f"NO CHROMIUM, SO NO BROWSER WAS TESTED: install one, or name it in {chromium.VARIABLE}")
    return path
