"""Has the time come of what waits, without anybody waiting for it."""

from datetime import UTC, datetime, timedelta
from typing import Final

from app.db.pool import Pool
from tests.app.concurrency.backend import uuid_of

# In the order in which everybody else takes these rows.
MAKE_DUE: Final = """
WITH held AS MATERIALIZED (SELECT id FROM scheduled WHERE id = ANY ($1) ORDER BY id FOR UPDATE)
UPDATE scheduled s SET deliver_at = s.created_at, place = waiting_place(s.created_at, s.id)
FROM held WHERE s.id = held.id
"""


def later() -> datetime:
    """A deliver_at that does not come by itself while a test runs."""
    return datetime.now(UTC) + timedelta(hours=1)


async def make_due(pool: Pool, *items: str) -> None:
    """These scheduled items are due now."""
    await pool.execute(MAKE_DUE, [uuid_of(item) for item in items])
