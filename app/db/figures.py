"""What operators watch: how much waits, what failed, whether the counters are right. Bounded, each of it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, get_args

import msgspec

from app.db.outbox import JobType
from app.db.pool import Connection, fetch_one

MOST: Final = 100_000  # nothing is counted past it
JOB_TYPES: Final[Sequence[str]] = get_args(JobType)


class Queue(msgspec.Struct, frozen=True):
    """The jobs of one type in one environment. due: those whose time has come."""

    environment: str
    job_type: str
    depth: int
    due: int


SELECT_QUEUES: Final = """
SELECT e.slug, kind.job_type, load.depth, load.due
FROM unnest($1::text[]) AS kind (job_type)
CROSS JOIN LATERAL environments_with_jobs(kind.job_type) AS tenant (environment_id)
CROSS JOIN LATERAL (
    SELECT count(*) AS depth, count(*) FILTER (WHERE job.run_at <= clock_timestamp()) AS due
    FROM (SELECT o.run_at FROM outbox_by_time o
          WHERE o.job_type = kind.job_type AND o.environment_id = tenant.environment_id
          ORDER BY o.run_at LIMIT $2) AS job) AS load
JOIN environments e ON e.id = tenant.environment_id
"""


async def select_queues(connection: Connection) -> list[Queue]:
    """Of each environment that has jobs, by type."""
    return [Queue(*row) for row in await connection.fetch(SELECT_QUEUES, JOB_TYPES, MOST)]


SELECT_DEAD_LETTER_COUNTS: Final = """
SELECT d.job_type, count(*)
FROM (SELECT job_type FROM dead_letters ORDER BY parked_at, id LIMIT $1) AS d
GROUP BY d.job_type
"""


async def select_dead_letter_counts(connection: Connection) -> dict[str, int]:
    """By job type."""
    return dict(await connection.fetch(SELECT_DEAD_LETTER_COUNTS, MOST))


class Moment(msgspec.Struct, frozen=True):
    """now: the database's clock."""

    now: datetime
    environments: int


SELECT_MOMENT: Final = """
SELECT clock_timestamp(), (SELECT count(*) FROM (SELECT FROM environments LIMIT $1) AS e)
"""


async def select_moment(connection: Connection) -> Moment:
    return Moment(*await fetch_one(connection, SELECT_MOMENT, MOST))


SELECT_PARTITIONS_REMAINING: Final = "SELECT parent, remaining FROM partitions_remaining()"


async def select_partitions_remaining(connection: Connection) -> dict[str, int]:
    """Monthly partitions that begin after now, by table."""
    return dict(await connection.fetch(SELECT_PARTITIONS_REMAINING))


class Drift(msgspec.Struct, frozen=True):
    """How many maintained counters differ from the items they count."""

    unread: int
    unseen: int


SAMPLE: Final = 20  # inboxes
_CATEGORIES: Final = 20  # of each
_ITEMS: Final = 200  # counted of each counter

SELECT_DRIFT: Final = """
SELECT count(*) FILTER (WHERE r.unread <> r.unread_items), count(*) FILTER (WHERE r.unseen <> r.unseen_items)
FROM sample_inboxes($1) AS box CROSS JOIN LATERAL recount(box, $2, $3) AS r
"""


async def select_drift(connection: Connection) -> Drift:
    """Of a few inboxes picked at random, each time others."""
    return Drift(*await fetch_one(connection, SELECT_DRIFT, SAMPLE, _CATEGORIES, _ITEMS))
