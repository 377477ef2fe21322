"""What is on its way to a person who is being erased is dropped, or erased with the rest."""

import asyncio

import pytest

from app.contract.errors import NotFound
from tests.app.concurrency.backend import Backend
from tests.app.concurrency.coverage import truth_about
from tests.app.concurrency.gates import Gates
from tests.app.concurrency.orphans import count_orphans
from tests.app.concurrency.schedule import later, make_due


async def check_gone(backend: Backend, person: str) -> None:
    """Nothing is left, and who comes back under the same id finds an empty inbox."""
    async with backend.pool.acquire() as connection:
        assert await count_orphans(connection) == {}
        assert await connection.fetchval("SELECT count(*) FROM scheduled") == 0
        assert not await connection.fetchval(
            "SELECT count(*) FROM subscribers WHERE subscriber_id = $1", person
        )
    await backend.counts(person)
    truth = await truth_about(backend, person)
    assert truth.lines == []
    assert truth.unread_kept == {}


async def test_a_delivery_that_waits_for_an_erasure_delivers_nothing(
    backend: Backend, paused: Backend, gates: Gates
) -> None:
    """It passes over the rows that the erasure holds, and never makes an inbox."""
    await backend.send(["ada"])
    [item] = await backend.send(["ada"], deliver_at=later())
    await make_due(backend.pool, item)
    async with asyncio.TaskGroup() as tasks, gates.shut("DELETE", "notifications"):
        tasks.create_task(paused.erase("ada"))
        await gates.arrived()
        await backend.deliveries.run_once()
    await backend.deliveries.run_once()
    await check_gone(backend, "ada")
    with pytest.raises(NotFound):
        await backend.retract(item)


async def test_an_erasure_that_waits_for_a_delivery_takes_the_item_too(
    backend: Backend, paused: Backend, gates: Gates
) -> None:
    [item, other] = await backend.send(["ada", "grace"], deliver_at=later())
    await make_due(backend.pool, item, other)
    async with asyncio.TaskGroup() as tasks, gates.shut("INSERT", "notifications"):
        tasks.create_task(paused.deliveries.run_once())
        await gates.arrived()
        tasks.create_task(backend.erase("ada"))
        await gates.blocked("other")
    await check_gone(backend, "ada")
    assert [one.id for one in await backend.view("grace")] == [other]


@pytest.mark.parametrize("people", [["ada"], ["grace", "ada", "mary"]], ids=["alone", "in a batch"])
async def test_a_send_that_waits_for_an_erasure_goes_to_the_new_person(
    backend: Backend, paused: Backend, gates: Gates, people: list[str]
) -> None:
    """All of the batch, in the order asked for; the old inbox takes nothing along."""
    await backend.send(["ada"])
    await backend.mute("ada", "news")
    async with asyncio.TaskGroup() as tasks, gates.shut("DELETE", "notifications"):
        tasks.create_task(paused.erase("ada"))
        await gates.arrived()
        sending = tasks.create_task(backend.send(people))
        await gates.blocked("other")
    for person, item in zip(people, await sending, strict=True):
        truth = await truth_about(backend, person)
        assert [(line.id, line.muted) for line in truth.lines] == [(item, False)]
    async with backend.pool.acquire() as connection:
        assert await count_orphans(connection) == {}


async def test_a_mark_that_waits_for_an_erasure_finds_a_new_and_empty_inbox(
    backend: Backend, paused: Backend, gates: Gates
) -> None:
    [item] = await backend.send(["ada"])
    async with asyncio.TaskGroup() as tasks, gates.shut("DELETE", "notifications"):
        tasks.create_task(paused.erase("ada"))
        await gates.arrived()
        marking = asyncio.create_task(backend.mark("ada", item, "read"))
        marking_all = tasks.create_task(backend.mark_all("ada", "read"))
        muting = tasks.create_task(backend.mute("ada", "news"))
        await gates.blocked("other", sessions=3)
    with pytest.raises(NotFound):
        await marking
    assert ((await marking_all).unread, (await marking_all).unseen) == (0, 0)
    await muting
    assert (await truth_about(backend, "ada")).lines == []
    async with backend.pool.acquire() as connection:
        assert await count_orphans(connection) == {}
