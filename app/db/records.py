"""Notifications and broadcasts as a backend sees them, waiting ones included."""

from datetime import datetime
from typing import Final, Literal
from uuid import UUID

import msgspec

from app.db.pool import Connection

Status = Literal["scheduled", "delivered"]

LOWEST: Final = UUID(int=0)
HIGHEST: Final = UUID(int=(1 << 128) - 1)


class NotificationRecord(msgspec.Struct, frozen=True):
    """place orders records, newest first; visible_at is None while it waits."""

    place: UUID
    id: UUID
    subscriber_id: str
    category: str
    payload: str
    status: Status
    created_at: datetime
    deliver_at: datetime | None
    visible_at: datetime | None
    expires_at: datetime | None
    read: bool
    archived: bool


SELECT_NOTIFICATION: Final = """
SELECT r.place, r.id, r.subscriber_id, r.category, r.payload, r.status, r.created_at, r.deliver_at,
       r.visible_at, r.expires_at, r.read, r.archived
FROM notification_records r
WHERE r.environment_id = $1 AND r.id = $2
  AND r.place = coalesce((SELECT w.place FROM scheduled w WHERE w.environment_id = $1 AND w.id = $2),
                         notification_position($1, $2))
"""


async def select_notification(
    connection: Connection, environment_id: UUID, notification_id: UUID
) -> NotificationRecord | None:
    row = await connection.fetchrow(SELECT_NOTIFICATION, environment_id, notification_id)
    return None if row is None else NotificationRecord(*row)


# OFFSET 0 has each place looked up by itself; joined, the view would be read whole.
SELECT_NOTIFICATIONS: Final = """
SELECT r.place, r.id, r.subscriber_id, r.category, r.payload, r.status, r.created_at, r.deliver_at,
       r.visible_at, r.expires_at, r.read, r.archived
FROM (
    SELECT e.place, e.status FROM environment_places($1, $3, $4, $5, $6, $7) AS e WHERE $2::text IS NULL
    UNION ALL
    SELECT i.place, i.status FROM subscribers s
    CROSS JOIN LATERAL inbox_places($1, s.id, $3, $4, $5, $6, $7) AS i
    WHERE s.environment_id = $1 AND s.subscriber_id = $2
    ORDER BY place DESC LIMIT $7
) AS p
CROSS JOIN LATERAL (SELECT * FROM notification_records one
                    WHERE one.environment_id = $1 AND one.place = p.place
                      AND one.status = p.status OFFSET 0) AS r
ORDER BY r.place DESC
"""


async def select_notifications(
    connection: Connection,
    environment_id: UUID,
    *,
    subscriber_id: str | None,
    category: str | None,
    status: Status | None,
    lowest: UUID,
    below: UUID,
    limit: int,
) -> list[NotificationRecord]:
    """Newest first, lowest <= place < below; None filters nothing."""
    rows = await connection.fetch(
        SELECT_NOTIFICATIONS, environment_id, subscriber_id, category, status, lowest, below, limit
    )
    return [NotificationRecord(*row) for row in rows]


class Timeline(msgspec.Struct, frozen=True):
    """statuses and times run along each other, oldest first."""

    subscriber_id: str
    statuses: list[str]
    times: list[datetime]


SELECT_TIMELINE: Final = "SELECT subscriber_id, statuses, times FROM notification_timeline($1, $2)"


async def select_timeline(
    connection: Connection, environment_id: UUID, notification_id: UUID
) -> Timeline | None:
    row = await connection.fetchrow(SELECT_TIMELINE, environment_id, notification_id)
    return None if row is None else Timeline(*row)


class BroadcastRecord(msgspec.Struct, frozen=True):
    """As NotificationRecord."""

    place: UUID
    id: UUID
    category: str
    payload: str
    status: Status
    created_at: datetime
    deliver_at: datetime | None
    visible_at: datetime | None
    expires_at: datetime | None
    idempotency_key: str


SELECT_BROADCAST: Final = """
SELECT place, id, category, payload, status, created_at, deliver_at, visible_at, expires_at, idempotency_key
FROM broadcast_records
WHERE environment_id = $1 AND id = $2 AND id >= '00000000-0000-0000-0000-000000000000'
"""


async def select_broadcast(
    connection: Connection, environment_id: UUID, broadcast_id: UUID
) -> BroadcastRecord | None:
    row = await connection.fetchrow(SELECT_BROADCAST, environment_id, broadcast_id)
    return None if row is None else BroadcastRecord(*row)


SELECT_BROADCASTS: Final = """
SELECT place, id, category, payload, status, created_at, deliver_at, visible_at, expires_at, idempotency_key
FROM broadcast_records
WHERE environment_id = $1 AND ($2::text IS NULL OR status = $2) AND place < $3
ORDER BY place DESC LIMIT $4
"""


async def select_broadcasts(
    connection: Connection, environment_id: UUID, *, status: Status | None, below: UUID, limit: int
) -> list[BroadcastRecord]:
    """Newest first."""
    rows = await connection.fetch(SELECT_BROADCASTS, environment_id, status, below, limit)
    return [BroadcastRecord(*row) for row in rows]
