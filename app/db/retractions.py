"""Cancelling what waits, retracting what was delivered."""

from collections.abc import Sequence
from typing import Final, Literal
from uuid import UUID

import msgspec

from app.db.outbox import HintJob
from app.db.pool import Connection, fetch_one


class Withdrawn(msgspec.Struct, frozen=True):
    """count: how many were cancelled or retracted. job: the hint job owed, if any."""

    count: int
    job: HintJob | None


RETRACT_NOTIFICATIONS: Final = "SELECT withdrawn, job_id, job FROM retract_notifications($1, $2)"


async def retract_notifications(
    connection: Connection, environment_id: UUID, notification_ids: Sequence[UUID]
) -> Withdrawn:
    row = await fetch_one(connection, RETRACT_NOTIFICATIONS, environment_id, notification_ids)
    count, job_id, job = row
    return Withdrawn(count, HintJob.owed(environment_id, job_id, job))


RETRACT_BATCH: Final = "SELECT withdrawn, job_id, job FROM retract_batch($1, $2)"


async def retract_batch(
    connection: Connection, environment_id: UUID, idempotency_key: str
) -> Withdrawn | None:
    """None where the key is unknown."""
    row = await connection.fetchrow(RETRACT_BATCH, environment_id, idempotency_key)
    if row is None:
        return None
    count, job_id, job = row
    return Withdrawn(count, HintJob.owed(environment_id, job_id, job))


class WithdrawnBroadcast(msgspec.Struct, frozen=True):
    """job: the hint job owed, if any."""

    status: Literal["cancelled", "retracted", "not_found"]
    job: HintJob | None


RETRACT_BROADCAST: Final = "SELECT status, job_id, job FROM retract_broadcast($1, $2)"


async def retract_broadcast(
    connection: Connection, environment_id: UUID, broadcast_id: UUID
) -> WithdrawnBroadcast:
    row = await fetch_one(connection, RETRACT_BROADCAST, environment_id, broadcast_id)
    status, job_id, job = row
    return WithdrawnBroadcast(status, HintJob.owed(environment_id, job_id, job))
