"""One person's inbox as an operator looks it up: everything about it, of one instant."""

from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec

from app.contract import timestamps
from app.db import inbox
from app.db.inbox import Row
from app.db.pool import Connection


class Positions(msgspec.Struct, frozen=True):
    """A watermark, by source; None where it covers nothing that this person ever had."""

    notification: UUID | None
    broadcast: UUID | None


class SubscriberState(msgspec.Struct, frozen=True):
    """muted: categories, sorted. rows: the first page, as this person gets it."""

    created_at: datetime
    unread: int
    unseen: int
    version: int
    read: Positions
    seen: Positions
    archive: Positions
    muted: list[str]
    rows: list[Row]


PAGE: Final = 20  # as the inbox's own

# OFFSET 0 has the one inbox looked up by its key, whatever the tables held when the plan was made.
SELECT_STATE: Final = """
SELECT s.created_at, c.unread, c.unseen, c.version,
       i.read_notification, i.read_broadcast, i.seen_notification, i.seen_broadcast,
       i.archive_notification, i.archive_broadcast, i.id, i.broadcasts_from,
       ARRAY(SELECT p.category FROM preferences p
             WHERE p.environment_id = $1 AND p.inbox_id = i.id ORDER BY 1),
       page.*
FROM subscribers s
CROSS JOIN LATERAL (SELECT * FROM inboxes one WHERE one.environment_id = $1 AND one.id = s.id OFFSET 0) AS i
CROSS JOIN LATERAL inbox_counts($1, ARRAY[i.id]) AS c
CROSS JOIN LATERAL inbox_pages(
    ARRAY[$1::uuid], ARRAY[$2::text], '{default}', '{}', '{}', '{}', ARRAY[$3::integer], '{""}', '{}') AS page
WHERE s.environment_id = $1 AND s.subscriber_id = $2
"""


async def select_state(
    connection: Connection, environment_id: UUID, subscriber_id: str
) -> SubscriberState | None:
    """None for an unknown subscriber."""
    row = await connection.fetchrow(SELECT_STATE, environment_id, subscriber_id, PAGE)
    if row is None:
        return None
    created_at, unread, unseen, version, *watermarks, made, broadcasts_from = row[:12]
    return SubscriberState(
        created_at=created_at,
        unread=unread,
        unseen=unseen,
        version=version,
        read=_covered(watermarks[0], watermarks[1], made, broadcasts_from),
        seen=_covered(watermarks[2], watermarks[3], made, broadcasts_from),
        archive=_covered(watermarks[4], watermarks[5], made, broadcasts_from),
        muted=row[12],
        rows=inbox.to_page(row[14:]).rows,
    )


def _covered(notification: UUID, broadcast: UUID, made: UUID, broadcasts_from: UUID) -> Positions:
    """A watermark that moved while there was nothing stands where the inbox begins, or before.

    Each direct item is later than the moment the inbox was made, and no broadcast in it is from before
    broadcasts_from.
    """
    has_notification = timestamps.position_us(notification) > timestamps.position_us(made)
    return Positions(
        notification if has_notification else None, broadcast if broadcast >= broadcasts_from else None
    )
