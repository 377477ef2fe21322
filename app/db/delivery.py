"""What the worker does when a time has come: deliver, expire.

set_aside: ids (of delivered items: positions) that are to be passed over.
"""

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

import msgspec

from app.db.outbox import HintJob
from app.db.pool import Connection


class Item(msgspec.Struct, frozen=True):
    """id: of what was delivered directly, its position."""

    environment_id: UUID
    id: UUID


SELECT_NEXT_DELIVERY: Final = "SELECT next_delivery_s($1)"


async def select_next_delivery(connection: Connection, set_aside: Sequence[UUID] = ()) -> float | None:
    """Seconds until something scheduled is due; None where nothing waits."""
    return await connection.fetchval(SELECT_NEXT_DELIVERY, set_aside)


DELIVER_DUE: Final = "SELECT environment_id, job_id, job FROM deliver_due($1, $2)"


async def deliver_due(connection: Connection, batch: int, set_aside: Sequence[UUID] = ()) -> list[HintJob]:
    """Delivers about `batch` of the direct items that are due, in one transaction."""
    return owed(await connection.fetch(DELIVER_DUE, batch, set_aside))


SELECT_DUE: Final = "SELECT environment_id, id FROM hold_due($1, $2)"


async def select_due(connection: Connection, batch: int, set_aside: Sequence[UUID]) -> list[Item]:
    """What deliver_due() would deliver."""
    return [Item(*row) for row in await connection.fetch(SELECT_DUE, batch, set_aside)]


DELIVER_ONE: Final = "SELECT environment_id, job_id, job FROM deliver_one($1, $2)"


async def deliver_one(connection: Connection, item: Item) -> list[HintJob]:
    """Delivers a direct item that waits, unless it is gone or in other hands."""
    return owed(await connection.fetch(DELIVER_ONE, item.environment_id, item.id))


SELECT_DUE_BROADCASTS: Final = "SELECT environment_id, id FROM due_broadcasts($1)"


async def select_due_broadcasts(connection: Connection, set_aside: Sequence[UUID]) -> list[Item]:
    """Those that are due, the first of each environment."""
    return [Item(*row) for row in await connection.fetch(SELECT_DUE_BROADCASTS, set_aside)]


DELIVER_ONE_BROADCAST: Final = "SELECT environment_id, job_id, job FROM deliver_one_broadcast($1, $2)"


async def deliver_one_broadcast(connection: Connection, item: Item) -> list[HintJob]:
    """Delivers it, or drops it where it expired meanwhile; unless it is gone or in other hands."""
    return owed(await connection.fetch(DELIVER_ONE_BROADCAST, item.environment_id, item.id))


SELECT_NEXT_EXPIRY: Final = """
SELECT extract(epoch FROM least(
    (SELECT expires_at FROM notifications
     WHERE expires_at IS NOT NULL AND position <> ALL ($1::uuid[]) ORDER BY expires_at LIMIT 1),
    (SELECT expires_at FROM broadcasts
     WHERE expires_at IS NOT NULL AND id <> ALL ($1::uuid[]) ORDER BY expires_at LIMIT 1)
) - clock_timestamp())::float8
"""


async def select_next_expiry(connection: Connection, set_aside: Sequence[UUID] = ()) -> float | None:
    """Seconds until something delivered expires; None where nothing will."""
    return await connection.fetchval(SELECT_NEXT_EXPIRY, set_aside)


class Removed(msgspec.Struct, frozen=True):
    """number: how many items. jobs: the hint jobs owed."""

    number: int
    jobs: list[HintJob]

    @classmethod
    def of(cls, rows: Sequence[Any]) -> "Removed":
        """Of rows (environment_id, job_id, job, removed)."""
        return cls(sum(row[3] for row in rows), owed([row[:3] for row in rows]))


EXPIRE_DUE: Final = "SELECT environment_id, job_id, job, removed FROM expire_due($1, $2)"


async def expire_due(connection: Connection, batch: int, set_aside: Sequence[UUID] = ()) -> Removed:
    """Removes up to `batch` direct items whose time is over, in one transaction."""
    return Removed.of(await connection.fetch(EXPIRE_DUE, batch, set_aside))


SELECT_EXPIRED: Final = "SELECT environment_id, position FROM expired_items($1, $2)"


async def select_expired(connection: Connection, batch: int, set_aside: Sequence[UUID]) -> list[Item]:
    """What expire_due() would remove."""
    return [Item(*row) for row in await connection.fetch(SELECT_EXPIRED, batch, set_aside)]


REMOVE_ONE: Final = (
    "SELECT environment_id, job_id, job FROM remove_items(ARRAY[$1::uuid], ARRAY[$2::uuid], $3)"
)


async def remove_one(connection: Connection, item: Item, reason: str) -> list[HintJob]:
    """Removes a delivered direct item, unless it is gone. reason: of the hint, expired or resync."""
    return owed(await connection.fetch(REMOVE_ONE, item.environment_id, item.id, reason))


SELECT_EXPIRED_BROADCASTS: Final = "SELECT environment_id, id FROM expired_broadcasts($1)"


async def select_expired_broadcasts(connection: Connection, set_aside: Sequence[UUID]) -> list[Item]:
    """Some of those whose time is over."""
    return [Item(*row) for row in await connection.fetch(SELECT_EXPIRED_BROADCASTS, set_aside)]


REMOVE_ONE_BROADCAST: Final = "SELECT $1::uuid, job_id, job FROM remove_broadcast($1, $2, 'expired')"


async def remove_one_broadcast(connection: Connection, item: Item) -> list[HintJob]:
    """Removes a delivered broadcast from everybody, unless it is gone."""
    return owed(await connection.fetch(REMOVE_ONE_BROADCAST, item.environment_id, item.id))


def owed(rows: Sequence[Any]) -> list[HintJob]:
    """The jobs of rows (environment_id, job_id, job); those that hint nobody have none."""
    jobs = [HintJob.owed(*row) for row in rows]
    return [job for job in jobs if job is not None]
