"""A gateway in the test's own process, on a port of its own, under the event loop it is served with."""

import asyncio
from collections.abc import AsyncGenerator, Callable

import pytest
import uvloop

from app import redis
from app.db.pool import Pool
from app.outbox.publisher import Publisher
from app.settings import Address, Settings
from realtime.main import serve
from tests.factories import Environment
from tests.realtime.backend import Backend
from tests.realtime.clients import GatewayUnderTest


def pytest_asyncio_loop_factories() -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    return {"uvloop": uvloop.new_event_loop}


@pytest.fixture
def settings(database_url: str, redis_url: str) -> Settings:
    return Settings(
        database_url=database_url,
        redis_url=redis_url,
        gateway_listen=Address("127.0.0.1", 0),
        drain_s=0.2,
    )


@pytest.fixture
async def gateway(settings: Settings, environment: Environment) -> AsyncGenerator[GatewayUnderTest]:
    async with serve(settings) as (gateway, address):
        yield GatewayUnderTest(gateway, address, environment)


@pytest.fixture
async def backend(pool: Pool, redis_url: str, environment: Environment) -> AsyncGenerator[Backend]:
    async with redis.connect(redis_url) as client, Publisher.open(pool, client) as publisher:
        yield Backend(environment, pool, publisher)
