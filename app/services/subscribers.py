"""Subscribers: created on first sight, or ahead of it by an import."""

from datetime import datetime
from uuid import UUID

from app.contract import timestamps
from app.contract.resources import Subscriber
from app.db import subscribers
from app.db.pool import Pool, acquire, run


class Subscribers:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

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
        await run(
            self._pool,
            lambda connection: subscribers.ensure_subscribers(
                connection, environment_id, [subscriber_id], created_at
            ),
        )
