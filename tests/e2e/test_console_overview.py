"""The first page while Redis is away: what nobody can tell is not made up, and comes back by itself."""

import asyncio
import re
from collections.abc import AsyncGenerator, Generator

import pytest
from playwright.async_api import expect
from stack.scratch import Scratch
from stack.servers import EmbeddedRedis

from tests.e2e import console
from tests.e2e.browser import Devices
from tests.e2e.console import Console
from tests.factories import Environment
from tests.harness import Stack

pytestmark = pytest.mark.browser

SOON_MS = 20_000  # the page asks every 2 s, processes tell their figures as often, on a busy machine


@pytest.fixture
def valkey() -> Generator[EmbeddedRedis]:
    """One of its own, to be stopped."""
    with Scratch("overview") as scratch, EmbeddedRedis(scratch.path / "redis") as server:
        yield server


@pytest.fixture
async def stack(database_url: str, valkey: EmbeddedRedis, environment: Environment) -> AsyncGenerator[Stack]:
    async with Stack.open(database_url, valkey.url, **console.SETTINGS) as opened:
        yield opened


async def test_without_redis_it_says_unknown_and_charts_have_a_gap(
    chromium_path: str, stack: Stack, valkey: EmbeddedRedis
) -> None:
    async with Devices.open(chromium_path, stack.api.url) as devices:
        window = Console(await devices.new(), stack)
        await window.open()
        await window.sign_in()
        await window.at("Overview")
        connections = window.gauge("connections")
        runs = connections.locator("polyline")
        await expect(connections.locator(".figure")).to_have_text("0", timeout=SOON_MS)
        await expect(runs).to_have_count(1)

        await asyncio.to_thread(valkey.stop)
        for name in ("connections", "notifications-per-minute", "hint-latency"):
            await expect(window.gauge(name).locator(".figure")).to_have_text("unknown", timeout=SOON_MS)
        await expect(window.gauge("notifications-per-minute").get_by_role("img")).to_have_accessible_name(
            "Notifications per minute: unknown"
        )
        for name in ("queue-depth", "dead-letters"):
            await expect(window.gauge(name).locator(".figure")).to_have_text(re.compile(r"\d"))
        await expect(window.page.get_by_role("alert")).to_have_count(0)

        await asyncio.to_thread(valkey.start)
        await expect(connections.locator(".figure")).to_have_text("0", timeout=SOON_MS)
        await expect(window.gauge("notifications-per-minute").locator(".figure")).to_have_text("0")
        await expect(runs).to_have_count(2)
        assert devices.complaints == []
