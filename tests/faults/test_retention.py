"""A year-old month goes while people read and are written to."""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import httpx
import pytest

from tests.app.concurrency.audit import check_inbox
from tests.app.worker.history import partitions, write_history
from tests.factories import Environment
from tests.faults.fleet import Fleet
from tests.faults.machine import Machine, rounds
from tests.harness import eventually

pytestmark = [pytest.mark.faults, pytest.mark.timeout(300)]

PEOPLE: Final = 10
NOW: Final = datetime.now(UTC)
OLD: Final = NOW - timedelta(days=31 * 14)
CATEGORIES: Final = ["c0", "c1", "news"]


class Reader:
    """A person who looks at the same pages again and again."""

    def __init__(self, client: httpx.AsyncClient, environment: Environment, person: str) -> None:
        self.rounds = 0
        self.slowest_s = 0.0
        self._client = client
        self._headers = environment.subscriber_headers(person)
        self._pages: dict[str, bytes] = {}

    async def read_until(self, stopping: asyncio.Event) -> None:
        """An equal ETag means an equal page; where the version stood still, the unread ones are counted."""
        while not stopping.is_set():
            before = await self._get("/v1/inbox/counts")
            unread = await self._page("unread")
            await self._page("archived")
            after = await self._get("/v1/inbox/counts")
            if before.json()["version"] == after.json()["version"] and unread["next_cursor"] is None:
                assert before.json() == after.json()
                assert len(unread["items"]) == before.json()["unread"]
            self.rounds += 1

    async def _page(self, view: str) -> dict[str, Any]:
        reply = await self._get(f"/v1/inbox/items?limit=100&filter={view}")
        assert self._pages.setdefault(reply.headers["etag"], reply.content) == reply.content
        return reply.json()

    async def _get(self, path: str) -> httpx.Response:
        begun = time.monotonic()
        reply = await self._client.get(path, headers=self._headers)
        self.slowest_s = max(self.slowest_s, time.monotonic() - begun)
        assert reply.status_code == 200, reply.text
        return reply


async def test_an_old_month_goes_under_load(machine: Machine) -> None:
    """Two workers clean up while everybody reads and is sent more: counts, pages and ETags agree at every
    instant, nobody waits long, and in the end the month is gone, and connected clients know.
    """
    people = [f"person-{number}" for number in range(1, PEOPLE + 1)]
    items = rounds(300, 3000)
    async with machine.pool.acquire() as connection:
        await write_history(connection, machine.environment.id, [OLD], people=PEOPLE, items=items)
        await write_history(connection, machine.environment.id, [NOW], people=PEOPLE, items=20)
    await machine.start_all("api", "gateway")
    storm = await machine.storm(people)
    stopping = asyncio.Event()
    async with (
        machine.client() as client,
        Fleet.open(machine.socket_url, machine.environment, people) as fleet,
        asyncio.TaskGroup() as tasks,
    ):
        readers = [Reader(client, machine.environment, person) for person in people[:3]]
        for reader in readers:
            tasks.create_task(reader.read_until(stopping))
        async with storm.blowing(senders=1, pause_s=0.02):
            await machine.start_all("worker", "worker")
            while await _holds_old(machine):
                for person in people[:2]:
                    assert await check_inbox(
                        machine.pool, machine.environment.id, person, limit=50, categories=CATEGORIES
                    )
        stopping.set()
        assert not storm.refusals
        assert not storm.lost
        await machine.outbox_is_empty()
        for person in people:
            truth = await check_inbox(
                machine.pool, machine.environment.id, person, limit=50, categories=CATEGORIES
            )
            assert truth is not None
            sent = sum(person in answer.recipients for answer in storm.answers.values())
            assert len(truth.lines) == 22 + sent
            await fleet.settled(dict.fromkeys(people) | {person: truth.unread}, within_s=10)
        assert fleet.all_open
    assert all(reader.rounds > 3 for reader in readers)
    assert max(storm.slowest_s(), *(reader.slowest_s for reader in readers)) < 3


async def _holds_old(machine: Machine) -> bool:
    async with machine.pool.acquire() as connection:
        return any(name.endswith(f"{OLD:%Y_%m}") for name in await partitions(connection))


async def test_a_worker_killed_amid_cleaning_up_leaves_it_to_the_next(machine: Machine) -> None:
    """Whatever it had begun is whole or undone, and the next one ends it."""
    async with machine.pool.acquire() as connection:
        await write_history(connection, machine.environment.id, [OLD], people=PEOPLE, items=1000)
    before = await _items(machine)
    worker = await machine.start("worker")
    await eventually(lambda: _items(machine), lambda count: count < before, within_s=20)
    await worker.killed()
    for number in (1, PEOPLE):
        assert await check_inbox(
            machine.pool, machine.environment.id, f"person-{number}", limit=50, categories=CATEGORIES
        )
    await machine.start("worker")
    await eventually(lambda: _holds_old(machine), lambda holds: not holds, within_s=30)


async def _items(machine: Machine) -> int:
    return await machine.pool.fetchval("SELECT count(*) FROM notifications")
