"""The inbox, straight through its service."""

from collections.abc import AsyncGenerator

import pytest

from app import redis
from app.db.pool import Pool
from app.outbox.publisher import Publisher
from app.services.auth import Identity
from app.services.inbox import Inbox
from app.services.subscribers import Subscribers
from tests.factories import Environment


@pytest.fixture
async def publisher(pool: Pool, redis_url: str) -> AsyncGenerator[Publisher]:
    async with redis.connect(redis_url) as client, Publisher.open(pool, client) as opened:
        yield opened


@pytest.fixture
def inbox(pool: Pool, publisher: Publisher) -> Inbox:
    return Inbox(pool, publisher, Subscribers(pool, publisher))


def who(environment: Environment, subscriber_id: str) -> Identity:
    return Identity(environment.id, environment.slug, subscriber_id, environment.secret, None)
