"""The real thing behind the model test: services on a database, driven by names instead of ids."""

from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from typing import Self

from app import redis
from app.contract import ids, resources
from app.contract.ids import Source
from app.contract.requests import BroadcastRequest, NotificationRequest, PreferenceEntry
from app.db.pool import Pool, create_pool
from app.outbox.publisher import Publisher
from app.services.auth import Identity
from app.services.broadcasts import Broadcasts
from app.services.cursors import Cursor
from app.services.inbox import Inbox, UpToItem, UpToItems
from app.services.notifications import Notifications
from app.services.preferences import Preferences
from app.services.retractions import Retractions
from app.services.subscribers import Subscribers
from app.worker.archive_read import ArchiveReadJobs
from app.worker.deliveries import Deliveries
from tests.app.model.oracle import Field, View, Watermark
from tests.factories import Environment, make_environment, page_of


def source_of(item: str) -> Source:
    return "notification" if item.startswith("notif_") else "broadcast"


class System:
    def __init__(self, pool: Pool, publisher: Publisher, environment: Environment) -> None:
        self.environment = environment
        self.notifications = Notifications(pool, publisher)
        self.broadcasts = Broadcasts(pool, publisher)
        self.subscribers = Subscribers(pool, publisher)
        self.inbox = Inbox(pool, publisher, self.subscribers)
        self.preferences = Preferences(pool, publisher, self.subscribers)
        self.retractions = Retractions(pool, publisher)
        self.archive_read_jobs = ArchiveReadJobs(pool, publisher)
        self.deliveries = Deliveries(pool, publisher)
        self._pool = pool

    @classmethod
    async def open(cls, stack: AsyncExitStack, database_url: str, redis_url: str, slug: str) -> Self:
        pool = await stack.enter_async_context(create_pool(database_url, size=4, name="model"))
        client = await stack.enter_async_context(redis.connect(redis_url))
        publisher = await stack.enter_async_context(Publisher.open(pool, client))
        return cls(pool, publisher, await make_environment(pool, slug))

    def identity(self, name: str) -> Identity:
        return Identity(self.environment.id, self.environment.slug, name, None, None)

    async def join(self, name: str, created_at: datetime | None) -> None:
        await self.subscribers.put(self.environment.id, name, created_at)

    async def send(self, names: list[str], category: str) -> list[str]:
        reply = await self.notifications.send(
            self.environment.id, NotificationRequest(subscriber_ids=names, category=category)
        )
        return [sent.id for sent in reply.sent.notifications]

    async def schedule_and_deliver(self, names: list[str], category: str) -> list[str]:
        """Due in an hour, which passes at once; delivered by the worker's own step."""
        soon = datetime.now(UTC) + timedelta(hours=1)
        reply = await self.notifications.send(
            self.environment.id,
            NotificationRequest(subscriber_ids=names, category=category, deliver_at=soon),
        )
        sent = [one.id for one in reply.sent.notifications]
        await self._pool.execute(
            "UPDATE scheduled SET deliver_at = deliver_at - interval '1 hour',"
            " place = waiting_place(deliver_at - interval '1 hour', id) WHERE environment_id = $1",
            self.environment.id,
        )
        while await self._waiting():
            await self.deliveries.run_once()
        return sent

    async def _waiting(self) -> bool:
        return bool(
            await self._pool.fetchval(
                "SELECT count(*) FROM scheduled WHERE environment_id = $1", self.environment.id
            )
        )

    async def broadcast(self, category: str) -> tuple[str, datetime]:
        """Its id and the time it became visible."""
        reply = await self.broadcasts.send(self.environment.id, BroadcastRequest(category=category))
        return reply.sent.id, datetime.fromisoformat(reply.sent.created_at)

    async def mark(self, name: str, item: str, field: Field, *, value: bool) -> None:
        source = source_of(item)
        item_id = ids.decode_item(source, item)
        assert item_id is not None
        await self.inbox.mark(self.identity(name), source=source, item_id=item_id, field=field, value=value)

    async def mark_all(
        self, name: str, watermark: Watermark, up_to: UpToItem | UpToItems | None
    ) -> resources.Counts:
        return await self.inbox.mark_all(self.identity(name), watermark=watermark, up_to=up_to)

    async def mute(self, name: str, entries: list[tuple[str, bool]]) -> None:
        await self.preferences.put(
            self.environment.id,
            name,
            [PreferenceEntry(category=category, channel="in_app", enabled=on) for category, on in entries],
        )

    async def retract(self, item: str) -> None:
        source = source_of(item)
        item_id = ids.decode_item(source, item)
        assert item_id is not None
        if source == "notification":
            await self.retractions.notification(self.environment.id, item_id)
        else:
            await self.retractions.broadcast(self.environment.id, item_id)

    async def archive_read(self, name: str) -> None:
        await self.inbox.archive_read(self.identity(name))
        await self.archive_read_jobs.run_once()

    async def view(self, name: str, view: View, limit: int) -> list[tuple[str, bool, bool]]:
        """Fully paged."""
        rows: list[tuple[str, bool, bool]] = []
        cursor = None
        while True:
            reply = await self.inbox.page(self.identity(name), view=view, cursor=cursor, limit=limit)
            page = page_of(reply)
            rows += [(item.id, item.read, item.archived) for item in page.items]
            if page.next_cursor is None:
                return rows
            cursor = Cursor.decode(page.next_cursor)

    async def counts(self, name: str) -> resources.CountsByCategory:
        return await self.inbox.counts_by_category(self.identity(name))
