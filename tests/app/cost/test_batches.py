"""What the worker does in batches looks each row up by its key, whatever there was when the plan was made."""

from typing import Final
from uuid import UUID

import asyncpg
import pytest

from app.db import delivery, notifications, outbox, retractions
from app.db.pool import Connection, create_pool
from bench import growth_world
from tests.app.cost.people import History

BATCH: Final = 200
MOST: Final = 5 * BATCH  # rows looked at in vain

# Everything waiting is due, everything delivered has expired, and every job may be taken.
HASTEN: Final = """
UPDATE scheduled SET place = waiting_place(clock_timestamp(), id), deliver_at = clock_timestamp();
UPDATE notifications SET expires_at = clock_timestamp();
UPDATE outbox SET run_at = clock_timestamp();
"""


async def _grow(connection: Connection, environment_id: UUID, people: tuple[int, int], each: int) -> None:
    """So many of a crowd, from the first to the last, with an item, a job, and `each` items that wait."""
    first, last = people
    await growth_world.create_crowd(connection, environment_id, last, first=first)
    await growth_world.create_jobs(connection, environment_id, last - first + 1)
    for (inbox_id,) in await connection.fetch("SELECT id FROM inboxes ORDER BY id DESC LIMIT 20"):
        await growth_world.create_backlog(connection, environment_id, inbox_id, each)
    await connection.execute(HASTEN)


async def _passed_over(connection: Connection, environment_id: UUID) -> dict[str, int]:
    """By what the worker does, a batch each, and by a batch of requests."""
    history = History(connection)
    jobs = await connection.fetch("SELECT environment_id, id FROM outbox LIMIT $1", BATCH)
    items = await connection.fetch("SELECT environment_id, id FROM notifications LIMIT $1", BATCH)
    waiting = await connection.fetch("SELECT id FROM scheduled LIMIT $1", BATCH)
    finished = [
        [row[name] for row in rows] for rows in (jobs, items, jobs) for name in ("environment_id", "id")
    ]
    return {
        "deliver": await history.passed_over(delivery.DELIVER_DUE, BATCH, []),
        "expire": await history.passed_over(delivery.EXPIRE_DUE, BATCH, []),
        "cancel": await history.passed_over(
            retractions.RETRACT_NOTIFICATIONS,
            environment_id,
            [row["id"] for row in waiting],
        ),
        "retract": await history.passed_over(
            retractions.RETRACT_NOTIFICATIONS,
            environment_id,
            [row["id"] for row in items],
        ),
        "send": await history.passed_over(
            notifications.SEND_NOTIFICATIONS,
            [environment_id] * BATCH,
            [f"key-{number}" for number in range(BATCH)],
            [b"fingerprint"] * BATCH,
            ["noise"] * BATCH,
            ["{}"] * BATCH,
            [None] * BATCH,
            [None] * BATCH,
            list(range(1, BATCH + 1)),
            [f"crowd-{number}" for number in range(BATCH)],
            False,  # noqa: FBT003 - the statement's
        ),
        "claim": await history.passed_over(outbox.CLAIM_JOBS, "hint", BATCH),
        "finish": await history.passed_over(outbox.FINISH_HINT_JOBS, *finished),
    }


@pytest.mark.parametrize("small", [1, 100])
async def test_batches_compare_no_row_with_every_other(database_url: str, small: int) -> None:
    """Plans made for nobody, or for few people, serve 5 000, and 4 000 due items."""
    seeding = await asyncpg.connect(database_url)
    try:
        busy = await growth_world.create_environment(seeding, "busy")
        async with (
            create_pool(database_url, size=3, name="batches") as pool,
            pool.acquire() as unaware,
            pool.acquire() as early,
            pool.acquire() as late,
        ):
            await _passed_over(unaware, busy)
            await _grow(seeding, busy, (1, small), 1)
            await growth_world.analyze(seeding)
            await _passed_over(early, busy)
            await _grow(seeding, busy, (small + 1, 5_000), 200)
            kept, unaware_kept = await _passed_over(early, busy), await _passed_over(unaware, busy)
            await growth_world.analyze(seeding)
            for found in (kept, unaware_kept, await _passed_over(late, busy)):
                assert max(found.values()) <= MOST, found
    finally:
        await seeding.close()
