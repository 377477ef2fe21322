"""What the worker does with hints that their own process did not publish."""

import asyncio
from collections.abc import Sequence

import pytest
from prometheus_client import REGISTRY
from redis.asyncio import Redis

from app import redis
from app.contract.hints import Hint
from app.db.outbox import HintJob, JobType
from app.outbox import publisher
from app.outbox.publisher import Publisher
from app.worker.archive_read import ArchiveReadJobs
from app.worker.hints import HintJobs
from tests.app.worker.world import Heard, World
from tests.harness import NO_REDIS


async def test_a_backlog_becomes_one_hint_an_inbox(world: World, client: Redis, heard: Heard) -> None:
    """Ada's three are a resync that names none; Grace's one is as it was. Only an item that a hint named
    has a delivered_hint.
    """
    for _ in range(3):
        await world.send("ada")
    [graces] = await world.send("grace")
    await world.leases_are_over()
    assert await HintJobs(world.pool, client).run_once() == 0
    assert sorted(await heard.reasons(2)) == ["notification", "resync"]
    assert await world.count("outbox") == 0
    assert await world.hinted() == {graces}


async def test_a_lease_keeps_others_away_until_it_is_over(world: World, client: Redis, heard: Heard) -> None:
    """The committing process has two seconds."""
    await world.send("ada")
    delay = await HintJobs(world.pool, client).run_once()
    assert 1 < delay <= 2
    assert not heard.envelopes


async def test_a_muted_recipient_is_owed_no_hint(world: World, client: Redis, heard: Heard) -> None:
    """Of two recipients of one request, the one who muted its category hears nothing."""
    await world.send("ada", "grace", category="other")
    await world.pool.execute("DELETE FROM outbox")
    await world.mute("ada", "c")
    muted, shown = await world.send("ada", "grace")
    await world.send("ada")
    assert await world.count("outbox") == 1
    await world.leases_are_over()
    await HintJobs(world.pool, client).run_once()
    assert await heard.reasons(1) == ["notification"]
    assert await world.hinted() == {shown}
    assert muted != shown


async def test_an_unreadable_job_keeps_nobody_waiting(world: World, client: Redis, heard: Heard) -> None:
    """The others of its batch are published at once; it waits for its next attempt."""
    await world.send("ada")
    await world.pool.execute(
        "INSERT INTO outbox (environment_id, id, job_type, payload, run_at)"
        " VALUES ($1, position_at(clock_us()), 'hint', '{\"reason\": 7}', clock_timestamp())",
        world.environment.id,
    )
    await world.leases_are_over()
    worker = HintJobs(world.pool, client)
    assert await worker.run_once() == 0
    assert await heard.reasons(1) == ["notification"]
    [(attempts, wait)] = await world.pool.fetch(
        "SELECT attempts, extract(epoch FROM run_at - clock_timestamp())::float8 FROM outbox"
    )
    assert attempts == 1
    assert 2 < wait <= 5
    for attempt in range(2, 11):
        await world.leases_are_over()
        await worker.run_once()
        assert await world.count("dead_letters") == (1 if attempt == 10 else 0)
    assert await world.count("outbox") == 0


@pytest.mark.parametrize("job_type", ["hint", "archive_read"])
async def test_how_long_a_job_was_due_before_its_claim_is_observed(
    world: World, client: Redis, publisher: Publisher, job_type: JobType
) -> None:
    """By the database's clock, and not that of the lease, which began when it was made."""

    def observed(sample: str) -> float:
        name = f"bellwire_job_wait_seconds_{sample}"
        return REGISTRY.get_sample_value(name, {"job_type": job_type}) or 0.0

    await world.send("ada")
    await world.pool.execute("SELECT ask_archive_read($1, 'ada')", world.environment.id)
    await world.pool.execute(
        "UPDATE outbox SET run_at = clock_timestamp() - interval '1 hour' WHERE job_type = $1", job_type
    )
    jobs, waited_s = observed("count"), observed("sum")
    workers = {"hint": HintJobs(world.pool, client), "archive_read": ArchiveReadJobs(world.pool, publisher)}
    assert await workers[job_type].run_once() == 0
    assert observed("count") - jobs == 1
    assert 3600 <= observed("sum") - waited_s < 3660


async def test_without_redis_nothing_is_claimed_and_no_attempt_counted(world: World) -> None:
    await world.send("ada")
    await world.leases_are_over()
    async with redis.connect(NO_REDIS) as nowhere:
        assert await HintJobs(world.pool, nowhere).run_once() == redis.AWAY_PAUSE_S
    due = await world.pool.fetchval("SELECT run_at <= clock_timestamp() AND attempts = 0 FROM outbox")
    assert due is True


async def test_a_published_job_is_deleted_by_its_own_process(
    world: World, client: Redis, heard: Heard
) -> None:
    """When it has closed, what the publisher took is out and counted, and nothing is left to any worker."""
    await world.send("ada")
    labels = {"job_type": "hint", "outcome": "done"}
    done = REGISTRY.get_sample_value("bellwire_jobs_total", labels) or 0.0
    async with Publisher.open(world.pool, client) as closing:
        row = await world.pool.fetchrow("SELECT environment_id, id, payload FROM outbox")
        closing.offer(HintJob.owed(*row))
    assert await heard.reasons(1) == ["notification"]
    assert await world.count("outbox") == 0
    assert REGISTRY.get_sample_value("bellwire_jobs_total", labels) == done + 1


async def test_what_could_not_be_published_promptly_is_published_by_the_worker_alone(
    world: World, client: Redis, heard: Heard, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second job waits, while the first is published, for longer than would leave it time."""
    monkeypatch.setattr(publisher, "PROMPT_S", 0.05)
    publish = redis.publish
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def paused(to: Redis, batch: Sequence[Hint]) -> bool:
        if to is client:  # not that of the world's own publisher
            begun.set()
            await go_on.wait()
        return await publish(to, batch)

    monkeypatch.setattr(redis, "publish", paused)
    for person in ("ada", "grace"):
        await world.send(person)
    first, second = await world.pool.fetch("SELECT environment_id, id, payload FROM outbox ORDER BY id")
    async with Publisher.open(world.pool, client) as slow:
        slow.offer(HintJob.owed(*first))
        await begun.wait()
        slow.offer(HintJob.owed(*second))
        await asyncio.sleep(2 * publisher.PROMPT_S)
        go_on.set()
    assert await world.pool.fetchval("SELECT id FROM outbox") == second["id"]
    await world.leases_are_over()
    assert await HintJobs(world.pool, client).run_once() == 0
    assert await heard.reasons(2) == ["notification", "notification"]
    assert await world.count("outbox") == 0


async def test_a_great_backlog_goes_out_whole_in_slices(
    world: World, client: Redis, heard: Heard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis, "_PUBLISHED_AT_ONCE", 3)
    items = await world.send(*(f"p{number}" for number in range(8)))
    await world.leases_are_over()
    assert await HintJobs(world.pool, client).run_once() == 0
    assert await heard.reasons(8) == ["notification"] * 8
    assert len({envelope.routing_key for envelope in heard.envelopes}) == 8
    assert await world.hinted() == set(items)


async def test_a_batch_that_redis_could_not_take_in_time_is_smaller_the_next_time(
    world: World, client: Redis
) -> None:
    for number in range(30):
        await world.send(f"p{number}")
    await world.leases_are_over()
    jobs = HintJobs(world.pool, client)
    await client.execute_command("CLIENT", "PAUSE", 2500, "WRITE")
    assert await jobs.run_once() == redis.AWAY_PAUSE_S
    assert await world.count("outbox") == 30
    await client.execute_command("CLIENT", "UNPAUSE")
    await world.leases_are_over()
    assert await jobs.run_once() == 0
    assert await world.count("outbox") == 10
