"""Items scheduled straight through the services, many at a time."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Final

from app import redis
from app.contract.requests import NotificationRequest
from app.db.pool import Pool
from app.outbox.publisher import Publisher
from app.services.notifications import Notifications
from app.services.retractions import Retractions
from app.services.subscribers import Subscribers
from tests.factories import Environment

BATCH: Final = 50  # people named in one request


def seconds_from_now(seconds: float) -> datetime:
    return datetime.now(UTC) + timedelta(seconds=seconds)


class Backend:
    """The services of one API process, here."""

    def __init__(self, pool: Pool, publisher: Publisher, environment: Environment) -> None:
        self.notifications = Notifications(pool, publisher)
        self.retractions = Retractions(pool, publisher)
        self.subscribers = Subscribers(pool, publisher)
        self.environment = environment

    @classmethod
    @asynccontextmanager
    async def open(cls, pool: Pool, redis_url: str, environment: Environment) -> AsyncGenerator["Backend"]:
        async with redis.connect(redis_url) as client, Publisher.open(pool, client) as publisher:
            yield cls(pool, publisher, environment)

    async def schedule(self, people: Sequence[str], deliver_at: datetime, category: str = "c") -> list[str]:
        """The ids, in the order of people."""
        sent: list[str] = []
        for at in range(0, len(people), BATCH):
            request = NotificationRequest(
                subscriber_ids=list(people[at : at + BATCH]), category=category, deliver_at=deliver_at
            )
            reply = await self.notifications.send(self.environment.id, request)
            sent += [one.id for one in reply.sent.notifications]
        return sent
