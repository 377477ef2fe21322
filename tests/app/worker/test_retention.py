"""What time takes away: when, how much, and what stays in agreement."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Final

import pytest

from app.db import retention
from app.db.pool import Connection, Pool, create_pool
from app.outbox.publisher import Publisher
from app.worker.retention import Retention
from tests.app.concurrency.audit import check_inbox
from tests.app.worker.history import TABLES, partitions, write_history
from tests.app.worker.world import Heard
from tests.factories import Environment
from tests.harness import eventually

NOW: Final = datetime.now(UTC)
OLD: Final = NOW - timedelta(days=31 * 15)
KEPT: Final = NOW - timedelta(days=300)


@pytest.fixture
def worker(pool: Pool, publisher: Publisher) -> Retention:
    return Retention(pool, publisher, months=12)


def months(*moments: datetime) -> set[str]:
    return {f"{table}_{moment:%Y_%m}" for table in TABLES for moment in moments}


async def agree(pool: Pool, environment: Environment, *, lines: int) -> None:
    for number in (1, 2, 3):
        truth = await check_inbox(
            pool, environment.id, f"person-{number}", limit=7, categories=["c0", "c1", "news"]
        )
        assert truth is not None
        assert len(truth.lines) == lines


async def test_what_is_too_old_goes_with_its_counts(
    pool: Pool, connection: Connection, environment: Environment, worker: Retention, heard: Heard
) -> None:
    """Items, their timelines, their partitions and old broadcasts go; counts follow and versions move; each
    person is told once, not once an item; what is younger stays as it was.
    """
    await write_history(connection, environment.id, [OLD, KEPT, NOW])
    await agree(pool, environment, lines=96)
    versions = dict(await connection.fetch("SELECT id, version FROM inboxes"))
    assert await worker.run_once() == 0
    assert await worker.run_once() > 23 * 3600
    await agree(pool, environment, lines=64)
    assert not months(OLD) & set(await partitions(connection))
    assert months(KEPT, NOW) <= set(await partitions(connection))
    assert await connection.fetchval("SELECT count(*) FROM timeline") == 3 * 2 * 10
    for inbox, version in await connection.fetch("SELECT id, version FROM inboxes"):
        assert version > versions[inbox]
    reasons = await heard.reasons(3 + 2)
    assert sorted(reasons) == ["expired"] * 2 + ["resync"] * 3


async def test_partitions_are_made_ahead(connection: Connection, worker: Retention) -> None:
    """Three months or more, whatever was there."""
    for table in TABLES:
        names = [name for name in await partitions(connection) if name.startswith(table)]
        await connection.execute(f"DROP TABLE {', '.join(names)}")
    await worker.clean_up()
    ahead = [f"notifications_{(NOW.replace(day=1) + timedelta(days=31 * n)):%Y_%m}" for n in range(4)]
    assert set(ahead) <= set(await partitions(connection))


async def test_two_workers_at_once_do_it_once(
    database_url: str, connection: Connection, environment: Environment, publisher: Publisher, heard: Heard
) -> None:
    """Whichever is second finds nothing left to do, or leaves it to the first."""
    await write_history(connection, environment.id, [OLD, KEPT], items=700)
    async with (
        create_pool(database_url, size=3, name="one") as one,
        create_pool(database_url, size=3, name="two") as two,
    ):
        await asyncio.gather(
            *(Retention(pool, publisher, months=12).clean_up() for pool in (one, two, one, two))
        )
        await agree(one, environment, lines=702)
    assert not months(OLD) & set(await partitions(connection))

    async def expired() -> int:
        return sum(envelope.reason == "expired" for envelope in heard.envelopes)

    await eventually(expired, lambda count: count >= 2)
    assert await expired() == 2


async def test_a_partition_that_still_holds_something_stays(
    connection: Connection, environment: Environment
) -> None:
    """Whoever counts on it being empty was wrong."""
    await write_history(connection, environment.id, [OLD])
    oldest = await retention.select_oldest_kept(connection, 12)
    assert await retention.select_partitions_before(connection, oldest) == []
    await connection.execute("DELETE FROM notifications")
    found = await retention.select_partitions_before(connection, oldest)
    assert {partition.name for partition in found} == months(OLD)


async def test_dropping_holds_up_nobody(
    pool: Pool, connection: Connection, environment: Environment, worker: Retention
) -> None:
    """A reader that takes its time delays the drop, and neither reads nor writes meanwhile."""
    await write_history(connection, environment.id, [OLD, NOW])
    transaction = connection.transaction()
    await transaction.start()
    await connection.fetchval("SELECT count(*) FROM notifications")
    cleaning = asyncio.create_task(worker.clean_up())
    await eventually(lambda: _detach_is_waiting(pool))
    async with asyncio.timeout(2):
        await write_history_again(pool, environment)
        assert await pool.fetchval("SELECT count(*) FROM notifications") > 0
    assert not cleaning.done()
    await transaction.rollback()
    await cleaning
    assert not months(OLD) & set(await partitions(connection))


@pytest.mark.parametrize("cut", ["detaching", "detached"])
async def test_a_drop_that_was_cut_short_is_taken_up_again(
    pool: Pool, connection: Connection, environment: Environment, worker: Retention, cut: str
) -> None:
    """The worker died between detaching and dropping, or amid detaching."""
    await write_history(connection, environment.id, [OLD])
    await connection.execute("DELETE FROM notifications")
    name = f"notifications_{OLD:%Y_%m}"
    if cut == "detached":
        await connection.execute(f"ALTER TABLE notifications DETACH PARTITION {name} CONCURRENTLY")
    else:
        async with pool.acquire() as reader, reader.transaction():
            await reader.fetchval("SELECT count(*) FROM notifications")
            dying = asyncio.create_task(
                connection.execute(f"ALTER TABLE notifications DETACH PARTITION {name} CONCURRENTLY")
            )
            await eventually(lambda: _detach_is_waiting(pool))
            await pool.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'ALTER TABLE%'"
                " AND pid <> pg_backend_pid() AND datname = current_database()"
            )
            await asyncio.wait([dying])
            assert dying.exception() is not None
    await worker.clean_up()
    async with pool.acquire() as other:
        assert not months(OLD) & set(await partitions(other))


async def test_requests_are_forgotten_when_due_and_not_before(
    connection: Connection, environment: Environment, worker: Retention
) -> None:
    """After 30 days; later where an item of it still waits."""
    kept, waits, gone = "younger", "waiting", "gone"
    for key, age in ((kept, 29), (waits, 40), (gone, 31)):
        await connection.execute(
            "INSERT INTO idempotency (environment_id, kind, key, fingerprint, ids, created_at, deliver_at)"
            " VALUES ($1, 'broadcast', $2, 'x', ARRAY[position_at(clock_us())], $3, clock_timestamp())",
            environment.id,
            key,
            NOW - timedelta(days=age),
        )
    await connection.execute(
        "INSERT INTO scheduled (environment_id, id, category, payload, created_at, deliver_at, place,"
        " idempotency_key) SELECT environment_id, ids[1], 'c', '{}', created_at, $1, ids[1], key"
        " FROM idempotency WHERE key = $2",
        NOW + timedelta(days=1),
        waits,
    )
    await worker.clean_up()
    left = {row[0] for row in await connection.fetch("SELECT key FROM idempotency")}
    assert left == {kept, waits}


async def test_watermark_moves_are_forgotten_with_the_last_item_they_cover(
    connection: Connection, environment: Environment, worker: Retention
) -> None:
    await write_history(connection, environment.id, [NOW])
    for moment in (OLD, KEPT):
        await connection.execute(
            "INSERT INTO watermark_moves SELECT environment_id, id, 'read', position_floor(to_us($1)), $1"
            " FROM inboxes",
            moment,
        )
    await worker.clean_up()
    left = await connection.fetch("SELECT DISTINCT occurred_at FROM watermark_moves")
    assert [row[0] for row in left] == [KEPT]


async def write_history_again(pool: Pool, environment: Environment) -> None:
    async with pool.acquire() as writer:
        await write_history(writer, environment.id, [NOW + timedelta(minutes=1)])


async def _detach_is_waiting(pool: Pool) -> bool:
    return await pool.fetchval(
        "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE query LIKE 'ALTER TABLE % DETACH %'"
        " AND wait_event_type = 'Lock' AND datname = current_database())"
    )
