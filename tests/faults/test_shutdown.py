"""SIGTERM of each role while everything goes on."""

import asyncio

import pytest

from tests.faults.checks import settle
from tests.faults.fleet import Fleet
from tests.faults.machine import Machine
from tests.faults.schedules import Backend, seconds_from_now
from tests.harness import eventually

pytestmark = [pytest.mark.faults, pytest.mark.timeout(180)]

PEOPLE = [f"person-{number}" for number in range(20)]


async def test_an_api_that_leaves_answers_what_it_took_on(machine: Machine) -> None:
    """Exit 0 under load; its replacement has everything, and clients saw it all."""
    await machine.start_all("gateway", "worker")
    api = await machine.start("api")
    storm = await machine.storm(PEOPLE)
    async with Fleet.open(machine.socket_url, machine.environment, PEOPLE) as fleet:
        async with storm.blowing(senders=4):
            await asyncio.sleep(1)
            assert await api.stop() == 0
        assert not storm.refusals
        await machine.start("api")
        await settle(machine, storm, fleet)
        assert fleet.all_open


async def test_a_gateway_that_leaves_says_goodbye(machine: Machine) -> None:
    """Exit 0 under load; every socket hears `draining` and is closed with 1012; requests notice nothing."""
    await machine.start_all("api", "worker")
    gateway = await machine.start("gateway")
    storm = await machine.storm(PEOPLE)
    async with (
        Fleet.open(machine.socket_url, machine.environment, PEOPLE) as fleet,
        storm.blowing(senders=2, pause_s=0.01),
    ):
        await asyncio.sleep(0.5)
        assert await gateway.stop() == 0
        await eventually(lambda: _all_closed(fleet))
    for listener in fleet.listeners:
        assert listener.frames[-1]["type"] == "goodbye"
        assert listener.frames[-1]["reason"] == "draining"
        assert listener.close_code == 1012
    assert not storm.refusals
    assert not storm.lost


async def test_a_worker_that_leaves_finishes_what_is_under_way(machine: Machine) -> None:
    """Exit 0 amid deliveries; the hints of what it delivered are out, with no lease to wait for, and what it
    had not begun waits, whole, for the next worker.
    """
    await machine.start_all("api", "gateway")
    worker = await machine.start("worker")
    async with (
        Backend.open(machine.pool, machine.redis.url, machine.environment) as backend,
        Fleet.open(machine.socket_url, machine.environment, PEOPLE) as fleet,
    ):
        due = seconds_from_now(5)
        for _ in range(100):
            await backend.schedule(PEOPLE, due)
        await eventually(lambda: _delivered(machine), within_s=20)
        assert await worker.stop() == 0
        delivered = await _delivered(machine)
        waiting = await machine.pool.fetchval("SELECT count(*) FROM scheduled")
        assert waiting > 0, "everything was delivered before the worker left"
        assert delivered + waiting == 100 * len(PEOPLE)
        assert await machine.pool.fetchval("SELECT count(*) FROM outbox") == 0
        await asyncio.sleep(0.3)
        assert sum(listener.unread for listener in fleet.listeners) == delivered
        await machine.start("worker")
        await fleet.settled(dict.fromkeys(PEOPLE, 100), within_s=10)


async def _all_closed(fleet: Fleet) -> bool:
    return not any(listener.open for listener in fleet.listeners)


async def _delivered(machine: Machine) -> int:
    return await machine.pool.fetchval("SELECT count(*) FROM notifications")
