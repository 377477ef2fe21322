"""kill -9 of workers while they deliver thousands of scheduled items."""

import asyncio
import random
from collections import Counter

import pytest

from app.contract import ids
from tests.faults.checks import unread_count, unread_ids
from tests.faults.fleet import Fleet
from tests.faults.machine import Machine, rounds
from tests.faults.schedules import Backend, seconds_from_now
from tests.harness import eventually

pytestmark = [pytest.mark.faults, pytest.mark.timeout(600)]

PEOPLE = [f"person-{number}" for number in range(50)]


async def test_each_scheduled_item_is_delivered_exactly_once(machine: Machine) -> None:
    """Two workers share the deliveries, and one or the other dies again and again: nothing is lost and
    nothing comes twice, whatever was half done is undone, and every person ends with the right number.
    """
    await machine.start_all("gateway", "api")
    workers = await machine.start_all("worker", "worker")
    sent: list[str] = []
    async with (
        Backend.open(machine.pool, machine.redis.url, machine.environment) as backend,
        Fleet.open(machine.socket_url, machine.environment, PEOPLE) as fleet,
    ):
        for number in range(rounds(5, 20)):
            due = seconds_from_now(1.5)
            for _ in range(rounds(8, 10)):
                sent += await backend.schedule(PEOPLE, due)
            before = await _delivered(machine)
            await eventually(lambda: _delivered(machine), lambda count, n=before: count > n, within_s=10)
            await asyncio.sleep(random.uniform(0, 0.1))
            await workers[number % 2].killed()
            workers[number % 2] = await machine.start("worker")
        await eventually(lambda: _delivered(machine), lambda count: count >= len(sent), within_s=30)
        await machine.outbox_is_empty()

        stored = await machine.pool.fetch("SELECT id FROM notifications")
        assert Counter(ids.encode("notif", row["id"]) for row in stored) == Counter(sent)
        assert await machine.pool.fetchval("SELECT count(*) FROM scheduled") == 0
        assert await machine.pool.fetchval("SELECT count(*) FROM scheduled_positions") == len(sent)
        each = len(sent) // len(PEOPLE)
        async with machine.client() as client:
            for person in PEOPLE[::10]:
                assert (await unread_count(client, machine.environment, person))[0] == each
                assert len(set(await unread_ids(client, machine.environment, person))) == each
        await fleet.settled(dict.fromkeys(PEOPLE, each), within_s=10)
        assert fleet.all_open


async def _delivered(machine: Machine) -> int:
    return await machine.pool.fetchval("SELECT count(*) FROM notifications")
