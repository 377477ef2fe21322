"""Preferences: which categories a person has muted."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from app.contract import resources
from app.contract.errors import NotFound, Unavailable
from app.contract.requests import PreferenceEntry
from app.db import preferences
from app.db.pool import Pool, acquire, run
from app.outbox.publisher import Publisher
from app.services.auth import Identity
from app.services.subscribers import ATTEMPTS, Subscribers

MOST_CATEGORIES: Final = 1000


class Preferences:
    def __init__(self, pool: Pool, publisher: Publisher, subscribers: Subscribers) -> None:
        self._pool = pool
        self._publisher = publisher
        self._subscribers = subscribers

    async def get(self, environment_id: UUID, subscriber_id: str) -> resources.Preferences:
        """Raises NotFound (no such subscriber), Unavailable."""
        async with acquire(self._pool) as connection:
            muted = await preferences.select_preferences(connection, environment_id, subscriber_id)
        if muted is None:
            raise NotFound("no such subscriber")
        return to_preferences(muted)

    async def own(self, identity: Identity) -> resources.Preferences:
        """A person's own, who is created where new. Raises Unavailable."""
        try:
            return await self.get(identity.environment_id, identity.subscriber_id)
        except NotFound:
            await self._subscribers.ensure(identity.environment_id, identity.subscriber_id)
            return to_preferences([])

    async def put(
        self, environment_id: UUID, subscriber_id: str, entries: Sequence[PreferenceEntry]
    ) -> resources.Preferences:
        """Applies entries in order and answers the whole list; creates the subscriber where it is new.

        Raises Unavailable.
        """
        wanted = [(entry.category, entry.enabled) for entry in entries]
        for _ in range(ATTEMPTS):
            changed = await run(
                self._pool,
                lambda connection: preferences.set_preferences(
                    connection, environment_id, subscriber_id, wanted
                ),
            )
            if changed.muted is not None:
                self._publisher.offer(changed.job)
                return to_preferences(changed.muted)
            await self._subscribers.ensure(environment_id, subscriber_id)
        raise Unavailable("this subscriber is being erased; try again shortly")

    async def categories(self, environment_id: UUID) -> resources.Categories:
        """Raises Unavailable."""
        async with acquire(self._pool) as connection:
            return resources.Categories(
                await preferences.select_categories(connection, environment_id, MOST_CATEGORIES)
            )


def to_preferences(muted: Sequence[str]) -> resources.Preferences:
    return resources.Preferences(
        [resources.Preference(category, "in_app", enabled=False) for category in muted]
    )
