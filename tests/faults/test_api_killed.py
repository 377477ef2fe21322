"""kill -9 of the API in the middle of a storm of creates."""

import asyncio
import random

import pytest

from tests.faults.checks import settle
from tests.faults.fleet import Fleet
from tests.faults.machine import Machine, rounds

pytestmark = [pytest.mark.faults, pytest.mark.timeout(600)]

PEOPLE = [f"person-{number}" for number in range(20)]


async def test_every_answered_create_exists_exactly_once(machine: Machine) -> None:
    """Whatever instant the API dies at: what was answered exists once, what was not can be asked for again
    by its key, and connected clients end with the right numbers without having reconnected.
    """
    await machine.start_all("gateway", "worker")
    api = await machine.start("api")
    storm = await machine.storm(PEOPLE)
    async with Fleet.open(machine.socket_url, machine.environment, PEOPLE) as fleet:
        for _ in range(rounds(3, 20)):
            answered = len(storm.answers)
            async with storm.blowing():
                await asyncio.sleep(random.uniform(0.3, 0.9))
                await api.killed()
            assert len(storm.answers) > answered
            api = await machine.start("api")
        assert storm.lost, "no request was under way when the API died"
        assert not storm.refusals
        await settle(machine, storm, fleet)
        assert fleet.all_open
