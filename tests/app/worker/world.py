"""One environment, seen from behind the worker."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from uuid import UUID

from app import redis
from app.contract import hints, ids
from app.contract.hints import Envelope
from app.contract.requests import NotificationRequest
from app.db.pool import Pool
from app.services.notifications import Notifications
from tests.factories import Environment
from tests.harness import eventually


def from_now(seconds: float) -> datetime:
    return datetime.now(UTC) + timedelta(seconds=seconds)


class Heard:
    """Every envelope of one environment published since it was opened."""

    def __init__(self) -> None:
        self.envelopes: list[Envelope] = []

    @classmethod
    @asynccontextmanager
    async def open(cls, redis_url: str, environment_id: UUID) -> AsyncGenerator["Heard"]:
        heard = cls()
        subscribed = asyncio.Event()

        async def listen() -> None:
            confirmed = 0
            async for message in subscription.listen():
                if message["type"] == "subscribe":
                    confirmed += 1
                    if confirmed == hints.SHARDS:
                        subscribed.set()
                elif message["type"] == "message":
                    envelope = hints.decode(message["data"])  # None: a gateway's probe
                    if envelope is not None and envelope.routing_key.startswith(environment_id.hex.encode()):
                        heard.envelopes.append(envelope)

        async with redis.connect_subscriber(redis_url) as client, client.pubsub() as subscription:
            await subscription.subscribe(*hints.CHANNELS)
            listener = asyncio.create_task(listen())
            await subscribed.wait()
            try:
                yield heard
            finally:
                listener.cancel()

    async def reasons(self, count: int) -> list[str]:
        """Waits for so many envelopes; no more may have come."""

        async def number() -> int:
            return len(self.envelopes)

        await eventually(number, lambda found: found >= count)
        assert len(self.envelopes) == count
        return [envelope.reason for envelope in self.envelopes]


class World:
    def __init__(self, pool: Pool, environment: Environment, notifications: Notifications) -> None:
        self.pool = pool
        self.environment = environment
        self._notifications = notifications

    async def send(
        self,
        *people: str,
        category: str = "c",
        deliver_at: datetime | None = None,
        expires_at: datetime | None = None,
    ) -> list[UUID]:
        reply = await self._notifications.send(
            self.environment.id,
            NotificationRequest(
                subscriber_ids=list(people), category=category, deliver_at=deliver_at, expires_at=expires_at
            ),
        )
        found = [ids.decode("notif", sent.id) for sent in reply.sent.notifications]
        return [item for item in found if item is not None]

    async def leases_are_over(self) -> None:
        await self.pool.execute("UPDATE outbox SET run_at = clock_timestamp()")

    async def due_now(self) -> None:
        """Whatever waits for a time, or for its end, has waited long enough."""
        await self.pool.execute(
            "UPDATE scheduled SET deliver_at = now, place = waiting_place(now, id)"
            " FROM (SELECT clock_timestamp() AS now) AS clock"
        )
        await self.pool.execute(
            "UPDATE notifications SET expires_at = clock_timestamp() WHERE expires_at IS NOT NULL"
        )
        await self.pool.execute(
            "UPDATE broadcasts SET expires_at = clock_timestamp() WHERE expires_at IS NOT NULL"
        )

    async def mute(self, person: str, category: str) -> None:
        await self.pool.execute(
            "INSERT INTO preferences SELECT environment_id, id, $3 FROM subscribers"
            " WHERE environment_id = $1 AND subscriber_id = $2",
            self.environment.id,
            person,
            category,
        )

    async def count(self, table: str) -> int:
        return await self.pool.fetchval(f"SELECT count(*) FROM {table}")  # noqa: S608

    async def hinted(self) -> set[UUID]:
        """The items whose timeline says delivered_hint."""
        rows: Sequence[tuple[UUID]] = await self.pool.fetch(
            "SELECT n.id FROM timeline t JOIN notifications n USING (environment_id, position)"
            " WHERE t.status = 'delivered_hint'"
        )
        return {item for (item,) in rows}
