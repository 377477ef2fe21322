"""Subscribers: created on first sight, or ahead of it by an import; erased for good."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from app.contract import resources, timestamps
from app.contract.errors import NotFound
from app.contract.resources import Subscriber
from app.db import inbox, subscribers
from app.db.pool import Pool, acquire, run
from app.outbox.publisher import Publisher
from app.services.places import TimedPlace

# How often a request makes its person anew, who is erased each time before it can be carried out.
ATTEMPTS: Final = 10


class Subscribers:
    def __init__(self, pool: Pool, publisher: Publisher) -> None:
        self._pool = pool
        self._publisher = publisher

    async def put(self, environment_id: UUID, subscriber_id: str, created_at: datetime | None) -> Subscriber:
        """Creates the subscriber where it is new; created_at applies only then.

        Raises Unavailable.
        """
        while True:
            await self.ensure(environment_id, subscriber_id, created_at)
            async with acquire(self._pool) as connection:
                found = await subscribers.select_created_at(connection, environment_id, subscriber_id)
            if found is not None:  # None: erased in between
                return Subscriber(subscriber_id, timestamps.format_datetime(found))

    async def ensure(
        self, environment_id: UUID, subscriber_id: str, created_at: datetime | None = None
    ) -> None:
        """Raises Unavailable."""
        await self.insert(environment_id, [(subscriber_id, created_at)])

    async def insert(self, environment_id: UUID, rows: Sequence[tuple[str, datetime | None]]) -> int:
        """Creates those that are missing, all or none; how many those were.

        Raises Unavailable.
        """
        return await run(
            self._pool,
            lambda connection: subscribers.insert_subscribers(connection, environment_id, rows),
        )

    async def get(self, environment_id: UUID, subscriber_id: str) -> resources.SubscriberDetail:
        """Raises NotFound, Unavailable."""
        async with acquire(self._pool) as connection:
            created_at = await subscribers.select_created_at(connection, environment_id, subscriber_id)
            [counts] = await inbox.select_counts_of(connection, [(environment_id, subscriber_id)])
        if created_at is None or counts is None:
            raise NotFound("no such subscriber")
        return resources.SubscriberDetail(
            subscriber_id=subscriber_id,
            created_at=timestamps.format_datetime(created_at),
            counts=resources.Counts(counts.unread, counts.unseen, counts.version),
        )

    async def page(
        self, environment_id: UUID, *, before: TimedPlace | None, limit: int
    ) -> resources.Listing[Subscriber]:
        """Newest first. Raises Unavailable."""
        async with acquire(self._pool) as connection:
            found = await subscribers.select_subscribers(
                connection,
                environment_id,
                before=None if before is None else (before.time, before.id),
                limit=limit + 1,
            )
        last = found[limit - 1] if len(found) > limit else None
        return resources.Listing(
            items=[
                Subscriber(one.subscriber_id, timestamps.format_datetime(one.created_at))
                for one in found[:limit]
            ],
            next_cursor=None if last is None else TimedPlace(last.created_at, last.id).encode(),
        )

    async def erase(self, environment_id: UUID, subscriber_id: str) -> None:
        """Raises NotFound, Unavailable."""
        erased = await run(
            self._pool,
            lambda connection: subscribers.erase_subscriber(connection, environment_id, subscriber_id),
        )
        if erased is None:
            raise NotFound("no such subscriber")
        self._publisher.offer(erased.job)
