"""Broadcasts: one row each, whatever the number of subscribers."""

from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec

from app.db.notifications import Verdict
from app.db.outbox import HintJob
from app.db.pool import Connection, fetch_one


class Outcome(msgspec.Struct, frozen=True):
    """id and created_us: of the first time where replayed, None where refused. job: the hint job owed."""

    verdict: Verdict
    id: UUID | None
    created_us: int | None
    job: HintJob | None


SEND_BROADCAST: Final = (
    "SELECT status, id, created_us, job_id, job FROM send_broadcast($1, $2, $3, $4, $5, $6, $7)"
)


async def send_broadcast(
    connection: Connection,
    environment_id: UUID,
    *,
    idempotency_key: str,
    fingerprint: bytes,
    category: str,
    payload: str,
    deliver_at: datetime | None,
    expires_at: datetime | None,
) -> Outcome:
    row = await fetch_one(
        connection,
        SEND_BROADCAST,
        environment_id,
        idempotency_key,
        fingerprint,
        category,
        payload,
        deliver_at,
        expires_at,
    )
    status, broadcast_id, created_us, job_id, job = row
    return Outcome(status, broadcast_id, created_us, HintJob.owed(environment_id, job_id, job))
