"""Subscribers: people, by the customer's own id; their inbox comes with them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec

from app.db.pool import Connection

ENSURE_SUBSCRIBERS: Final = (
    "SELECT ensure_subscribers(array_fill($1::uuid, ARRAY[cardinality($2::text[])]), $2, $3)"
)


async def ensure_subscribers(
    connection: Connection,
    environment_id: UUID,
    subscriber_ids: Sequence[str],
    created_at: datetime | None = None,
) -> None:
    """Creates those that are missing, with created_at (now where None)."""
    await connection.execute(ENSURE_SUBSCRIBERS, environment_id, subscriber_ids, created_at)


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
FROM subscribers s
JOIN inbox_counts($1, ARRAY(SELECT t.id FROM subscribers t
                            WHERE t.environment_id = $1 AND t.subscriber_id = ANY ($2))) c
    ON c.inbox_id = s.id
WHERE s.environment_id = $1
"""


async def select_inboxes(
    connection: Connection, environment_id: UUID, subscriber_ids: Sequence[str]
) -> list[Inbox]:
    """The inboxes of those subscribers that exist, in any order."""
    return [Inbox(*row) for row in await connection.fetch(SELECT_INBOXES, environment_id, subscriber_ids)]


SELECT_MUTED: Final = "SELECT category FROM preferences WHERE environment_id = $1 AND inbox_id = $2"


async def select_muted(connection: Connection, environment_id: UUID, inbox_id: UUID) -> list[str]:
    return [row[0] for row in await connection.fetch(SELECT_MUTED, environment_id, inbox_id)]
