"""The inbox as one person has it. A person unknown so far is created and served at once."""

from collections.abc import Awaitable, Callable, Hashable, Sequence
from typing import Final, TypeVar
from uuid import UUID

import msgspec

from app.contract import ids, resources, timestamps
from app.contract.errors import NotFound, Unavailable
from app.contract.ids import Source
from app.contract.pages import encode_page
from app.contract.resources import Counts, Item
from app.db import inbox
from app.db.inbox import Field, View, Watermark
from app.db.outbox import Answered
from app.db.pool import Connection, Pool, acquire, run
from app.outbox.publisher import Publisher
from app.services.auth import Identity
from app.services.batches import Batches, distinct
from app.services.cursors import Cursor
from app.services.subscribers import ATTEMPTS, Subscribers

T = TypeVar("T")
H = TypeVar("H", bound=Hashable)

PAGES: Final = 32  # in one statement; half of a batch, as its answers take as long to spell as to read


class PageReply:
    """Everybody who asked for the same at the same time has the same one, so it is spelled once."""

    __slots__ = ("_found", "_limit", "_page")

    def __init__(self, found: inbox.Page, limit: int) -> None:
        """limit: of the items to show; whether more follow is known from the next."""
        self._found = found
        self._limit = limit
        self._page: bytes | None = None

    @property
    def etag(self) -> str:
        return self._found.etag

    @property
    def page(self) -> bytes | None:
        """The JSON of a resources.Page. None: the caller's ETag still holds."""
        if self._page is None and not self._found.not_modified:
            shown = self._found.columns.first(self._limit)
            is_last = len(self._found.columns) <= self._limit
            self._page = encode_page(shown, None if is_last else Cursor.after(shown).encode())
        return self._page


class UpToItems(msgspec.Struct, frozen=True):
    """The newest item on screen of each source; None leaves that source alone."""

    notification: UUID | None
    broadcast: UUID | None


class UpToItem(msgspec.Struct, frozen=True):
    """Everything at or before this item's time."""

    source: Source
    id: UUID


class Inbox:
    def __init__(self, pool: Pool, publisher: Publisher, subscribers: Subscribers) -> None:
        self._pool = pool
        self._publisher = publisher
        self._subscribers = subscribers
        self._pages = Batches(once_each(self._select_pages), size=PAGES)
        self._counts = Batches(once_each(self._select_counts))
        self._marks: Batches[inbox.Mark, inbox.Marked] = Batches(
            lambda marks: self._write(lambda connection: inbox.mark_items(connection, marks, skip_busy=True)),
            carry_alone=lambda marks: self._write(lambda connection: inbox.mark_items(connection, marks)),
            is_busy=lambda marked: marked.status == "busy",
            choose=distinct(_row_of),
        )
        self._alls: Batches[inbox.MarkAll, inbox.MarkedAll] = Batches(
            lambda marks: self._write(lambda connection: inbox.mark_alls(connection, marks, skip_busy=True)),
            carry_alone=lambda marks: self._write(lambda connection: inbox.mark_alls(connection, marks)),
            is_busy=lambda marked: marked.status == "busy",
            choose=distinct(lambda mark: (mark.environment_id, mark.subscriber_id)),
        )

    async def page(
        self,
        identity: Identity,
        *,
        view: View = "default",
        categories: Sequence[str] | None = None,
        cursor: Cursor | None = None,
        limit: int = 20,
        known_etags: Sequence[str] = (),
    ) -> PageReply:
        """One page, newest first. known_etags: opaque tags, or `*`.

        Raises Unavailable.
        """
        request = inbox.PageRequest(
            identity.environment_id,
            identity.subscriber_id,
            view=view,
            categories=None if categories is None else tuple(categories),
            before=None if cursor is None else (cursor.us, cursor.source),
            limit=limit + 1,
            parameters=msgspec.json.encode((view, categories, cursor, limit)).decode(),
            known_etags=tuple(known_etags),
        )
        return await self._for_subscriber(identity, lambda: self._pages.ask(request))

    async def counts(self, identity: Identity) -> Counts:
        """Raises Unavailable."""
        who = (identity.environment_id, identity.subscriber_id)
        found = await self._for_subscriber(identity, lambda: self._counts.ask(who))
        return Counts(found.unread, found.unseen, found.version)

    async def counts_by_category(self, identity: Identity) -> resources.CountsByCategory:
        """Raises Unavailable."""

        async def select(connection: Connection) -> inbox.CategoryCounts | None:
            return await inbox.select_counts_by_category(
                connection, identity.environment_id, identity.subscriber_id
            )

        found = await self._for_subscriber(identity, self._read(select))
        return resources.CountsByCategory(
            unread=found.counts.unread,
            unseen=found.counts.unseen,
            version=found.counts.version,
            categories={
                category: resources.CategoryCounts(unread, unseen)
                for category, unread, unseen in zip(found.categories, found.unread, found.unseen, strict=True)
            },
        )

    async def item(self, identity: Identity, *, source: Source, item_id: UUID) -> Item:
        """One item, muted or in whatever state. Raises NotFound, Unavailable."""

        async def select(connection: Connection) -> inbox.Found | None:
            return await inbox.select_item(
                connection, identity.environment_id, identity.subscriber_id, source=source, item_id=item_id
            )

        found = await self._for_subscriber(identity, self._read(select))
        if found.row is None:
            raise NotFound(f"no such {source} in this inbox")
        return to_item(found.row)

    async def archive_read(self, identity: Identity) -> None:
        """Has a job archive what is read. Raises Unavailable."""

        async def ask() -> UUID | None:
            return await run(
                self._pool,
                lambda connection: inbox.ask_archive_read(
                    connection, identity.environment_id, identity.subscriber_id
                ),
            )

        await self._for_subscriber(identity, ask)
        self._publisher.wake_workers()

    async def mark(
        self, identity: Identity, *, source: Source, item_id: UUID, field: Field, value: bool
    ) -> None:
        """Sets one item's state; nothing is written where it is so already.

        Raises NotFound, Unavailable.
        """
        wanted = inbox.Mark(
            identity.environment_id, identity.subscriber_id, source, item_id, field=field, value=value
        )

        async def mark() -> inbox.Marked | None:
            marked = await self._marks.ask(wanted)
            return None if marked.status == "unknown_subscriber" else marked

        marked = await self._for_subscriber(identity, mark)
        if marked.status == "not_found":
            raise NotFound(f"no such {source} in this inbox")

    async def mark_held(
        self, environment_id: UUID, notification_id: UUID, *, field: Field, value: bool
    ) -> None:
        """The same by a backend, for whoever holds the notification. Raises NotFound, Unavailable."""
        wanted = inbox.Mark(environment_id, None, "notification", notification_id, field=field, value=value)
        if (await self._marks.ask(wanted)).status == "not_found":
            raise NotFound("no such notification")

    async def mark_all(
        self, identity: Identity, *, watermark: Watermark, up_to: UpToItem | UpToItems | None = None
    ) -> Counts:
        """Moves the watermarks of both sources, and answers the counts of the same transaction.

        Raises NotFound (up_to names what this person cannot see), Unavailable.
        """
        match up_to:
            case UpToItems(notification, broadcast):
                pass
            case UpToItem("notification", item_id):
                notification, broadcast = item_id, None
            case UpToItem(_, item_id):
                notification, broadcast = None, item_id
            case None:
                notification, broadcast = None, None

        wanted = inbox.MarkAll(
            identity.environment_id,
            identity.subscriber_id,
            watermark=watermark,
            exact=isinstance(up_to, UpToItems),
            up_to_notification=notification,
            up_to_broadcast=broadcast,
        )

        async def mark() -> inbox.MarkedAll | None:
            marked = await self._alls.ask(wanted)
            return None if marked.status == "unknown_subscriber" else marked

        marked = await self._for_subscriber(identity, mark)
        if marked.unread is None or marked.unseen is None or marked.version is None:
            raise NotFound("up_to names an item that is not in this inbox")
        return Counts(marked.unread, marked.unseen, marked.version)

    async def _select_pages(self, requests: Sequence[inbox.PageRequest]) -> list[PageReply | None]:
        async with acquire(self._pool) as connection:
            pages = await inbox.select_pages(connection, requests)
        return [
            None if page is None else PageReply(page, request.limit - 1)
            for request, page in zip(requests, pages, strict=True)
        ]

    async def _select_counts(self, people: Sequence[tuple[UUID, str]]) -> list[inbox.Counts | None]:
        async with acquire(self._pool) as connection:
            return await inbox.select_counts_of(connection, people)

    async def _write(self, statement: Callable[[Connection], Awaitable[Answered[T]]]) -> list[T]:
        marks = await run(self._pool, statement)
        for job in marks.jobs:
            self._publisher.offer(job)
        return marks.answers

    def _read(self, select: Callable[[Connection], Awaitable[T]]) -> Callable[[], Awaitable[T]]:
        async def read() -> T:
            async with acquire(self._pool) as connection:
                return await select(connection)

        return read

    async def _for_subscriber(self, identity: Identity, attempt: Callable[[], Awaitable[T | None]]) -> T:
        """Attempt's result; where it finds no such subscriber, that one is created first."""
        for _ in range(ATTEMPTS):
            result = await attempt()
            if result is not None:
                return result
            await self._subscribers.ensure(identity.environment_id, identity.subscriber_id)
        raise Unavailable("this subscriber is being erased; try again shortly")


def once_each(
    carry: Callable[[Sequence[H]], Awaitable[Sequence[T]]],
) -> Callable[[Sequence[H]], Awaitable[list[T]]]:
    """Of equal requests of one batch, one is carried: what it reads is of one instant anyway.

    A hint has every window and device of a person ask the same at the same time.
    """

    async def carry_distinct(requests: Sequence[H]) -> list[T]:
        distinct = list(dict.fromkeys(requests))
        answers = dict(zip(distinct, await carry(distinct), strict=True))
        return [answers[request] for request in requests]

    return carry_distinct


def _row_of(mark: inbox.Mark) -> object:
    """What keeps a mark: the notification itself, whoever names it; of a broadcast each has their own."""
    if mark.source == "notification":
        return mark.item_id
    return mark.environment_id, mark.subscriber_id, mark.item_id


def to_item(row: inbox.Row) -> Item:
    return Item(
        id=ids.encode_item(row.source, row.id),
        source=row.source,
        category=row.category,
        payload=msgspec.Raw(row.payload.encode()),
        occurred_at=timestamps.format_us(timestamps.position_us(row.position)),
        read=row.read,
        archived=row.archived,
    )
