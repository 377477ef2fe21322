"""Replicas that boot at once, and processes whose clock is wrong."""

import asyncio
from datetime import datetime
from pathlib import Path
from typing import Final

import asyncpg
import httpx
import msgspec
import pytest
from stack.ports import LOOPBACK

from app.contract import timestamps
from tests.faults.conftest import Servers
from tests.faults.fleet import Fleet
from tests.faults.machine import Machine
from tests.harness import Process, eventually

pytestmark = [pytest.mark.faults, pytest.mark.timeout(120)]

REPLICAS: Final = 4


async def test_replicas_booting_at_once_on_an_empty_database(
    empty_database_url: str, servers: Servers
) -> None:
    """All come up, and the schema was applied once."""
    environ = {
        "DATABASE_URL": empty_database_url,
        "REDIS_URL": servers[1].url,
        "BELLWIRE_LISTEN": f"{LOOPBACK}:0",
        "BELLWIRE_DEV_ENVIRONMENT": "demo",
        "BELLWIRE_DEV_API_KEY": "bw_dev_key",
    }
    replicas = await asyncio.gather(
        *(Process.start("api", environ) for _ in range(REPLICAS)),
        return_exceptions=True,
    )
    try:
        apis = [one for one in replicas if isinstance(one, Process)]
        assert len(apis) == len(replicas), replicas
        async with httpx.AsyncClient(timeout=30, trust_env=False) as client:
            for api in apis:
                assert (await client.get(f"{api.url}/readyz")).status_code == 200
                reply = await client.post(
                    f"{api.url}/v1/notifications",
                    json={"subscriber_id": "ada", "category": "c"},
                    headers={"Authorization": "Bearer bw_dev_key"},
                )
                assert reply.status_code == 201
        assert sum(any('"migrated"' in line for line in api.output) for api in apis) == 1
        connection = await asyncpg.connect(empty_database_url)
        try:
            assert await connection.fetchval("SELECT count(*) FROM environments") == 1
            assert await connection.fetchval("SELECT count(*) FROM api_keys") == 1
        finally:
            await connection.close()
    finally:
        await asyncio.gather(*(one.killed() for one in replicas if isinstance(one, Process)))


def _faketime() -> Path:
    found = next(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"), None)
    if found is None:
        pytest.skip("libfaketime is not installed: the clocks of processes cannot be set wrong")
    return found


@pytest.mark.parametrize("shift", ["-3d", "+3d"])
async def test_the_clocks_of_our_processes_decide_nothing(machine: Machine, shift: str) -> None:
    """API, gateway and worker are days off: what they send is visible at once, in order, at the database's
    time; what is scheduled is delivered when the database's clock says so.
    """
    wrong = {
        "LD_PRELOAD": str(_faketime()),
        "FAKETIME": shift,
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "DONT_FAKE_MONOTONIC": "1",
    }
    processes = [await machine.start(role, wrong) for role in ("gateway", "worker", "api")]
    headers = machine.environment.subscriber_headers("ada")
    async with (
        Fleet.open(machine.socket_url, machine.environment, ["ada"]) as fleet,
        machine.client() as client,
    ):

        async def send(**fields: object) -> str:
            reply = await client.post(
                "/v1/notifications",
                json={"subscriber_id": "ada", "category": "c", **fields},
                headers=machine.environment.management_headers,
            )
            assert reply.status_code == 201, reply.text
            return reply.json()["notifications"][0]["id"]

        before = await _database_now(machine)
        due = before + 1.5
        later = await send(deliver_at=timestamps.format_us(int(due * 1e6)))
        first, second = await send(), await send()
        await fleet.settled({"ada": 2}, within_s=2)
        await fleet.settled({"ada": 3}, within_s=5)
        page = (await client.get("/v1/inbox/items", headers=headers)).json()["items"]
        assert [item["id"] for item in page] == [later, second, first]
        times = [datetime.fromisoformat(item["occurred_at"]).timestamp() for item in page]
        assert before < times[2] < times[1] < due <= times[0] < due + 1
        assert (await client.post("/v1/inbox/read-all", headers=headers)).json()["unread"] == 0
        await send()
        await fleet.settled({"ada": 1}, within_s=2)
        await eventually(lambda: _nothing_owed(machine))
    assert all(abs(_said_at(process) - before) > 86_400 for process in processes), "no clock was wrong"


def _said_at(process: Process) -> float:
    """By its own clock."""
    entry = msgspec.json.decode(process.output[-1], type=dict[str, object])
    return datetime.fromisoformat(str(entry["timestamp"])).timestamp()


async def _database_now(machine: Machine) -> float:
    return await machine.pool.fetchval("SELECT extract(epoch FROM clock_timestamp())::float8")


async def _nothing_owed(machine: Machine) -> bool:
    return not await machine.pool.fetchval("SELECT count(*) FROM outbox")
