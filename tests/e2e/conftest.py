"""The browser, where there is one, and the console in it."""

from collections.abc import AsyncGenerator

import pytest
from stack import chromium

from tests.e2e import console
from tests.e2e.browser import Devices
from tests.e2e.console import Console
from tests.harness import Stack


@pytest.fixture(scope="session")
def chromium_path() -> str:
    path = chromium.find()
    if not path:
        pytest.skip(f"NO CHROMIUM, SO NO BROWSER WAS TESTED: install one, or name it in {chromium.VARIABLE}")
    return path


@pytest.fixture
async def stack(database_url: str, redis_url: str) -> AsyncGenerator[Stack]:
    """With a demo page beside the console, on an environment that asks for no proof."""
    settings = {
        "BELLWIRE_DEMO": "true",
        "BELLWIRE_DEV_ENVIRONMENT": "demo",
        "BELLWIRE_DEV_API_KEY": "bw_dev_key",
    }
    async with Stack.open(database_url, redis_url, **settings, **console.SETTINGS) as opened:
        yield opened


@pytest.fixture
async def devices(chromium_path: str, stack: Stack) -> AsyncGenerator[Devices]:
    async with Devices.open(chromium_path, stack.api.url, f"ws://{stack.gateway.address}") as opened:
        yield opened


@pytest.fixture
async def admin(devices: Devices, stack: Stack) -> Console:
    """Signed in as the administrator of the settings."""
    opened = Console(await devices.new(), stack)
    await opened.open()
    await opened.sign_in()
    await opened.at("Overview")
    return opened
