"""Attempts, how long they wait, and where they end."""

from uuid import UUID, uuid4

import pytest

from app.db import dead_letters, outbox
from app.db.pool import Connection, Pool
from tests.factories import Environment, make_environment


async def add_job(connection: Connection, environment: Environment) -> UUID:
    job_id = uuid4()
    await connection.execute(
        "INSERT INTO outbox (environment_id, id, job_type, payload, run_at, cursor)"
        " VALUES ($1, $2, 'hint', '{\"some\": [1, 2]}', clock_timestamp(), '{\"at\": 3}')",
        environment.id,
        job_id,
    )
    return job_id


async def wait_s(connection: Connection, job_id: UUID) -> float:
    wait: float | None = await connection.fetchval(
        "SELECT extract(epoch FROM run_at - clock_timestamp())::float8 FROM outbox WHERE id = $1", job_id
    )
    assert wait is not None
    return wait


async def test_each_wait_is_twice_as_long_up_to_a_quarter_of_an_hour(
    connection: Connection, environment: Environment
) -> None:
    """Attempt n waits between a half and the whole of min(900 s, 5 s x 2^(n-1)), and never the same."""
    seen: dict[int, set[int]] = {attempt: set() for attempt in range(1, 10)}
    for _ in range(20):
        job_id = await add_job(connection, environment)
        for attempt in range(1, 10):
            assert not await outbox.fail_job(connection, environment.id, job_id, "no")
            most = min(900, 5 * 2 ** (attempt - 1))
            waits = await wait_s(connection, job_id)
            assert most / 2 - 1 < waits <= most
            seen[attempt].add(round(waits * 1000))
    assert all(len(waits) > 15 for waits in seen.values())


async def test_the_tenth_failure_parks_a_job_as_it_was(
    connection: Connection, environment: Environment
) -> None:
    """Payload and cursor are kept, and the last error, cut where it is long."""
    job_id = await add_job(connection, environment)
    parked = [await outbox.fail_job(connection, environment.id, job_id, "x" * 5000) for _ in range(10)]
    assert parked == [False] * 9 + [True]
    assert await connection.fetchval("SELECT count(*) FROM outbox") == 0
    [letter] = await dead_letters.select_dead_letters(connection, after=None, limit=10)
    assert (letter.id, letter.attempts, letter.job_type) == (job_id, 10, "hint")
    assert letter.last_error == "x" * 2000
    kept = await connection.fetchrow("SELECT payload, cursor FROM dead_letters")
    assert kept == ('{"some": [1, 2]}', '{"at": 3}')


async def test_a_job_that_is_gone_cannot_fail(connection: Connection, environment: Environment) -> None:
    """It was finished elsewhere, or its person erased, while it was tried here."""
    assert not await outbox.fail_job(connection, environment.id, uuid4(), "too late")
    assert await connection.fetchval("SELECT count(*) FROM dead_letters") == 0


@pytest.mark.parametrize("by", ["job", "environment", "all"])
async def test_a_replay_puts_back_what_was_parked(pool: Pool, by: str) -> None:
    """As it was, due at once, with fresh attempts; of the one asked for, or all of one environment, or all.
    A second replay finds nothing.
    """
    acme, other = await make_environment(pool, "acme-1"), await make_environment(pool, "acme-2")
    async with pool.acquire() as connection:
        jobs = [await add_job(connection, where) for where in (acme, acme, other)]
        for where, job_id in zip((acme, acme, other), jobs, strict=True):
            for _ in range(10):
                await outbox.fail_job(connection, where.id, job_id, "no")
        wanted = {"job": jobs[:1], "environment": jobs[:2], "all": jobs}[by]
        environment_id = acme.id if by == "environment" else None
        job_id = jobs[0] if by == "job" else None
        for expected in (len(wanted), 0):
            replayed = await dead_letters.replay_dead_letters(
                connection, environment_id=environment_id, job_id=job_id
            )
            assert replayed == expected
        back = await connection.fetch(
            "SELECT id, attempts, payload, cursor, run_at <= clock_timestamp() FROM outbox"
        )
        assert {tuple(row) for row in back} == {
            (job, 0, '{"some": [1, 2]}', '{"at": 3}', True) for job in wanted
        }
        assert await connection.fetchval("SELECT count(*) FROM dead_letters") == len(jobs) - len(wanted)
