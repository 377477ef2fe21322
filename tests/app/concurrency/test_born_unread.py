"""Nothing is born read, seen or archived: an "all" covers what its caller could have been shown, no more.

Every order of events is made certain by stopping the real code at a gate, or behind a lock.
"""

import asyncio
from itertools import product

import pytest

from app.services.inbox import UpToItem, UpToItems
from tests.app.concurrency.backend import Backend, up_to_item, up_to_items
from tests.app.concurrency.coverage import MARKERS, check_reply, is_covered, join, line_of, truth_about
from tests.app.concurrency.gates import Gates
from tests.app.concurrency.schedule import later, make_due

each_way = pytest.mark.parametrize("way", ["sent now", "delivered when due"])


@each_way
async def test_a_broadcast_in_flight_is_not_covered(
    backend: Backend, paused: Backend, gates: Gates, way: str
) -> None:
    """Its time lies before that of an item which the "all" names; its commit comes after the answer."""
    reaches = ("everything", "one item", "one of each", "the broadcast alone")
    people = {f"{marker}, {reach}": (marker, reach) for marker, reach in product(MARKERS, reaches)}
    await join(backend, *people)
    announced = await backend.broadcast()
    if way == "delivered when due":
        await make_due(backend.pool, await backend.broadcast(deliver_at=later()))
    answered = {}
    async with asyncio.TaskGroup() as tasks, gates.shut("INSERT", "outbox"):
        tasks.create_task(paused.broadcast() if way == "sent now" else paused.deliveries.run_once())
        await gates.arrived()
        newest = dict(zip(people, await backend.send(list(people)), strict=True))
        for person, (marker, reach) in people.items():
            watermark = MARKERS[marker]
            up_to: dict[str, UpToItem | UpToItems | None] = {
                "everything": None,
                "one item": up_to_item(newest[person]),
                "one of each": up_to_items(newest[person], announced),
                "the broadcast alone": up_to_items(None, announced),
            }
            reply = await backend.mark_all(person, watermark, up_to[reach])
            answered[person] = truth = await truth_about(backend, person)
            check_reply(reply, truth)
            assert is_covered(line_of(truth, announced), watermark)
            covers_direct = is_covered(line_of(truth, newest[person]), watermark)
            assert covers_direct == (reach != "the broadcast alone")
    for person, (marker, _) in people.items():
        truth = await truth_about(backend, person)
        [new] = [line for line in truth.lines if line not in answered[person].lines]
        assert new.source == "broadcast"
        assert new.us < line_of(truth, newest[person]).us
        assert not is_covered(new, MARKERS[marker]), person
        assert (truth.unread, truth.unseen) == (answered[person].unread + 1, answered[person].unseen + 1)


@each_way
async def test_an_all_that_waits_for_a_delivery_covers_it_and_counts_it(
    backend: Backend, paused: Backend, gates: Gates, way: str
) -> None:
    """The delivery has its positions and is about to be written; each "all" queues behind it."""
    await backend.send(list(MARKERS))
    if way == "delivered when due":
        await make_due(backend.pool, *await backend.send(list(MARKERS), deliver_at=later()))
    async with asyncio.TaskGroup() as tasks, gates.shut("INSERT", "outbox"):
        if way == "sent now":
            tasks.create_task(paused.send(list(MARKERS)))
        else:
            tasks.create_task(paused.deliveries.run_once())
        await gates.arrived()
        marking = {
            person: tasks.create_task(backend.mark_all(person, watermark))
            for person, watermark in MARKERS.items()
        }
        await gates.blocked("other", sessions=len(MARKERS))
    for person, watermark in MARKERS.items():
        truth = await truth_about(backend, person)
        assert [is_covered(line, watermark) for line in truth.lines] == [True, True]
        check_reply(await marking[person], truth)


@each_way
async def test_a_delivery_that_waits_for_an_all_is_not_covered(
    backend: Backend, paused: Backend, gates: Gates, way: str
) -> None:
    """The "all"s, of one transaction, have chosen how far they go; the delivery queues behind them."""
    await backend.send(list(MARKERS))
    if way == "delivered when due":
        await make_due(backend.pool, *await backend.send(list(MARKERS), deliver_at=later()))
    async with asyncio.TaskGroup() as tasks, gates.shut("INSERT", "outbox"):
        marking = {
            person: tasks.create_task(paused.mark_all(person, watermark))
            for person, watermark in MARKERS.items()
        }
        await gates.arrived()
        if way == "sent now":
            tasks.create_task(backend.send(list(MARKERS)))
        else:
            tasks.create_task(backend.deliveries.run_once())
        await gates.blocked("other")
        for person in MARKERS:
            assert len(await backend.view(person)) == 1
    for person, watermark in MARKERS.items():
        truth = await truth_about(backend, person)
        assert [is_covered(line, watermark) for line in truth.lines] == [False, True]
        reply = await marking[person]
        assert (reply.unread, reply.unseen) == (truth.unread - 1, truth.unseen - 1)


@each_way
async def test_two_deliveries_to_one_person_end_in_the_order_of_their_times(
    backend: Backend, paused: Backend, gates: Gates, way: str
) -> None:
    """The second has no time before the first is visible: nothing appears beneath what was shown and read."""
    await backend.send(["ada"])
    if way == "delivered when due":
        await make_due(backend.pool, *await backend.send(["ada"], "second", deliver_at=later()))
    async with asyncio.TaskGroup() as tasks, gates.shut("INSERT", "outbox"):
        tasks.create_task(paused.send(["ada"], "first"))
        await gates.arrived()
        if way == "sent now":
            tasks.create_task(backend.send(["ada"], "second"))
        else:
            tasks.create_task(backend.deliveries.run_once())
        await gates.blocked("other")
        assert len(await backend.view("ada")) == 1
    truth = await truth_about(backend, "ada")
    assert [line.category for line in truth.lines] == ["second", "first", "news"]
    assert truth.unread == 3


async def test_archive_read_leaves_what_was_in_flight_when_it_was_asked_for(
    backend: Backend, paused: Backend, gates: Gates
) -> None:
    """A broadcast that commits after the request, and is read before the job runs, did not exist then."""
    [direct] = await backend.send(["ada"])
    async with asyncio.TaskGroup() as tasks, gates.shut("INSERT", "outbox"):
        flying = tasks.create_task(paused.broadcast())
        await gates.arrived()
        await backend.inbox.archive_read(backend.identity("ada"))
    [after] = await backend.send(["ada"])
    await backend.mark_all("ada", "read")
    while await backend.archive_read_jobs.run_once() == 0:
        pass
    truth = await truth_about(backend, "ada")
    assert line_of(truth, direct).archived
    assert not line_of(truth, await flying).archived
    assert not line_of(truth, after).archived
    assert all(line.read for line in truth.lines)
