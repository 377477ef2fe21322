"""What the worker does when a time has come: deliver, expire."""

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from app.db.outbox import HintJob
from app.db.pool import Connection

SELECT_NEXT_DELIVERY: Final = "SELECT next_delivery_s()"


async def select_next_delivery(connection: Connection) -> float | None:
    """Seconds until something scheduled is due; None where nothing waits."""
    return await connection.fetchval(SELECT_NEXT_DELIVERY)


DELIVER_DUE: Final = "SELECT environment_id, job_id, job FROM deliver_due($1)"


async def deliver_due(connection: Connection, batch: int) -> list[HintJob]:
    """Delivers about `batch` of the direct items that are due, in one transaction."""
    return owed(await connection.fetch(DELIVER_DUE, batch))


class Outcome(msgspec.Struct, frozen=True):
    """job None: nobody is hinted."""

    job: HintJob | None


DELIVER_DUE_BROADCAST: Final = "SELECT environment_id, job_id, job FROM deliver_due_broadcast()"


async def deliver_due_broadcast(connection: Connection) -> Outcome | None:
    """Delivers one broadcast, or drops it where it expired meanwhile; None where none is due."""
    row = await connection.fetchrow(DELIVER_DUE_BROADCAST)
    return None if row is None else Outcome(HintJob.owed(*row))


SELECT_NEXT_EXPIRY: Final = """
SELECT extract(epoch FROM least(
    (SELECT expires_at FROM notifications WHERE expires_at IS NOT NULL ORDER BY expires_at LIMIT 1),
    (SELECT expires_at FROM broadcasts WHERE expires_at IS NOT NULL ORDER BY expires_at LIMIT 1)
) - clock_timestamp())::float8
"""


async def select_next_expiry(connection: Connection) -> float | None:
    """Seconds until something delivered expires; None where nothing will."""
    return await connection.fetchval(SELECT_NEXT_EXPIRY)


EXPIRE_DUE: Final = "SELECT environment_id, job_id, job FROM expire_due($1)"


async def expire_due(connection: Connection, batch: int) -> list[HintJob]:
    """Removes up to `batch` direct items whose time is over, in one transaction."""
    return owed(await connection.fetch(EXPIRE_DUE, batch))


EXPIRE_DUE_BROADCAST: Final = "SELECT environment_id, job_id, job FROM expire_due_broadcast()"


async def expire_due_broadcast(connection: Connection) -> Outcome | None:
    """Removes one broadcast whose time is over; None where there is none."""
    row = await connection.fetchrow(EXPIRE_DUE_BROADCAST)
    return None if row is None else Outcome(HintJob.owed(*row))


def owed(rows: Sequence[Any]) -> list[HintJob]:
    """The jobs of rows (environment_id, job_id, job); those that hint nobody have none."""
    jobs = [HintJob.owed(*row) for row in rows]
    return [job for job in jobs if job is not None]
