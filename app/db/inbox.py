"""What a person sees and does: pages, counts, marks. The rules are in migrations/functions."""

from collections.abc import Sequence
from typing import Any, Final, Literal
from uuid import UUID

import msgspec

from app.contract.ids import Source
from app.contract.pages import ARCHIVED, READ, Columns, source_of
from app.db.outbox import Answered
from app.db.pool import Connection

View = Literal["default", "unread", "archived"]
Field = Literal["read", "archived"]
Watermark = Literal["read", "seen", "archived"]

_SOURCES: Final[tuple[Source, Source]] = ("notification", "broadcast")


class Counts(msgspec.Struct, frozen=True):
    """version: see contract section 3; it grows with every change of the inbox."""

    inbox_id: UUID
    unread: int
    unseen: int
    version: int


class Row(msgspec.Struct, frozen=True):
    source: Source
    position: UUID
    id: UUID
    category: str
    payload: str
    read: bool
    archived: bool


class Page(msgspec.Struct, frozen=True):
    """columns: up to the number asked for; none where the caller's ETag still holds (not_modified)."""

    etag: str
    not_modified: bool
    columns: Columns

    @property
    def rows(self) -> list[Row]:
        """One by one, for those who are not in a hurry."""
        flags, positions, ids, categories, payloads = msgspec.structs.astuple(self.columns)
        return [
            Row(
                source_of(flags[n]),
                UUID(bytes=positions[16 * n : 16 * n + 16]),
                UUID(bytes=ids[16 * n : 16 * n + 16]),
                categories[n],
                payloads[n],
                read=bool(flags[n] & READ),
                archived=bool(flags[n] & ARCHIVED),
            )
            for n in range(len(flags))
        ]


class PageRequest(msgspec.Struct, frozen=True):
    """before: time (µs) and source of the last item of the page before. parameters: names everything the
    page depends on besides the inbox, for its ETag. known_etags: those of the caller, or `*`.
    """

    environment_id: UUID
    subscriber_id: str
    view: View
    categories: tuple[str, ...] | None
    before: tuple[int, Source] | None
    limit: int
    parameters: str
    known_etags: tuple[str, ...]


# Lists within lists need not be of one length: each is JSON.
SELECT_PAGES: Final = """
SELECT request, etag, not_modified, flags, positions, ids, categories, payloads
FROM inbox_pages($1, $2, $3, $4, $5, $6, $7, $8, $9)
"""


async def select_pages(connection: Connection, requests: Sequence[PageRequest]) -> list[Page | None]:
    """One page for each, newest first, all of one instant; None for an unknown subscriber."""
    rows = await connection.fetch(
        SELECT_PAGES,
        [request.environment_id for request in requests],
        [request.subscriber_id for request in requests],
        [request.view for request in requests],
        [None if request.categories is None else _json(request.categories) for request in requests],
        [None if request.before is None else request.before[0] for request in requests],
        [None if request.before is None else _SOURCES.index(request.before[1]) for request in requests],
        [request.limit for request in requests],
        [request.parameters for request in requests],
        [_json(request.known_etags) if request.known_etags else None for request in requests],
    )
    pages: list[Page | None] = [None] * len(requests)
    for request, *page in rows:
        pages[request - 1] = to_page(page)
    return pages


def _json(texts: Sequence[str]) -> str:
    return msgspec.json.encode(texts).decode()


def to_page(row: Sequence[Any]) -> Page:
    """row: of inbox_pages(), without its request."""
    etag, not_modified, flags, *columns = row
    return Page(etag, not_modified, Columns(flags, *columns) if flags else Columns())


SELECT_COUNTS: Final = "SELECT inbox_id, unread, unseen, version FROM inbox_counts($1, $2)"


async def select_counts(
    connection: Connection, environment_id: UUID, inbox_ids: Sequence[UUID]
) -> list[Counts]:
    """The counts of many inboxes of one instant, in any order; erased ones are missing."""
    return [Counts(*row) for row in await connection.fetch(SELECT_COUNTS, environment_id, inbox_ids)]


SELECT_COUNTS_OF: Final = """
SELECT r.request, c.inbox_id, c.unread, c.unseen, c.version
FROM unnest($1::uuid[], $2::text[]) WITH ORDINALITY AS r (env, subscriber, request)
CROSS JOIN LATERAL (SELECT s.id FROM subscribers s
                    WHERE s.environment_id = r.env AND s.subscriber_id = r.subscriber LIMIT 1) AS s
CROSS JOIN LATERAL inbox_counts(r.env, ARRAY[s.id]) AS c
"""


async def select_counts_of(connection: Connection, people: Sequence[tuple[UUID, str]]) -> list[Counts | None]:
    """The counts of each, all of one instant; None for an unknown subscriber.

    people: environment and subscriber_id.
    """
    rows = await connection.fetch(SELECT_COUNTS_OF, [env for env, _ in people], [who for _, who in people])
    counts: list[Counts | None] = [None] * len(people)
    for request, *one in rows:
        counts[request - 1] = Counts(*one)
    return counts


class Mark(msgspec.Struct, frozen=True):
    """One item is to be so. subscriber_id None: for whoever holds the notification."""

    environment_id: UUID
    subscriber_id: str | None
    source: Source
    item_id: UUID
    field: Field
    value: bool


class Marked(msgspec.Struct, frozen=True):
    """busy: another transaction holds the inbox."""

    status: Literal["unknown_subscriber", "not_found", "unchanged", "changed", "busy"]


MARK_ITEMS: Final = "SELECT request, status, job_id, job FROM mark_items($1, $2, $3, $4, $5, $6, $7)"


async def mark_items(
    connection: Connection, marks: Sequence[Mark], *, skip_busy: bool = False
) -> Answered[Marked]:
    """All of them in one transaction; no two of one notification, or of one person's one broadcast.

    skip_busy: a mark of an inbox which another transaction holds is `busy` instead of waiting.
    """
    environment_ids = [mark.environment_id for mark in marks]
    rows = await connection.fetch(
        MARK_ITEMS,
        environment_ids,
        [mark.subscriber_id for mark in marks],
        [mark.source for mark in marks],
        [mark.item_id for mark in marks],
        [mark.field for mark in marks],
        [mark.value for mark in marks],
        skip_busy,
    )
    return Answered.of(rows, environment_ids, Marked)


class MarkAll(msgspec.Struct, frozen=True):
    """exact: exactly up to the two items named; else everything at or before the one named, or all."""

    environment_id: UUID
    subscriber_id: str
    watermark: Watermark
    exact: bool = False
    up_to_notification: UUID | None = None
    up_to_broadcast: UUID | None = None


class MarkedAll(msgspec.Struct, frozen=True):
    status: Literal["unknown_subscriber", "not_found", "done", "busy"]
    unread: int | None
    unseen: int | None
    version: int | None


MARK_ALLS: Final = """
SELECT request, status, unread, unseen, version, job_id, job FROM mark_alls($1, $2, $3, $4, $5, $6, $7)
"""


async def mark_alls(
    connection: Connection, marks: Sequence[MarkAll], *, skip_busy: bool = False
) -> Answered[MarkedAll]:
    """As mark_items(); no two of one person: see the version that mark_all() answers."""
    environment_ids = [mark.environment_id for mark in marks]
    rows = await connection.fetch(
        MARK_ALLS,
        environment_ids,
        [mark.subscriber_id for mark in marks],
        [mark.watermark for mark in marks],
        [mark.exact for mark in marks],
        [mark.up_to_notification for mark in marks],
        [mark.up_to_broadcast for mark in marks],
        skip_busy,
    )
    return Answered.of(rows, environment_ids, MarkedAll)


class CategoryCounts(msgspec.Struct, frozen=True):
    """categories, unread and unseen run along each other: those with a number above zero, sorted."""

    counts: Counts
    categories: list[str]
    unread: list[int]
    unseen: list[int]


SELECT_COUNTS_BY_CATEGORY: Final = """
SELECT inbox_id, unread, unseen, version, counted_categories, category_unread, category_unseen
FROM counts_by_category($1, $2)
"""


async def select_counts_by_category(
    connection: Connection, environment_id: UUID, subscriber_id: str
) -> CategoryCounts | None:
    row = await connection.fetchrow(SELECT_COUNTS_BY_CATEGORY, environment_id, subscriber_id)
    return None if row is None else CategoryCounts(Counts(*row[:4]), *row[4:])


class Found(msgspec.Struct, frozen=True):
    """row None: not visible to this person."""

    row: Row | None


SELECT_ITEM: Final = """
SELECT found, item, id, category, payload, read, archived FROM inbox_item($1, $2, $3, $4)
"""


async def select_item(
    connection: Connection, environment_id: UUID, subscriber_id: str, *, source: Source, item_id: UUID
) -> Found | None:
    """None for an unknown subscriber."""
    row = await connection.fetchrow(SELECT_ITEM, environment_id, subscriber_id, source, item_id)
    if row is None:
        return None
    found, *values = row
    return Found(Row(source, *values) if found else None)


ASK_ARCHIVE_READ: Final = "SELECT inbox_id FROM ask_archive_read($1, $2)"


async def ask_archive_read(connection: Connection, environment_id: UUID, subscriber_id: str) -> UUID | None:
    """The inbox whose read items a job is going to archive; None for an unknown subscriber."""
    return await connection.fetchval(ASK_ARCHIVE_READ, environment_id, subscriber_id)
