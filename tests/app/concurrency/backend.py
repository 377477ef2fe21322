"""One process as PostgreSQL sees it: every service, every step of a worker, connections of its own."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from uuid import UUID

from redis.asyncio import Redis

from app import redis
from app.contract import ids
from app.contract.ids import Source
from app.contract.requests import BroadcastRequest, NotificationRequest, PreferenceEntry
from app.contract.resources import Counts, Item, Page
from app.db import inbox as db_inbox
from app.db.inbox import Field, View, Watermark
from app.db.pool import Pool, create_pool, run
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
from app.worker.deliveries import Deliveries, Expiries
from app.worker.hints import HintJobs
from app.worker.retention import Retention
from tests.factories import Environment, page_of


def source_of(item: str) -> Source:
    return "notification" if item.startswith("notif_") else "broadcast"


def uuid_of(item: str) -> UUID:
    """The UUID behind the TypeID of a notification or broadcast."""
    found = ids.decode_item(source_of(item), item)
    assert found is not None
    return found


class Backend:
    def __init__(self, pool: Pool, client: Redis, publisher: Publisher, environment: Environment) -> None:
        self.pool = pool
        self.environment = environment
        self.notifications = Notifications(pool, publisher)
        self.broadcasts = Broadcasts(pool, publisher)
        self.subscribers = Subscribers(pool, publisher)
        self.inbox = Inbox(pool, publisher, self.subscribers)
        self.preferences = Preferences(pool, publisher, self.subscribers)
        self.retractions = Retractions(pool, publisher)
        self.deliveries = Deliveries(pool, publisher)
        self.expiries = Expiries(pool, publisher)
        self.archive_read_jobs = ArchiveReadJobs(pool, publisher)
        self.hint_jobs = HintJobs(pool, client)
        self.retention = Retention(pool, publisher, months=12)

    @classmethod
    @asynccontextmanager
    async def open(
        cls, database_url: str, redis_url: str, environment: Environment, *, name: str, size: int = 4
    ) -> AsyncGenerator["Backend"]:
        """name: how its sessions are told from others in pg_stat_activity, and at gates."""
        async with (
            create_pool(database_url, size=size, name=name) as pool,
            redis.connect(redis_url) as client,
            Publisher.open(pool, client) as publisher,
        ):
            yield cls(pool, client, publisher, environment)

    def identity(self, person: str) -> Identity:
        return Identity(self.environment.id, self.environment.slug, person, None, None)

    async def send(
        self,
        people: Sequence[str],
        category: str = "news",
        *,
        key: str | None = None,
        deliver_at: datetime | None = None,
        expires_at: datetime | None = None,
    ) -> list[str]:
        """The ids, in the order of people."""
        reply = await self.notifications.send(
            self.environment.id,
            NotificationRequest(
                subscriber_ids=list(people),
                category=category,
                idempotency_key=key,
                deliver_at=deliver_at,
                expires_at=expires_at,
            ),
        )
        assert [one.subscriber_id for one in reply.sent.notifications] == list(people)
        return [one.id for one in reply.sent.notifications]

    async def broadcast(
        self,
        category: str = "news",
        *,
        deliver_at: datetime | None = None,
        expires_at: datetime | None = None,
    ) -> str:
        reply = await self.broadcasts.send(
            self.environment.id,
            BroadcastRequest(category=category, deliver_at=deliver_at, expires_at=expires_at),
        )
        return reply.sent.id

    async def mark(self, person: str, item: str, field: Field, *, value: bool = True) -> None:
        await self.inbox.mark(
            self.identity(person), source=source_of(item), item_id=uuid_of(item), field=field, value=value
        )

    async def mark_from_outside(self, item: str, field: Field, *, value: bool) -> str:
        """As the customer's backend does, for whoever holds the notification; the statement's status."""
        mark = db_inbox.Mark(
            self.environment.id, None, "notification", uuid_of(item), field=field, value=value
        )
        marks = await run(self.pool, lambda connection: db_inbox.mark_items(connection, [mark]))
        return marks.answers[0].status

    async def mark_all(
        self, person: str, watermark: Watermark, up_to: UpToItem | UpToItems | None = None
    ) -> Counts:
        return await self.inbox.mark_all(self.identity(person), watermark=watermark, up_to=up_to)

    async def mute(self, person: str, category: str, *, muted: bool = True) -> None:
        entry = PreferenceEntry(category=category, channel="in_app", enabled=not muted)
        await self.preferences.put(self.environment.id, person, [entry])

    async def retract(self, item: str) -> None:
        if source_of(item) == "notification":
            await self.retractions.notification(self.environment.id, uuid_of(item))
        else:
            await self.retractions.broadcast(self.environment.id, uuid_of(item))

    async def erase(self, person: str) -> None:
        await self.subscribers.erase(self.environment.id, person)

    async def counts(self, person: str) -> Counts:
        return await self.inbox.counts(self.identity(person))

    async def page(self, person: str, view: View = "default", **parameters: object) -> Page:
        reply = await self.inbox.page(self.identity(person), view=view, **parameters)  # pyright: ignore[reportArgumentType]
        return page_of(reply)

    async def view(self, person: str, view: View = "default", limit: int = 100) -> list[Item]:
        """Every item of a view, page by page."""
        items: list[Item] = []
        cursor = None
        while True:
            page = await self.page(person, view, cursor=cursor, limit=limit)
            items += page.items
            if page.next_cursor is None:
                return items
            cursor = Cursor.decode(page.next_cursor)


def up_to_item(item: str) -> UpToItem:
    return UpToItem(source_of(item), uuid_of(item))


def up_to_items(notification: str | None, broadcast: str | None) -> UpToItems:
    return UpToItems(
        None if notification is None else uuid_of(notification),
        None if broadcast is None else uuid_of(broadcast),
    )
