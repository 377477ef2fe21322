"""Large inboxes and what surrounds them, written by SQL as the functions would have left them.

Positions, counters and override states are those of the rules; only the history is made up.
"""

from collections.abc import Callable
from typing import Final
from uuid import UUID

from app.db import environments
from app.db.pool import Connection, fetch_one

MONTHS: Final = 12  # every history reaches back this far, in monthly partitions
RARE: Final = 30  # items of the category `rare`, the oldest of a history
PAYLOAD: Final = (
    '{"title":"Your order has been shipped","body":"It leaves the warehouse today and should be with you'
    ' by Thursday.","action_url":"https://example.com/orders/4711"}'
)
CHUNK: Final = 20_000  # rows in one statement

Progress = Callable[[str, int, int], None]  # what is being made, how many there are, out of how many


def silent(_what: str, _done: int, _total: int) -> None:
    """Shows nothing."""


ENSURE_MONTH: Final = """
SELECT ensure_partition(parent, clock_timestamp() - make_interval(months => ago))
FROM unnest(ARRAY['notifications', 'timeline']) AS parent, generate_series(2, $1) AS ago
"""


async def open_months(connection: Connection) -> None:
    """Makes the partitions of the past that a history needs."""
    await connection.execute(ENSURE_MONTH, MONTHS + 1)


async def create_environment(connection: Connection, slug: str) -> UUID:
    environment_id = await environments.insert_environment(
        connection, slug=slug, name=slug, require_subscriber_hash=False, secret=f"bws_{slug}"
    )
    assert environment_id is not None
    return environment_id


INSERT_PERSON: Final = """
WITH born AS (
    INSERT INTO subscribers (environment_id, id, subscriber_id, created_at)
    SELECT $1, position_at(to_us(t.moment)), $2, t.moment
    FROM (SELECT clock_timestamp() - make_interval(months => $3) AS moment) AS t
    RETURNING *
)
INSERT INTO inboxes (environment_id, id, broadcasts_from, last_position_us, version)
SELECT environment_id, id, position_floor(to_us(created_at)), position_us(id), clock_us() FROM born
RETURNING id
"""

# Item n of $6, oldest first: the first few are `rare`, then a tenth of many categories, then `noise`. Where
# decided, all but the rare ones were read and archived one by one.
INSERT_ITEMS: Final = """
INSERT INTO notifications (environment_id, inbox_id, position, id, read, archived, category, payload)
SELECT $1, $2, made.item, made.item,
       CASE WHEN $3 AND n > $7 THEN true END, CASE WHEN $3 AND n > $7 THEN true END,
       CASE WHEN n <= $7 THEN 'rare' WHEN n <= $7 + $6 / 10 THEN 'common.' || n % 10 ELSE 'noise' END, $8
FROM generate_series($4::bigint, $5::bigint) AS n
CROSS JOIN inboxes i
CROSS JOIN LATERAL (
    SELECT position_at(position_us(i.id) + n * ((clock_us() - position_us(i.id)) / ($6 + 1))) AS item
) AS made
WHERE i.environment_id = $1 AND i.id = $2
"""

# Brings what is kept about an inbox into line with its items.
SETTLE_INBOX: Final = """
WITH settled AS (
    UPDATE inboxes i SET last_position_us = sum.last_us, override_states = sum.states, version = i.version + 1
    FROM (SELECT max(position_us(n.position)) AS last_us, bit_or(1 << n.override_state) AS states
          FROM notifications n WHERE n.environment_id = $1 AND n.inbox_id = $2) AS sum
    WHERE i.environment_id = $1 AND i.id = $2
)
INSERT INTO inbox_categories (environment_id, inbox_id, category, unread, unseen)
SELECT $1, $2, n.category,
       count(*) FILTER (WHERE in_view('unread', n.read, n.archived, n.position,
                                      i.read_notification, i.archive_notification)),
       count(*) FILTER (WHERE n.position > i.seen_notification)
FROM notifications n JOIN inboxes i ON i.environment_id = $1 AND i.id = $2
WHERE n.environment_id = $1 AND n.inbox_id = $2 GROUP BY n.category
"""


async def create_inbox(
    connection: Connection,
    environment_id: UUID,
    subscriber_id: str,
    items: int,
    *,
    decided: bool = False,
    progress: Progress = silent,
) -> UUID:
    """A person with `items` direct items spread evenly over the months; all unread unless decided."""
    inbox_id: UUID = (await fetch_one(connection, INSERT_PERSON, environment_id, subscriber_id, MONTHS))[0]
    for first in range(1, items + 1, CHUNK):
        last = min(first + CHUNK - 1, items)
        await connection.execute(
            INSERT_ITEMS, environment_id, inbox_id, decided, first, last, items, RARE, PAYLOAD
        )
        progress(f"items of {subscriber_id}", last, items)
    await connection.execute(SETTLE_INBOX, environment_id, inbox_id)
    return inbox_id


# People of the day before yesterday, with one item each of yesterday.
INSERT_CROWD: Final = """
WITH born AS (
    INSERT INTO subscribers (environment_id, id, subscriber_id, created_at)
    SELECT $1, position_at(clock_us() - 172800000000), name, clock_timestamp() - interval '2 days'
    FROM unnest($2::text[]) AS name RETURNING *
), item AS MATERIALIZED (
    SELECT b.id AS inbox_id, position_floor(to_us(b.created_at)) AS broadcasts_from,
           position_at(clock_us() - 86400000000 + row_number() OVER ()) AS position
    FROM born b
), visible AS (
    INSERT INTO notifications (environment_id, inbox_id, position, id, category, payload, expires_at)
    SELECT $1, n.inbox_id, n.position, n.position, 'noise', $3, clock_timestamp() + interval '1 year'
    FROM item n
), counted AS (
    INSERT INTO inbox_categories (environment_id, inbox_id, category, unread, unseen)
    SELECT $1, n.inbox_id, 'noise', 1, 1 FROM item n
)
INSERT INTO inboxes (environment_id, id, broadcasts_from, last_position_us, version)
SELECT $1, n.inbox_id, n.broadcasts_from, position_us(n.position), clock_us() FROM item n
"""


async def create_crowd(
    connection: Connection, environment_id: UUID, size: int, *, first: int = 1, progress: Progress = silent
) -> None:
    """Subscribers `crowd-<first>` to `crowd-<size>`, with an item each that expires in a year."""
    for lowest in range(first, size + 1, CHUNK):
        last = min(lowest + CHUNK - 1, size)
        names = [f"crowd-{number}" for number in range(lowest, last + 1)]
        await connection.execute(INSERT_CROWD, environment_id, names, PAYLOAD)
        progress("other people", last, size)


INSERT_BROADCASTS: Final = """
WITH announced AS (
    INSERT INTO broadcasts (environment_id, position, id, category, idempotency_key, payload)
    SELECT $1, made.item, made.item, CASE WHEN n <= 3 THEN 'news.rare' ELSE 'news.' || n % 5 END,
           'news-' || n, $3
    FROM generate_series(1, $2::bigint) AS n
    CROSS JOIN LATERAL (SELECT position_at(clock_us() - 86400000000 + n * 1000) AS item) AS made
    RETURNING position
)
UPDATE broadcast_heads h
SET version = h.version + $2, last_position_us = (SELECT max(position_us(a.position)) FROM announced a)
WHERE h.environment_id = $1
"""


async def create_broadcasts(connection: Connection, environment_id: UUID, size: int) -> None:
    """Broadcasts of the last day, the oldest three in a category of their own."""
    await connection.execute(INSERT_BROADCASTS, environment_id, size, PAYLOAD)


DECIDE_BROADCASTS: Final = """
INSERT INTO broadcast_overrides (environment_id, inbox_id, position, read)
SELECT b.environment_id, $2, b.position, true FROM broadcasts b WHERE b.environment_id = $1
"""


async def decide_broadcasts(connection: Connection, environment_id: UUID, inbox_id: UUID) -> None:
    """One person reads every broadcast there is, one by one."""
    await connection.execute(DECIDE_BROADCASTS, environment_id, inbox_id)


INSERT_BACKLOG: Final = """
INSERT INTO scheduled (environment_id, id, inbox_id, category, payload, created_at, deliver_at, place,
                       idempotency_key)
SELECT $1, made.id, $2, 'noise', $5, clock_timestamp(), made.due, waiting_place(made.due, made.id),
       'wait-' || n
FROM generate_series($3::bigint, $4::bigint) AS n
CROSS JOIN LATERAL (SELECT position_at(clock_us()) AS id,
                           clock_timestamp() + interval '1 day' + n * interval '1 second' AS due) AS made
"""


async def create_backlog(
    connection: Connection, environment_id: UUID, inbox_id: UUID, size: int, *, progress: Progress = silent
) -> None:
    """Items of one person that wait to be delivered, from tomorrow on."""
    for first in range(1, size + 1, CHUNK):
        last = min(first + CHUNK - 1, size)
        await connection.execute(INSERT_BACKLOG, environment_id, inbox_id, first, last, PAYLOAD)
        progress("scheduled items", last, size)


INSERT_JOBS: Final = """
INSERT INTO outbox (environment_id, id, job_type, payload, run_at)
SELECT $1, position_at(clock_us()), 'hint',
       hint_payload('notification', 'notification', clock_us(), '[]', NULL),
       clock_timestamp() + interval '1 hour'
FROM generate_series(1, $2::bigint)
"""


async def create_jobs(connection: Connection, environment_id: UUID, size: int) -> None:
    """Hint jobs that nobody may take for an hour."""
    await connection.execute(INSERT_JOBS, environment_id, size)


INSERT_DEAD_LETTERS: Final = """
INSERT INTO dead_letters (environment_id, id, job_type, payload, attempts, last_error)
SELECT $1, position_at(clock_us()), 'hint', '{}', 10, 'refused' FROM generate_series(1, $2::bigint)
"""


async def create_dead_letters(connection: Connection, environment_id: UUID, size: int) -> None:
    await connection.execute(INSERT_DEAD_LETTERS, environment_id, size)


async def analyze(connection: Connection) -> None:
    await connection.execute("VACUUM ANALYZE")
