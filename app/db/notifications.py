"""Direct items: one call sends any number of requests."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

import msgspec

from app.db.outbox import Answered
from app.db.pool import Connection

Verdict = Literal[
    "created", "replayed", "conflict", "deliver_at_past", "deliver_at_far", "expires_at_past", "busy"
]


class Draft(msgspec.Struct, frozen=True):
    """A request to send. recipients are distinct; payload is the JSON text as it was sent."""

    environment_id: UUID
    idempotency_key: str
    fingerprint: bytes
    recipients: list[str]
    category: str
    payload: str
    deliver_at: datetime | None
    expires_at: datetime | None


class Outcome(msgspec.Struct, frozen=True):
    """ids run along the draft's recipients; None where refused."""

    verdict: Verdict
    ids: list[UUID] | None


SEND_NOTIFICATIONS: Final = """
SELECT request, status, ids, job_id, job
FROM send_notifications($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
"""


async def send_notifications(
    connection: Connection, drafts: Sequence[Draft], *, skip_busy: bool = False
) -> Answered[Outcome]:
    """All of them in one transaction; no two with the same key of one environment.

    skip_busy: a request that names an inbox which another transaction holds is `busy` instead of waiting.
    """
    environment_ids = [draft.environment_id for draft in drafts]
    rows = await connection.fetch(
        SEND_NOTIFICATIONS,
        environment_ids,
        [draft.idempotency_key for draft in drafts],
        [draft.fingerprint for draft in drafts],
        [draft.category for draft in drafts],
        [draft.payload for draft in drafts],
        _given([draft.deliver_at for draft in drafts]),
        _given([draft.expires_at for draft in drafts]),
        [at for at, draft in enumerate(drafts, 1) for _ in draft.recipients],
        [recipient for draft in drafts for recipient in draft.recipients],
        skip_busy,
    )
    return Answered.of(rows, environment_ids, Outcome)


def _given(times: list[datetime | None]) -> list[datetime | None] | None:
    """None where none is, as of most: an array is encoded element by element."""
    return times if any(times) else None
