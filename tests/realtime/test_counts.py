"""What counts cost: queries for many, not queries each."""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from uuid import UUID

import pytest
from structlog.testing import capture_logs

from app.contract.errors import Unavailable
from app.db.outage import Outage
from app.db.pool import Connection, acquire, create_pool
from app.db.presence import CountsAlong, select_counts_along
from realtime import counts
from realtime.counts import CountsFeed
from tests.harness import eventually
from tests.realtime.backend import Backend
from tests.realtime.clients import GatewayUnderTest
from tests.realtime.notebook import Notebook, make_hub

SOCKETS = 250


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many inboxes each query was about."""
    sizes: list[int] = []

    async def watched(connection: Connection, environment_id: UUID, ids: Sequence[UUID]) -> CountsAlong:
        sizes.append(len(ids))
        return await select_counts_along(connection, environment_id, ids)

    monkeypatch.setattr(counts, "select_counts_along", watched)
    return sizes


async def test_a_broadcast_costs_a_query_for_each_chunk_of_its_audience(
    gateway: GatewayUnderTest, backend: Backend, asked: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counts, "CHUNK", 100)
    async with AsyncExitStack() as sockets:
        clients = [await sockets.enter_async_context(gateway.client(f"s{n}")) for n in range(SOCKETS)]
        await backend.broadcast()
        for client in clients:
            await client.counts(1, 1)
    assert sorted(asked) == [50, 100, 100]


async def test_nobody_is_asked_about_who_has_no_socket(
    gateway: GatewayUnderTest, backend: Backend, asked: list[int]
) -> None:
    async with gateway.client("ann") as client:
        await backend.notify(*(f"s{number}" for number in range(100)))
        await backend.notify("ann")
        await client.counts(1, 1)
    assert asked == [1]


async def test_marks_without_end_leave_the_one_connection_of_a_pool_to_others_too(database_url: str) -> None:
    async with create_pool(database_url, size=1, name="test") as pool:
        feed = CountsFeed[str](pool, Outage())
        audience = Notebook(make_hub()).join()

        async def mark_on() -> None:
            while True:
                feed.mark(audience)
                await asyncio.sleep(0.01)

        endless = [asyncio.create_task(feed.run()), asyncio.create_task(mark_on())]
        try:
            for _ in range(3):
                await asyncio.sleep(2 * counts.TICK_S)
                async with acquire(pool):  # raises Unavailable where none is free in time
                    pass
        finally:
            for task in endless:
                task.cancel()
            await asyncio.gather(*endless, return_exceptions=True)


async def test_a_database_that_is_away_is_said_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counts, "RETRY_S", 0.02)
    met: list[object] = []

    class Counted(Outage):
        def met(self, by: object, error: Unavailable) -> None:
            met.append(by)
            super().met(by, error)

    async def tried_often() -> bool:
        return len(met) > 5

    async with create_pool("postgresql://127.0.0.1:1/nowhere", size=1, name="test") as pool:
        feed = CountsFeed[str](pool, Counted())
        feed.mark(Notebook(make_hub()).join())
        with capture_logs() as said:
            task = asyncio.create_task(feed.run())
            try:
                await eventually(tried_often)
            finally:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
    assert [line["event"] for line in said] == ["the database (DATABASE_URL) is away"]
