"""Nothing is written about an item or a person that is going at the same moment."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from tests.app.concurrency.backend import Backend
from tests.app.concurrency.conftest import OpenBackend
from tests.app.concurrency.coverage import join, truth_about
from tests.app.concurrency.gates import Gates
from tests.app.concurrency.orphans import count_orphans
from tests.harness import NO_REDIS, eventually


@pytest.mark.parametrize("ending", ["retract", "erase"])
async def test_a_published_hint_leaves_no_timeline_of_an_item_that_went(
    backend: Backend, paused: Backend, open_backend: OpenBackend, gates: Gates, ending: str
) -> None:
    """A worker published the hint, which its own process could not, and is noting it: the item goes."""
    mute = await open_backend("mute", redis_url=NO_REDIS)
    [item] = await mute.send(["ada"])
    await backend.pool.execute("UPDATE outbox SET run_at = clock_timestamp()")
    async with asyncio.TaskGroup() as tasks, gates.shut("INSERT", "timeline"):
        tasks.create_task(paused.hint_jobs.run_once())
        await gates.arrived()
        going = tasks.create_task(backend.retract(item) if ending == "retract" else backend.erase("ada"))
        await gates.done_or_blocked(going, "other")

    async def hint_jobs() -> int:
        return await backend.pool.fetchval("SELECT count(*) FROM outbox WHERE job_type = 'hint'")

    await eventually(hint_jobs, lambda count: count == 0)
    async with backend.pool.acquire() as connection:
        assert await count_orphans(connection) == {}


@pytest.mark.parametrize("ending", ["retract", "expire"])
async def test_a_muted_item_goes_without_leaving_a_job(backend: Backend, ending: str) -> None:
    """Nobody is to be hinted, so no process is left something to publish."""
    await backend.mute("ada", "news")
    [item] = await backend.send(["ada"], expires_at=datetime.now(UTC) + timedelta(hours=1))
    if ending == "retract":
        await backend.retract(item)
    else:
        await backend.pool.execute("UPDATE notifications SET expires_at = clock_timestamp()")
        await backend.expiries.run_once()
    assert (await truth_about(backend, "ada")).lines == []

    async def jobs() -> list[str]:
        return [row["payload"] for row in await backend.pool.fetch("SELECT payload FROM outbox")]

    await eventually(jobs, lambda left: left == [])


async def test_a_decision_about_a_broadcast_that_went_counts_nowhere_and_is_forgotten(
    backend: Backend, paused: Backend, gates: Gates
) -> None:
    """It is being made while the broadcast is retracted, which waits for nobody."""
    await join(backend, "ada", "grace")
    announced, kept = await backend.broadcast(), await backend.broadcast()
    await backend.mark("grace", kept, "archived")
    async with asyncio.TaskGroup() as tasks, gates.shut("INSERT", "broadcast_overrides"):
        tasks.create_task(paused.mark("ada", announced, "read"))
        await gates.arrived()
        await backend.retract(announced)
    for person in ("ada", "grace"):
        assert [line.id for line in (await truth_about(backend, person)).lines] == [kept]
    await backend.retention.clean_up()
    assert await backend.pool.fetchval("SELECT count(*) FROM broadcast_overrides") == 1
    assert [item.id for item in await backend.view("grace", "archived")] == [kept]
