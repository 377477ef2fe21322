"""Jobs parked after their last attempt."""

from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec

from app.db.pool import Connection, fetch_one


class DeadLetter(msgspec.Struct, frozen=True):
    id: UUID
    environment_slug: str
    job_type: str
    attempts: int
    last_error: str
    parked_at: datetime


SELECT_DEAD_LETTERS: Final = """
SELECT d.id, e.slug, d.job_type, d.attempts, d.last_error, d.parked_at
FROM dead_letters d
CROSS JOIN LATERAL (SELECT one.slug FROM environments one WHERE one.id = d.environment_id LIMIT 1) AS e
WHERE (d.parked_at, d.id) > (coalesce($1::timestamptz, '-infinity'), $2)
  AND ($3::uuid IS NULL OR d.environment_id = $3)
ORDER BY d.parked_at, d.id LIMIT $4
"""


async def select_dead_letters(
    connection: Connection,
    *,
    after: tuple[datetime, UUID] | None,
    limit: int,
    environment_id: UUID | None = None,
) -> list[DeadLetter]:
    """Oldest first. after: parked_at and id of the last one of the page before. environment_id None: any."""
    parked_at, last_id = after or (None, UUID(int=0))
    rows = await connection.fetch(SELECT_DEAD_LETTERS, parked_at, last_id, environment_id, limit)
    return [DeadLetter(*row) for row in rows]


REPLAY_DEAD_LETTERS: Final = "SELECT replay_dead_letters($1, $2)"


async def replay_dead_letters(
    connection: Connection, *, environment_id: UUID | None = None, job_id: UUID | None = None
) -> int:
    """Puts them back as they were, with fresh attempts; how many. None: any."""
    replayed: int = (await fetch_one(connection, REPLAY_DEAD_LETTERS, environment_id, job_id))[0]
    return replayed


SELECT_ENVIRONMENT_OF: Final = """
SELECT e.slug FROM dead_letters d JOIN environments e ON e.id = d.environment_id WHERE d.id = $1
"""


async def select_environment_of(connection: Connection, job_id: UUID) -> str | None:
    """Its slug; None where there is no such dead letter."""
    return await connection.fetchval(SELECT_ENVIRONMENT_OF, job_id)
