"""Inboxes with a past: items, broadcasts and what was done about them, as of any moment."""

from datetime import datetime
from typing import Final
from uuid import UUID

from app.db.pool import Connection

# An inbox is as old as its id says, and may hold items with any override.
_PEOPLE: Final = """
WITH born AS (
    INSERT INTO subscribers (environment_id, id, subscriber_id, created_at)
    SELECT $1, position_at(to_us($3)), 'person-' || n, $3 FROM generate_series(1, $2::int) n
    ON CONFLICT (environment_id, subscriber_id) DO NOTHING
    RETURNING id
)
INSERT INTO inboxes (environment_id, id, broadcasts_from, override_states, last_position_us, version)
SELECT $1, id, position_floor(to_us($3)), 511, to_us($3), clock_us() FROM born
"""

# Every third read one by one, every fifth archived, in two categories; with their timelines and counters.
_ITEMS: Final = """
WITH item AS (
    INSERT INTO notifications (environment_id, inbox_id, position, id, category, payload, read, archived)
    SELECT i.environment_id, i.id, w.position, w.position, 'c' || n % 2, '{}',
           CASE WHEN n % 3 = 0 THEN true END, CASE WHEN n % 5 = 0 THEN true END
    FROM inboxes i, generate_series(1, $3::int) n,
         LATERAL (SELECT position_at(to_us($2) + n * 1000) AS position WHERE i.id IS NOT NULL) w
    WHERE i.environment_id = $1
    RETURNING *
), told AS (
    INSERT INTO timeline (environment_id, position, status, occurred_at)
    SELECT environment_id, position, 'read', $2 FROM item WHERE read
), counted AS (
    INSERT INTO inbox_categories AS c (environment_id, inbox_id, category, unread, unseen)
    SELECT environment_id, inbox_id, category,
           count(*) FILTER (WHERE read IS NULL AND archived IS NULL), count(*)
    FROM item GROUP BY 1, 2, 3
    ON CONFLICT (environment_id, inbox_id, category)
        DO UPDATE SET unread = c.unread + excluded.unread, unseen = c.unseen + excluded.unseen
)
SELECT count(*) FROM item
"""

_BROADCASTS: Final = """
INSERT INTO broadcasts (environment_id, position, id, category, idempotency_key, payload)
SELECT $1, w.position, w.position, 'news', n::text, '{}'
FROM generate_series(1, $3::int) n,
     LATERAL (SELECT position_at(to_us($2) + n * 1000) AS position WHERE n > 0) w
"""

_MOVE: Final = """
WITH head AS (
    UPDATE broadcast_heads SET last_position_us = greatest(last_position_us, to_us($2) + $3 * 1000)
    WHERE environment_id = $1
)
UPDATE inboxes SET last_position_us = greatest(last_position_us, to_us($2) + $3 * 1000)
WHERE environment_id = $1
"""

_ENSURE_PARTITIONS: Final = """
SELECT ensure_partition(parent::text, $1) FROM monthly_tables() AS parent
"""


async def write_history(
    connection: Connection,
    environment_id: UUID,
    moments: list[datetime],
    *,
    people: int = 3,
    items: int = 30,
    broadcasts: int = 2,
) -> None:
    """For each moment `items` items for each of person-1 to person-n, and some broadcasts."""
    await connection.execute(_PEOPLE, environment_id, people, min(moments))
    for moment in moments:
        await connection.execute(_ENSURE_PARTITIONS, moment)
        assert await connection.fetchval(_ITEMS, environment_id, moment, items) == people * items
        await connection.execute(_BROADCASTS, environment_id, moment, broadcasts)
        await connection.execute(_MOVE, environment_id, moment, max(items, broadcasts))


TABLES: Final = ("notifications", "timeline", "published_hint_jobs")


async def partitions(connection: Connection) -> list[str]:
    """The names of all tables that are, or were, partitions."""
    rows = await connection.fetch(
        "SELECT relname FROM pg_class WHERE relkind = 'r' AND relname ~ $1 ORDER BY 1",
        f"^({'|'.join(TABLES)})_[0-9]{{4}}_[0-9]{{2}}$",
    )
    return [row[0] for row in rows]
