"""Subscribers: people, by the customer's own id; their inbox comes with them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec

from app.db.outbox import HintJob
from app.db.pool import Connection, fetch_one

SELECT_CREATED_AT: Final = (
    "SELECT created_at FROM subscribers WHERE environment_id = $1 AND subscriber_id = $2"
)


async def select_created_at(
    connection: Connection, environment_id: UUID, subscriber_id: str
) -> datetime | None:
    return await connection.fetchval(SELECT_CREATED_AT, environment_id, subscriber_id)


class Inbox(msgspec.Struct, frozen=True):
    """What a connection needs to know when it opens; muted lists categories."""

    subscriber_id: str
    inbox_id: UUID
    unread: int
    unseen: int
    version: int
    muted: list[str]


# The inboxes and their counts are of one snapshot.
SELECT_INBOXES: Final = """
SELECT s.subscriber_id, s.id, c.unread, c.unseen, c.version,
       ARRAY(SELECT p.category FROM preferences p WHERE p.environment_id = $1 AND p.inbox_id = s.id)
FROM subscribers s CROSS JOIN LATERAL inbox_counts($1, ARRAY[s.id]) c
WHERE s.environment_id = $1 AND s.subscriber_id = ANY ($2)
"""


async def select_inboxes(
    connection: Connection, environment_id: UUID, subscriber_ids: Sequence[str]
) -> list[Inbox]:
    """The inboxes of those subscribers that exist, in any order."""
    return [Inbox(*row) for row in await connection.fetch(SELECT_INBOXES, environment_id, subscriber_ids)]


SELECT_MUTED: Final = "SELECT category FROM preferences WHERE environment_id = $1 AND inbox_id = $2"


async def select_muted(connection: Connection, environment_id: UUID, inbox_id: UUID) -> list[str]:
    return [row[0] for row in await connection.fetch(SELECT_MUTED, environment_id, inbox_id)]


class Person(msgspec.Struct, frozen=True):
    subscriber_id: str
    created_at: datetime
    id: UUID


SELECT_SUBSCRIBERS: Final = """
SELECT subscriber_id, created_at, id FROM subscribers_by_age
WHERE environment_id = $1 AND (created_at, id) < (coalesce($2::timestamptz, 'infinity'), $3::uuid)
ORDER BY created_at DESC, id DESC LIMIT $4
"""


async def select_subscribers(
    connection: Connection, environment_id: UUID, *, before: tuple[datetime, UUID] | None, limit: int
) -> list[Person]:
    """Newest first. before: created_at and id of the last one of the page before."""
    created_at, last_id = before or (None, UUID(int=0))
    rows = await connection.fetch(SELECT_SUBSCRIBERS, environment_id, created_at, last_id, limit)
    return [Person(*row) for row in rows]


INSERT_SUBSCRIBERS: Final = "SELECT insert_subscribers($1, $2, $3)"


async def insert_subscribers(
    connection: Connection, environment_id: UUID, rows: Sequence[tuple[str, datetime | None]]
) -> int:
    """Creates those that are missing, with created_at (now where None); how many those were.

    The first of a repeated id counts.
    """
    created = await connection.fetchval(
        INSERT_SUBSCRIBERS,
        environment_id,
        [subscriber_id for subscriber_id, _ in rows],
        [created_at for _, created_at in rows],
    )
    return created or 0


class Erased(msgspec.Struct, frozen=True):
    """job: the hint job by which gateways find that the inbox is gone."""

    job: HintJob | None


ERASE_SUBSCRIBER: Final = "SELECT job_id, job FROM erase_subscriber($1, $2)"


async def erase_subscriber(connection: Connection, environment_id: UUID, subscriber_id: str) -> Erased | None:
    """None where there is no such subscriber."""
    row = await connection.fetchrow(ERASE_SUBSCRIBER, environment_id, subscriber_id)
    return None if row is None else Erased(HintJob.owed(environment_id, row[0], row[1]))


class Audience(msgspec.Struct, frozen=True):
    """muted: those of them who have muted the category. is_exact False: there are more than were counted."""

    subscribers: int
    muted: int
    is_exact: bool


MOST_COUNTED: Final = 100_000

COUNT_AUDIENCE: Final = """
SELECT (SELECT count(*) FROM (SELECT FROM subscribers s WHERE s.environment_id = $1 LIMIT $3 + 1) AS found),
       (SELECT count(*) FROM (SELECT FROM preferences p
                              WHERE p.environment_id = $1 AND p.category = $2 AND p.category >= ''
                              LIMIT $3 + 1) AS found)
"""


async def count_audience(connection: Connection, environment_id: UUID, category: str | None) -> Audience:
    """Counted up to 100 000 each. category None: nobody has muted it."""
    people, muted = await fetch_one(connection, COUNT_AUDIENCE, environment_id, category, MOST_COUNTED)
    return Audience(
        min(people, MOST_COUNTED), min(muted, MOST_COUNTED), is_exact=max(people, muted) <= MOST_COUNTED
    )
