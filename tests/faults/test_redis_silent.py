"""SIGTERM of each role while Redis takes connections and never says a word: as a half-dead proxy does."""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest

from tests.harness import Process, eventually

pytestmark = [pytest.mark.faults, pytest.mark.timeout(120)]

ENOUGH_S = 15.0  # half of what is usual before a SIGKILL


@asynccontextmanager
async def silence() -> AsyncGenerator[tuple[str, list[asyncio.StreamWriter]]]:
    """A URL of a Redis, and the connections that it has taken."""
    taken: list[asyncio.StreamWriter] = []

    async def take(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        taken.append(writer)

    server = await asyncio.start_server(take, "127.0.0.1", 0)
    try:
        host, port = server.sockets[0].getsockname()
        yield f"redis://{host}:{port}/0", taken
    finally:
        server.close()
        for writer in taken:
            writer.close()


@pytest.mark.parametrize("role", ["api", "gateway", "worker"])
async def test_a_silent_redis_does_not_hold_up_the_exit(role: str, database_url: str) -> None:
    """Amid its first attempts to be greeted."""
    async with silence() as (redis_url, taken):
        environ = {
            "DATABASE_URL": database_url,
            "REDIS_URL": redis_url,
            "BELLWIRE_LISTEN": "127.0.0.1:0",
            "BELLWIRE_GATEWAY_LISTEN": "127.0.0.1:0",
            "BELLWIRE_SHUTDOWN_GRACE_S": "0",
            "BELLWIRE_DRAIN_S": "0.2",
        }
        async with Process.open(role, environ) as process:

            async def connected() -> bool:
                return bool(taken)

            await eventually(connected, within_s=10)
            began = time.monotonic()
            assert await process.stop() == 0
            assert time.monotonic() - began < ENOUGH_S
