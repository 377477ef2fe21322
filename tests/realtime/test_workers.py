"""Several gateways on one port."""

import asyncio
import socket
from contextlib import AsyncExitStack

import msgspec
import pytest

from app.settings import Address, Settings, SettingsError
from realtime.main import serve
from tests.factories import Environment
from tests.realtime.backend import Backend
from tests.realtime.clients import GatewayUnderTest


async def test_gateways_that_share_a_port_share_the_clients_and_each_tells_its_own(
    settings: Settings, environment: Environment, backend: Backend
) -> None:
    async with AsyncExitStack() as stack:
        one, address = await stack.enter_async_context(serve(settings, reuse_port=True))
        shared = msgspec.structs.replace(settings, gateway_listen=address)
        other, _ = await stack.enter_async_context(serve(shared, reuse_port=True))
        gateway = GatewayUnderTest(None, address, environment)
        clients = [await stack.enter_async_context(gateway.client(f"s{number}")) for number in range(40)]
        assert one.connection_count > 0
        assert other.connection_count > 0
        assert one.connection_count + other.connection_count == 40
        await backend.broadcast()
        async with asyncio.timeout(10):
            for client in clients:
                await client.counts(1, 1)


async def test_without_sharing_a_taken_port_is_an_error(settings: Settings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = Address(*taken.getsockname()[:2])
        with pytest.raises(SettingsError, match="BELLWIRE_GATEWAY_LISTEN="):
            async with serve(msgspec.structs.replace(settings, gateway_listen=address)):
                pass
