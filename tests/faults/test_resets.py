"""Connections to Redis that were reset (RST) while nobody used them, as balancers and firewalls do it."""

import asyncio

import pytest

from tests.factories import Environment
from tests.faults.fleet import Fleet
from tests.harness import Stack
from tests.passage import Passage

pytestmark = [pytest.mark.faults, pytest.mark.timeout(120)]


async def test_resets_end_no_process_and_lose_nothing(
    database_url: str, redis_url: str, environment: Environment
) -> None:
    body = {"subscriber_id": "ada", "category": "news"}
    limits = dict.fromkeys(("BELLWIRE_API_KEY_RATE", "BELLWIRE_SUBSCRIBER_RATE"), "1000")
    async with (
        Passage.open(redis_url) as passage,
        Stack.open(database_url, passage.url, **limits) as stack,
        Fleet.open(stack.socket_url, environment, ["ada"]) as fleet,
        stack.client() as client,
    ):
        processes = (stack.api, stack.gateway, stack.worker)
        for sent in range(1, 10):
            reply = await client.post("/v1/notifications", json=body, headers=environment.management_headers)
            assert reply.status_code == 201
            if sent % 3 == 0:
                await asyncio.sleep(0.1)  # until the hints are out
                assert passage.reset() > 0
                await asyncio.sleep(0.1)  # until both sides know
        await fleet.settled({"ada": 9}, within_s=5)
        assert fleet.all_open
        async with Fleet.open(stack.socket_url, environment, ["bob"]):
            assert [process.role for process in processes if process.running] == ["api", "gateway", "worker"]
        assert [await process.stop() for process in processes] == [0, 0, 0]
        assert not [line for process in processes for line in process.output if "Traceback" in line]
