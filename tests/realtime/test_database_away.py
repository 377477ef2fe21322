"""PostgreSQL killed and started again: open sockets stay open, and are right again soon after."""

import asyncio
from collections.abc import AsyncGenerator, Generator

import pytest
from stack.scratch import Scratch
from stack.servers import EmbeddedPostgres

from app import redis
from app.db import migrate
from app.db.pool import create_pool
from app.outbox.publisher import Publisher
from app.settings import Address, Settings
from realtime.main import serve
from tests.factories import make_environment
from tests.harness import eventually
from tests.realtime.backend import Backend
from tests.realtime.clients import GatewayUnderTest

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


async def readiness(gateway: GatewayUnderTest) -> int:
    return (await gateway.http("GET /readyz HTTP/1.1\nHost: x"))[0]
