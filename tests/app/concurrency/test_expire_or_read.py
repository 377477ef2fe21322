"""An item is wholly there until it expires, and then wholly gone: marks in between lose no count."""

import asyncio
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest

from app.contract.errors import NotFound
from app.db.pool import Pool
from tests.app.concurrency.backend import Backend, uuid_of
from tests.app.concurrency.conftest import OpenBackend
from tests.app.concurrency.coverage import truth_about
from tests.app.concurrency.gates import Gates
from tests.app.concurrency.orphans import count_orphans


async def send_expiring(backend: Backend, *people: str) -> list[str]:
    return await backend.send(people, expires_at=datetime.now(UTC) + timedelta(hours=1))


async def make_expired(pool: Pool, *items: str) -> None:
    """The time of these items is over."""
    for table in ("notifications", "broadcasts"):
        await pool.execute(
            f"UPDATE {table} SET expires_at = clock_timestamp() WHERE id = ANY ($1)",  # noqa: S608
            [uuid_of(item) for item in items],
        )


async def test_a_mark_that_waits_for_the_expiry_finds_nothing(
    backend: Backend, paused: Backend, gates: Gates
) -> None:
    [item] = await send_expiring(backend, "ada")
    await make_expired(backend.pool, item)
    async with asyncio.TaskGroup() as tasks, gates.shut("DELETE", "notifications"):
        tasks.create_task(paused.expiries.run_once())
        await gates.arrived()
        marking = asyncio.create_task(backend.mark("ada", item, "read"))
        await gates.blocked("other")
        assert len(await backend.view("ada")) == 1, "wholly there until it is wholly gone"
    with pytest.raises(NotFound):
        await marking
    assert (await truth_about(backend, "ada")).lines == []


async def test_an_expiry_that_waits_for_a_mark_counts_the_item_as_marked(
    backend: Backend, paused: Backend, gates: Gates
) -> None:
    """It was read, so one less is unseen, and none less unread."""
    [item] = await send_expiring(backend, "ada")
    await backend.send(["ada"])
    await make_expired(backend.pool, item)
    async with asyncio.TaskGroup() as tasks, gates.shut("UPDATE", "notifications"):
        marking = tasks.create_task(paused.mark("ada", item, "read"))
        await gates.arrived()
        tasks.create_task(backend.expiries.run_once())
        await gates.blocked("other")
    await marking
    truth = await truth_about(backend, "ada")
    assert (len(truth.lines), truth.unread, truth.unseen) == (1, 1, 1)


async def test_marks_and_expiries_of_the_same_items_end_with_exact_counts(open_backend: OpenBackend) -> None:
    """Everything is read one by one, or all at once, while two workers let it expire."""
    backend, worker = await open_backend(size=6), await open_backend("worker")
    people = ["ada", "grace"]
    kept = await backend.send(people)
    items = [item for _ in range(60) for item in await send_expiring(backend, *people)]
    announced = [
        await backend.broadcast(expires_at=datetime.now(UTC) + timedelta(hours=1)) for _ in range(20)
    ]
    await make_expired(backend.pool, *items, *announced)

    async with asyncio.TaskGroup() as tasks:
        for nth, person in enumerate(people):
            tasks.create_task(read_each(backend, person, items[nth::2]))
            tasks.create_task(read_each(backend, person, announced))
            tasks.create_task(keep_marking_all(backend, person))
        for _ in range(2):
            tasks.create_task(expire_all(worker))
    for person, item in zip(people, kept, strict=True):
        truth = await truth_about(backend, person)
        assert [line.id for line in truth.lines] == [item]
    async with backend.pool.acquire() as connection:
        assert await count_orphans(connection) == {}


async def expire_all(worker: Backend) -> None:
    while await worker.expiries.run_once() == 0:
        pass


async def read_each(backend: Backend, person: str, items: list[str]) -> None:
    for item in items:
        with suppress(NotFound):
            await backend.mark(person, item, "read")


async def keep_marking_all(backend: Backend, person: str) -> None:
    for _ in range(20):
        await backend.mark_all(person, "seen")
        await backend.mark_all(person, "archived")
