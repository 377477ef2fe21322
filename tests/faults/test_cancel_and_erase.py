"""Cancelling and erasing while real workers deliver, and die."""

import asyncio
import random
from typing import Final

import pytest

from app.contract import ids
from app.contract.errors import NotFound
from tests.app.concurrency.orphans import count_orphans
from tests.faults.fleet import Fleet
from tests.faults.machine import Machine, rounds
from tests.faults.schedules import Backend, seconds_from_now
from tests.harness import eventually

pytestmark = [pytest.mark.faults, pytest.mark.timeout(300)]

PEOPLE: Final = [f"person-{number}" for number in range(20)]


async def test_an_item_is_never_both_cancelled_and_seen(machine: Machine) -> None:
    """Two workers deliver while everything is cancelled at about its time: each cancellation succeeds, and
    nothing is left to see or to count; connected clients end at nothing.
    """
    await machine.start_all("api", "gateway", "worker", "worker")
    async with (
        Backend.open(machine.pool, machine.redis.url, machine.environment) as backend,
        Fleet.open(machine.socket_url, machine.environment, PEOPLE) as fleet,
    ):

        async def cancel(item: str, after_s: float) -> None:
            await asyncio.sleep(after_s)
            item_id = ids.decode("notif", item)
            assert item_id is not None
            await backend.retractions.notification(machine.environment.id, item_id)
            with pytest.raises(NotFound):
                await backend.retractions.notification(machine.environment.id, item_id)

        for _ in range(rounds(6, 25)):
            sent = await backend.schedule(PEOPLE, seconds_from_now(1))
            await asyncio.gather(*(cancel(item, random.uniform(0.85, 1.05)) for item in sent))
        await machine.outbox_is_empty()
        await fleet.settled(dict.fromkeys(PEOPLE, 0), within_s=10)
        told = [frame for listener in fleet.listeners for frame in listener.frames if "id" in frame]
        delivered = {frame["id"] for frame in told if frame["reason"] == "notification"}
        retracted = {frame["id"] for frame in told if frame["reason"] == "retracted"}
    assert delivered == retracted, "whoever was shown an item was told that it went"
    for table in ("notifications", "scheduled", "scheduled_positions", "timeline"):
        assert await machine.pool.fetchval(f"SELECT count(*) FROM {table}") == 0, table  # noqa: S608


async def test_erasing_while_workers_deliver_and_die_leaves_no_orphan(machine: Machine) -> None:
    """People are erased, and sent more, while workers deliver to them and are killed: no row outlives its
    person, and whatever was not erased is delivered once.
    """
    workers = await machine.start_all("worker", "worker")
    async with Backend.open(machine.pool, machine.redis.url, machine.environment) as backend:

        async def erase(person: str, after_s: float) -> None:
            await asyncio.sleep(after_s)
            await backend.subscribers.erase(machine.environment.id, person)

        for number in range(rounds(3, 20)):
            due = seconds_from_now(1.5)
            for _ in range(10):
                await backend.schedule(PEOPLE, due)
            erasing = asyncio.gather(*(erase(person, random.uniform(0.8, 1.6)) for person in PEOPLE[:10]))
            await asyncio.sleep(random.uniform(1, 1.4))
            await workers[number % 2].killed()
            await erasing
            workers[number % 2] = await machine.start("worker")
        await eventually(lambda: _waiting(machine), lambda count: count == 0, within_s=15)
        await machine.outbox_is_empty()
    async with machine.pool.acquire() as connection:
        assert await count_orphans(connection) == {}
        kept = await connection.fetch(
            "SELECT s.subscriber_id, count(*), count(DISTINCT n.id) FROM notifications n"
            " JOIN subscribers s ON s.environment_id = n.environment_id AND s.id = n.inbox_id GROUP BY 1"
        )
    each = 10 * rounds(3, 20)
    assert {row[0]: (row[1], row[2]) for row in kept if row[0] in PEOPLE[10:]} == dict.fromkeys(
        PEOPLE[10:], (each, each)
    )


async def _waiting(machine: Machine) -> int:
    return await machine.pool.fetchval("SELECT count(*) FROM scheduled")
