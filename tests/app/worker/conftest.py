"""A worker's steps, driven one at a time, and a reader of what they publish."""

from collections.abc import AsyncGenerator

import pytest
from redis.asyncio import Redis

from app import redis
from app.db.pool import Pool
from app.outbox.publisher import Publisher
from app.services.notifications import Notifications
from tests.app.worker.world import Heard, World
from tests.factories import Environment
from tests.harness import NO_REDIS


@pytest.fixture
async def client(redis_url: str) -> AsyncGenerator[Redis]:
    async with redis.connect(redis_url) as opened:
        yield opened


@pytest.fixture
async def heard(redis_url: str, environment: Environment) -> AsyncGenerator[Heard]:
    async with Heard.open(redis_url, environment.id) as opened:
        yield opened


@pytest.fixture
async def publisher(pool: Pool, client: Redis) -> AsyncGenerator[Publisher]:
    async with Publisher.open(pool, client) as opened:
        yield opened


@pytest.fixture
async def mute_publisher(pool: Pool) -> AsyncGenerator[Publisher]:
    """Of a process that dies right after each commit: whatever it owes is left to the worker."""
    async with redis.connect(NO_REDIS) as nowhere:
        yield Publisher(pool, nowhere)


@pytest.fixture
def world(pool: Pool, mute_publisher: Publisher, environment: Environment) -> World:
    return World(pool, environment, Notifications(pool, mute_publisher))
