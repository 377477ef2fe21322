"""PostgreSQL killed and started again: open sockets stay open, and are right again soon after."""

import asyncio
import time
from collections.abc import AsyncGenerator, Generator

import pytest
from stack.scratch import Scratch
from stack.servers import EmbeddedPostgres

from app import redis
from app.contract import timestamps
from app.db import migrate
from app.db.pool import create_pool
from app.outbox.publisher import Publisher
from app.services.lookup import KEEP_S
from app.settings import Address, Settings
from realtime.main import serve
from tests.factories import make_environment
from tests.harness import eventually
from tests.realtime.backend import Backend
from tests.realtime.clients import GatewayUnderTest
from tests.realtime.test_validity import token

pytestmark = pytest.mark.faults
BACK_PROMISE_S = 10.0


@pytest.fixture
def own_postgres() -> Generator[EmbeddedPostgres]:
    with (
        Scratch("gateway", in_memory=True) as scratch,
        # What it has committed outlives the kill, though not the machine.
        EmbeddedPostgres(scratch.path / "postgres", settings={"fsync": "off"}) as server,
    ):
        asyncio.run(migrate.migrate(server.url))
        yield server


@pytest.fixture
async def own_gateway(own_postgres: EmbeddedPostgres, redis_url: str) -> AsyncGenerator[GatewayUnderTest]:
    settings = Settings(
        database_url=own_postgres.url, redis_url=redis_url, gateway_listen=Address("127.0.0.1", 0)
    )
    async with create_pool(own_postgres.url, size=1, name="test") as pool:
        environment = await make_environment(pool, "acme")
    async with serve(settings) as (gateway, address):
        yield GatewayUnderTest(gateway, address, environment)


async def test_sockets_outlive_the_database_and_new_ones_come_back_with_it(
    own_gateway: GatewayUnderTest, own_postgres: EmbeddedPostgres, redis_url: str
) -> None:
    async with own_gateway.client("ann") as client:
        own_postgres.kill()
        await eventually(lambda: readiness(own_gateway), (503).__eq__)
        await client.send({"type": "ping"})
        assert await client.next() == {"type": "pong"}
        async with own_gateway.socket(own_gateway.environment.subscriber_query("bob")) as refused:
            assert (await refused.closed())[0] == 1013

        own_postgres.start()
        await eventually(lambda: readiness(own_gateway), (200).__eq__, within_s=BACK_PROMISE_S)
        async with (
            create_pool(own_postgres.url, size=2, name="test") as pool,
            redis.connect(redis_url) as connection,
            Publisher.open(pool, connection) as publisher,
            own_gateway.client("bob"),
        ):
            await Backend(own_gateway.environment, pool, publisher).notify("ann")
            await client.counts(1, 1)


async def test_a_refresh_meanwhile_is_answered_when_the_database_is_back(
    own_gateway: GatewayUnderTest, own_postgres: EmbeddedPostgres
) -> None:
    """Of two, the last; the socket lives on as long as its old proof."""
    now = int(time.time())
    async with own_gateway.client("ann") as client:
        await lose(own_gateway, own_postgres)
        for expires_at in (now + 100, now + 200):
            await client.send({"type": "refresh", "token": token(own_gateway.environment, expires_at)})
        await client.send({"type": "ping"})
        assert await client.next() == {"type": "pong"}
        async with own_gateway.socket({"token": token(own_gateway.environment, now + 100)}) as refused:
            assert (await refused.closed())[0] == 1013

        own_postgres.start()
        async with asyncio.timeout(BACK_PROMISE_S):
            refreshed = await client.next("refreshed")
        assert refreshed["expires_at"] == timestamps.format_us((now + 200) * 1_000_000)
        await client.send({"type": "refresh", "token": "nonsense"})
        assert (await client.closed())[0] == 4501
        assert len(client.of_type("refreshed")) == 1


async def test_a_refresh_that_waits_outlives_neither_its_socket_nor_the_old_proof(
    own_gateway: GatewayUnderTest, own_postgres: EmbeddedPostgres
) -> None:
    expires_at = int(time.time()) + 4
    old, new = (token(own_gateway.environment, at) for at in (expires_at, expires_at + 100))
    async with own_gateway.socket({"token": old}) as client, own_gateway.socket({"token": old}) as leaving:
        for one in (client, leaving):
            await one.next("ready")
        await lose(own_gateway, own_postgres)
        for one in (client, leaving):
            await one.send({"type": "refresh", "token": new})
        await eventually(lambda: waiting(own_gateway), (2).__eq__)
        await leaving.socket.close()
        await eventually(lambda: waiting(own_gateway), (1).__eq__)
        goodbye = await client.next("goodbye")
        assert goodbye["reason"] == "expired"
        assert time.time() >= expires_at
        assert (await client.closed())[0] == 4002
        assert await waiting(own_gateway) == 0


async def waiting(gateway: GatewayUnderTest) -> int:
    """Refreshes that wait."""
    assert gateway.gateway is not None
    return len(gateway.gateway._waiting)  # pyright: ignore[reportPrivateUsage]


async def lose(gateway: GatewayUnderTest, postgres: EmbeddedPostgres) -> None:
    """Until nobody remembers an answer either."""
    postgres.kill()
    await asyncio.sleep(KEEP_S)
    await eventually(lambda: readiness(gateway), (503).__eq__)


async def readiness(gateway: GatewayUnderTest) -> int:
    return (await gateway.http("GET /readyz HTTP/1.1\nHost: x"))[0]
