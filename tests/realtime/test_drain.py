"""How a gateway leaves."""

import asyncio
import os
import signal
import time

import msgspec
import pytest

from app.settings import Address, Settings
from realtime import connection
from realtime.main import run, serve
from tests.factories import Environment
from tests.harness import eventually
from tests.realtime.clients import GatewayUnderTest


async def test_every_socket_gets_a_goodbye_and_1012_in_waves(
    settings: Settings, environment: Environment
) -> None:
    async def leave() -> tuple[float, int]:
        async with gateway.client(f"s{next(numbers)}") as client:
            opened.release()
            goodbye = await client.next("goodbye")
            assert await client.closed() == (1012, "draining")
            assert goodbye["reason"] == "draining"
            return time.monotonic(), goodbye["reconnect_after_ms"]

    numbers = iter(range(1000))
    opened = asyncio.Semaphore(0)
    async with serve(msgspec.structs.replace(settings, drain_s=1.0)) as (server, address):
        gateway = GatewayUnderTest(server, address, environment)
        leaving = [asyncio.create_task(leave()) for _ in range(60)]
        for _ in leaving:
            await opened.acquire()
        begun = time.monotonic()
    times, delays = zip(*await asyncio.gather(*leaving), strict=True)
    assert 0.7 < max(times) - begun < 2
    assert min(times) - begun < 0.3
    assert 0 <= min(delays) < max(delays) <= 60_000
    assert len(set(delays)) > 30


async def test_sigterm_drains_and_ends_the_run(settings: Settings, environment: Environment) -> None:
    bound: asyncio.Future[Address] = asyncio.get_running_loop().create_future()
    settings = msgspec.structs.replace(settings, shutdown_grace_s=0.3)
    running = asyncio.create_task(run(settings, ready=bound.set_result))
    gateway = GatewayUnderTest(None, await bound, environment)
    async with gateway.client("ann") as client:
        os.kill(os.getpid(), signal.SIGTERM)
        # The grace: not ready, no new sockets, those there are still served.
        await eventually(lambda: gateway.http("GET /readyz HTTP/1.1\nHost: x"), lambda reply: reply[0] == 503)
        await client.send({"type": "ping"})
        assert await client.next() == {"type": "pong"}
        assert (await client.closed())[0] == 1012
    async with asyncio.timeout(5):
        await running


async def test_a_client_that_does_not_close_is_not_waited_for(
    settings: Settings, environment: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "CLOSE_TIMEOUT_S", 0.5)
    async with serve(settings) as (server, address):
        gateway = GatewayUnderTest(server, address, environment)
        reader, writer = await asyncio.open_connection(gateway.address.host, gateway.address.port)
        writer.write(
            b"GET /v1/inbox/ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
        await reader.readuntil(b"\r\n\r\n")
        begun = time.monotonic()
    assert 0.4 < time.monotonic() - begun < 4
    writer.close()


async def test_a_connection_that_has_said_nothing_is_not_waited_for(
    settings: Settings, environment: Environment
) -> None:
    async with serve(settings) as (server, address):
        gateway = GatewayUnderTest(server, address, environment)
        reader, writer = await asyncio.open_connection(gateway.address.host, gateway.address.port)
        await eventually(lambda: asyncio.sleep(0, server.connection_count), (1).__eq__)
        begun = time.monotonic()
    assert time.monotonic() - begun < 2
    assert await reader.read() == b""
    writer.close()
