"""Redis stopped, flushed, killed and frozen while everything goes on."""

import asyncio
import random
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest

from app import redis
from tests.faults import machine as machines
from tests.faults.checks import settle
from tests.faults.fleet import Fleet
from tests.faults.load import Storm
from tests.faults.machine import Machine, rounds
from tests.faults.schedules import seconds_from_now

pytestmark = [pytest.mark.faults, pytest.mark.timeout(300)]

PEOPLE = [f"person-{number}" for number in range(20)]
LAG_S = 5.0


@asynccontextmanager
async def under_load(machine: Machine) -> AsyncGenerator[Storm]:
    """Creates go on while the block runs. Then: none failed, nobody waited longer than promised for a new
    number, and everything is right.
    """
    await machine.start_all("api", "gateway", "worker")
    storm = await machine.storm(PEOPLE)
    async with Fleet.open(machine.socket_url, machine.environment, PEOPLE) as fleet:
        async with storm.blowing(senders=2, pause_s=0.02):
            await asyncio.sleep(1)
            yield storm
            await asyncio.sleep(1)
        assert not storm.refusals
        assert not storm.lost
        await settle(machine, storm, fleet)
        assert fleet.worst_lag_s(storm) < LAG_S
        assert fleet.all_open


async def test_redis_away_fails_nothing_and_delays_counts_by_seconds(machine: Machine) -> None:
    """Stopped for a while; then flushed and restarted, with nothing remembered."""
    async with under_load(machine):
        await machines.stop(machine.redis)
        await asyncio.sleep(rounds(6, 20))
        await machines.start(machine.redis)
        await asyncio.sleep(3)
        async with redis.connect(machine.redis.url) as client:
            await client.flushall()
        await machines.stop(machine.redis)
        await machines.start(machine.redis)


async def test_redis_killed_again_and_again(machine: Machine) -> None:
    async with under_load(machine):
        for _ in range(rounds(4, 10)):
            await machines.kill(machine.redis)
            await asyncio.sleep(random.uniform(0, 0.5))
            await machines.start(machine.redis)
            await asyncio.sleep(random.uniform(0, 1.5))


async def test_a_frozen_redis_holds_up_nothing(machine: Machine) -> None:
    """Connections stay open and nobody answers: requests, scheduled ones too, take no longer for it."""
    async with under_load(machine) as storm, machine.client() as client:
        machine.redis.pause()
        for second in range(rounds(6, 20)):
            async with asyncio.timeout(2):
                reply = await client.post(
                    "/v1/notifications",
                    json={"subscriber_id": "later", "category": "c", "deliver_at": _tomorrow()},
                    headers=machine.environment.management_headers,
                )
            assert reply.status_code == 201, second
            await asyncio.sleep(0.8)
        machine.redis.resume()
    assert storm.slowest_s() < 2


async def test_processes_boot_without_redis(machine: Machine) -> None:
    """Every role comes up, readiness is 200, and what is sent is shown within seconds."""
    await machines.stop(machine.redis)
    await machine.start_all("api", "gateway", "worker")
    storm = await machine.storm(PEOPLE)
    async with (
        Fleet.open(machine.socket_url, machine.environment, PEOPLE) as fleet,
        machine.client() as client,
    ):
        assert (await client.get("/readyz")).status_code == 200
        async with storm.blowing(senders=1, pause_s=0.05):
            await asyncio.sleep(1)
        await fleet.settled({one: len(sent) for one, sent in storm.expected().items()}, within_s=LAG_S)
        await machines.start(machine.redis)
        await settle(machine, storm, fleet)


def _tomorrow() -> str:
    return seconds_from_now(86_400).isoformat()
