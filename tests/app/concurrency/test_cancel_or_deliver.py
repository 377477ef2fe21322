"""A scheduled item is cancelled and never seen, or delivered and then retracted: never both."""

import asyncio
import random
from dataclasses import dataclass, field

import pytest

from app.contract.errors import NotFound
from app.db import delivery, retractions
from app.db.pool import run
from tests.app.concurrency.backend import Backend, uuid_of
from tests.app.concurrency.conftest import LONG, OpenBackend
from tests.app.concurrency.coverage import truth_about
from tests.app.concurrency.gates import Gates
from tests.app.concurrency.orphans import count_orphans
from tests.app.concurrency.schedule import later, make_due

ROUNDS = 100 if LONG else 8
EACH_ROUND = 40
PEOPLE = ("ada", "grace", "mary")


@dataclass
class Seen:
    """What went on in one round."""

    delivered: set[str] = field(default_factory=set[str])  # by a delivery's own hints
    shown: set[str] = field(default_factory=set[str])  # on pages, before any reply about them
    cancelled: set[str] = field(default_factory=set[str])
    retracted: set[str] = field(default_factory=set[str])


@pytest.mark.timeout(600 if LONG else 120)
async def test_races_have_exactly_one_winner(open_backend: OpenBackend) -> None:
    """Three deliveries against a cancellation of every item, in every order."""
    canceller, worker, reader = (
        await open_backend("canceller"),
        await open_backend("worker"),
        await open_backend(),
    )
    rng = random.Random(5)
    both_ways = Seen()
    for _ in range(ROUNDS):
        items = [
            item
            for _ in range(EACH_ROUND)
            for item in await canceller.send([rng.choice(PEOPLE)], deliver_at=later())
        ]
        await make_due(canceller.pool, *items)
        seen = await race(canceller, worker, reader, rng.sample(items, len(items)))
        assert seen.cancelled | seen.retracted == set(items)
        assert seen.cancelled & seen.retracted == set()
        assert seen.delivered == seen.retracted
        assert seen.shown <= seen.retracted
        both_ways.cancelled |= seen.cancelled
        both_ways.retracted |= seen.retracted
    assert both_ways.cancelled
    assert both_ways.retracted
    for person in PEOPLE:
        truth = await truth_about(reader, person)
        assert truth.lines == []
        assert (truth.unread, truth.unseen) == (0, 0)
    async with reader.pool.acquire() as connection:
        assert await count_orphans(connection) == {}
        assert await connection.fetchval("SELECT count(*) FROM scheduled") == 0


async def race(canceller: Backend, worker: Backend, reader: Backend, items: list[str]) -> Seen:
    seen = Seen()
    over = asyncio.Event()

    async def deliver() -> None:
        while await run(worker.pool, delivery.select_next_delivery) is not None:
            for job in await run(worker.pool, lambda connection: delivery.deliver_due(connection, 7)):
                seen.delivered |= {str(item) for _, item in job.payload.hints}

    async def cancel(share: list[str]) -> None:
        for item in share:
            withdrawn = await run(
                canceller.pool,
                lambda connection, item=item: retractions.retract_notifications(
                    connection, canceller.environment.id, [uuid_of(item)]
                ),
            )
            assert withdrawn.count == 1
            # A retraction owes those who saw the item a hint; a cancellation concerns nobody.
            (seen.cancelled if withdrawn.job is None else seen.retracted).add(item)
            for person in PEOPLE:
                assert item not in [one.id for one in (await reader.page(person, limit=100)).items]

    async def read() -> None:
        while not over.is_set():
            for person in PEOPLE:
                seen.shown |= {item.id for item in (await reader.page(person, limit=100)).items}

    async with asyncio.TaskGroup() as tasks:
        reading = tasks.create_task(read())
        work = [tasks.create_task(deliver()) for _ in range(2)]
        work += [tasks.create_task(cancel(items[nth::4])) for nth in range(4)]
        await asyncio.wait(work)
        over.set()
        await reading
    seen.delivered = {item for item in items if str(uuid_of(item)) in seen.delivered}
    return seen


async def test_a_cancellation_that_waits_for_the_delivery_retracts_the_item(
    backend: Backend, paused: Backend, gates: Gates
) -> None:
    """The delivery has taken the row and is about to put the item into the inbox."""
    [item] = await backend.send(["ada"], deliver_at=later())
    await make_due(backend.pool, item)
    async with asyncio.TaskGroup() as tasks, gates.shut("INSERT", "notifications"):
        tasks.create_task(paused.deliveries.run_once())
        await gates.arrived()
        cancelling = tasks.create_task(backend.retract(item))
        await gates.blocked("other")
    await cancelling
    assert (await truth_about(backend, "ada")).lines == []
    with pytest.raises(NotFound):
        await backend.retract(item)


async def test_a_delivery_passes_over_what_is_being_cancelled(
    backend: Backend, paused: Backend, gates: Gates
) -> None:
    """It does not wait, either: the other item that is due is there at once."""
    [item, other] = await backend.send(["ada", "grace"], deliver_at=later())
    await make_due(backend.pool, item, other)
    async with asyncio.TaskGroup() as tasks, gates.shut("DELETE", "scheduled"):
        tasks.create_task(paused.retract(item))
        await gates.arrived()
        await backend.deliveries.run_once()
        assert await backend.view("ada") == []
        assert [one.id for one in await backend.view("grace")] == [other]
    await backend.deliveries.run_once()
    assert (await truth_about(backend, "ada")).lines == []


async def test_a_whole_batch_is_gone_whichever_of_it_was_delivered(backend: Backend) -> None:
    """By its key: some of it waits, some was delivered, some is gone already."""
    people = ["ada", "grace", "mary"]
    sent = await backend.send(people, key="batch", deliver_at=later())
    await make_due(backend.pool, sent[0], sent[1])
    await backend.deliveries.run_once()
    await backend.retract(sent[1])
    assert await backend.retractions.batch(backend.environment.id, "batch") == 2
    assert await backend.retractions.batch(backend.environment.id, "batch") == 0
    for person in people:
        assert (await truth_about(backend, person)).lines == []
    async with backend.pool.acquire() as connection:
        assert await connection.fetchval("SELECT count(*) FROM scheduled") == 0
