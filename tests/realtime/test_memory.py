"""Connections that have ended leave nothing that only the collector could free: it runs next to never."""

import asyncio
import gc
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager

import pytest
from websockets.server import ServerProtocol

from realtime.connection import Connection
from realtime.hub import Audience
from realtime.session import Session
from tests.harness import eventually
from tests.realtime.backend import Backend
from tests.realtime.clients import GatewayUnderTest, RawClient


@pytest.fixture
def no_collector() -> Generator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


async def remains() -> int:
    # type(), because isinstance() asks a weak proxy what it stands for.
    return sum(type(thing) in (Connection, Session, ServerProtocol, Audience) for thing in gc.get_objects())


@asynccontextmanager
async def nothing_remains() -> AsyncGenerator[None]:
    before = await remains()
    yield
    await eventually(remains, before.__eq__)


async def test_a_client_that_closes(gateway: GatewayUnderTest, no_collector: None) -> None:
    async with nothing_remains():
        for _ in range(5):
            async with gateway.client("ann"):
                pass


async def test_a_client_that_is_closed(gateway: GatewayUnderTest, no_collector: None) -> None:
    async with nothing_remains():
        for frame in ("{", b"binary", "x" * 5000):
            async with gateway.client("ann") as client:
                await client.send(frame)
                await client.closed()


async def test_a_client_that_is_refused(gateway: GatewayUnderTest, no_collector: None) -> None:
    async with nothing_remains(), gateway.socket({"token": "nonsense"}) as client:
        await client.closed()


async def test_a_client_that_vanishes(gateway: GatewayUnderTest, no_collector: None) -> None:
    async with nothing_remains():
        for _ in range(5):
            (await RawClient.connect(gateway, "ann")).abort()


async def test_a_client_that_vanishes_before_its_muted_categories_are_read_again(
    gateway: GatewayUnderTest, backend: Backend, no_collector: None
) -> None:
    """The first is read at once; what follows waits for the tick."""
    async with nothing_remains():
        for _ in range(5):
            client = await RawClient.connect(gateway, "ann")
            for enabled in (False, True):
                await backend.mute("ann", "sport", enabled=enabled)
            while len(client.frames()) < 2:
                await client.read(1000)
            client.abort()


async def test_a_request_that_is_none_for_a_socket(gateway: GatewayUnderTest, no_collector: None) -> None:
    async with nothing_remains():
        for head in ("GET /healthz HTTP/1.1\nHost: x", "nonsense", "GET /v1/inbox/ws HTTP/1.1\nHost: x"):
            await gateway.http(head)
        await asyncio.sleep(0)
