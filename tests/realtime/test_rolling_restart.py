"""Gateways restarted one after the other under obedient clients: nobody is lost, and nobody storms."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Sequence

import pytest
from stack.ports import free_port

from app.settings import Address
from tests.factories import Environment
from tests.harness import Process, eventually
from tests.realtime.backend import Backend
from tests.realtime.obedient import ObedientClient

pytestmark = pytest.mark.faults
CLIENTS = 2000
BIN_S = 0.25


class Fleet:
    """Gateway processes on fixed ports, and what a balancer in front of them would say of them."""

    def __init__(self, database_url: str, redis_url: str) -> None:
        self._environ = {
            "DATABASE_URL": database_url,
            "REDIS_URL": redis_url,
            "BELLWIRE_DRAIN_S": "2",
        }
        self._processes: dict[Address, Process] = {}

    async def start(self, address: Address) -> None:
        environ = {**self._environ, "BELLWIRE_GATEWAY_LISTEN": str(address)}
        self._processes[address] = await Process.start("gateway", environ)

    async def stop(self, address: Address) -> int:
        """Takes it out of the balancer, drains it; the exit code."""
        return await self._processes.pop(address).stop()

    def ready(self) -> Sequence[Address]:
        return list(self._processes)

    async def stop_all(self) -> None:
        for address in self.ready():
            await self.stop(address)


@pytest.fixture
async def fleet(database_url: str, redis_url: str) -> AsyncGenerator[Fleet]:
    fleet = Fleet(database_url, redis_url)
    yield fleet
    await fleet.stop_all()


@pytest.fixture
async def clients(environment: Environment, fleet: Fleet) -> AsyncGenerator[list[ObedientClient]]:
    clients = [ObedientClient(environment, f"s{number}", fleet.ready) for number in range(CLIENTS)]
    yield clients
    for client in clients:
        client.stop()


@pytest.mark.timeout(180)
async def test_everyone_comes_back_spread_over_the_window_and_misses_nothing(
    fleet: Fleet, clients: list[ObedientClient], backend: Backend
) -> None:
    async def ready() -> int:
        return sum(client.is_ready for client in clients)

    first, second = Address("127.0.0.1", free_port()), Address("127.0.0.1", free_port())
    await fleet.start(first)
    await fleet.start(second)
    for client in clients:
        client.start()
    await eventually(ready, CLIENTS.__eq__, within_s=60)

    for address in (first, second):
        begun = asyncio.get_running_loop().time()
        assert await fleet.stop(address) == 0
        await eventually(ready, CLIENTS.__eq__, within_s=30)
        returns = [at for client in clients for at in client.ready_at[1:] if at > begun]
        assert len(returns) > CLIENTS / 4
        bins = Counter(int((at - begun) / BIN_S) for at in returns)
        assert max(bins.values()) < len(returns) / 3, f"they came back all at once: {sorted(bins.items())}"
        await fleet.start(address)

    codes = Counter(code for client in clients for code in client.codes)
    # 1013, come back later, is what a machine too busy for its database may say.
    assert codes.keys() <= {1012, 1013}
    assert codes[1012] > CLIENTS
    item = await backend.broadcast()

    async def hinted() -> int:
        return sum(item in client.hinted for client in clients)

    await eventually(hinted, CLIENTS.__eq__, within_s=10)
