"""PostgreSQL restarted, crashed and frozen under load."""

import asyncio
import time
from collections.abc import Awaitable, Callable

import pytest
from stack.servers import EmbeddedPostgres

from tests.faults import machine as machines
from tests.faults.checks import settle
from tests.faults.fleet import Fleet
from tests.faults.load import Refusal
from tests.faults.machine import Machine, rounds
from tests.faults.schedules import Backend, seconds_from_now
from tests.harness import eventually

pytestmark = [pytest.mark.faults, pytest.mark.timeout(300)]

PEOPLE = [f"person-{number}" for number in range(20)]
AWAY_S = 2.0
BACK_S = 10.0


@pytest.mark.parametrize("leave", [machines.stop, machines.kill], ids=["stopped", "killed"])
async def test_postgres_away_is_503_and_loses_nothing_that_was_answered(
    machine: Machine, leave: Callable[[EmbeddedPostgres], Awaitable[None]]
) -> None:
    """Sockets stay open and requests get 503 `unavailable` with Retry-After, never 500; when it is back the
    same processes work within 10 s, and everything that was answered is there.
    """
    processes = [await machine.start(role) for role in ("gateway", "worker", "api")]
    storm = await machine.storm(PEOPLE)
    async with (
        Fleet.open(machine.socket_url, machine.environment, PEOPLE) as fleet,
        Backend.open(machine.pool, machine.redis.url, machine.environment) as backend,
    ):
        for _ in range(rounds(2, 10)):
            due = await backend.schedule(["later"], seconds_from_now(1 + AWAY_S / 2))
            refused = len(storm.refusals)
            async with storm.blowing(senders=3, pause_s=0.02):
                await asyncio.sleep(1)
                await leave(machine.postgres)
                await asyncio.sleep(AWAY_S)
                await machines.start(machine.postgres)
                back_at = time.monotonic()
                await asyncio.sleep(1)
                await eventually(lambda: _works(machine), within_s=BACK_S)
                await eventually(lambda ids=due: _are_delivered(machine, ids), within_s=BACK_S)
            assert len(storm.refusals) > refused, "nobody noticed"
            assert max(refusal.at for refusal in storm.refusals) < back_at + BACK_S
        assert not storm.lost
        assert [one for one in storm.refusals if not _is_unavailable(one)] == []
        # The item of a scheduled delivery is not the storm's.
        await machine.pool.execute("DELETE FROM notifications WHERE category = 'c'")
        await settle(machine, storm, fleet)
        assert fleet.all_open
        assert all(process.running for process in processes)


async def test_a_frozen_postgres_is_503_and_nothing_else(machine: Machine) -> None:
    """Connections stay open and nobody answers: requests wait, or are told to come back."""
    await machine.start_all("gateway", "worker", "api")
    storm = await machine.storm(PEOPLE)
    async with Fleet.open(machine.socket_url, machine.environment, PEOPLE) as fleet:
        async with storm.blowing(senders=20, pause_s=0.05):
            await asyncio.sleep(0.5)
            machine.postgres.pause()
            await asyncio.sleep(4)
            machine.postgres.resume()
            await eventually(lambda: _works(machine), within_s=BACK_S)
        assert not storm.lost
        assert [one for one in storm.refusals if not _is_unavailable(one)] == []
        await settle(machine, storm, fleet)
        assert fleet.all_open


async def test_readiness_follows_postgres(machine: Machine) -> None:
    """Not ready while PostgreSQL is away, alive all the while, ready again by itself."""
    await machine.start("api")
    async with machine.client() as client:

        async def ready() -> int:
            return (await client.get("/readyz")).status_code

        assert await ready() == 200
        await machines.stop(machine.postgres)
        await eventually(ready, lambda status: status == 503)
        assert (await client.get("/healthz")).status_code == 200
        await machines.start(machine.postgres)
        await eventually(ready, lambda status: status == 200, within_s=BACK_S)


def _is_unavailable(refusal: Refusal) -> bool:
    return (refusal.status, refusal.code) == (503, "unavailable") and int(refusal.retry_after or 0) > 0


async def _works(machine: Machine) -> bool:
    """One read over all: counts of a person."""
    async with machine.client() as client:
        reply = await client.get(
            "/v1/inbox/counts", headers=machine.environment.subscriber_headers("person-0")
        )
    assert reply.status_code in (200, 503), reply.text
    return reply.status_code == 200


async def _are_delivered(machine: Machine, ids: list[str]) -> bool:
    return await machine.pool.fetchval(
        "SELECT NOT EXISTS (SELECT FROM scheduled) AND count(*) >= $1 FROM notifications", len(ids)
    )
