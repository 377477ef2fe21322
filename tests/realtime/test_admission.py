"""Clients that come at the same instant share what they need from the database."""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from uuid import UUID

import pytest

from app.db import presence, subscribers
from app.db.pool import Connection, Pool
from app.db.subscribers import Inbox
from tests.realtime.clients import GatewayUnderTest

CROWD = 100


async def test_a_storm_of_connects_is_a_few_queries(
    gateway: GatewayUnderTest, pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []
    select_inboxes = subscribers.select_inboxes

    async def watched(connection: Connection, environment_id: UUID, names: Sequence[str]) -> list[Inbox]:
        sizes.append(len(names))
        return await select_inboxes(connection, environment_id, names)

    monkeypatch.setattr(subscribers, "select_inboxes", watched)
    async with AsyncExitStack() as stack:
        clients = [gateway.client(f"s{number}") for number in range(CROWD)]
        await asyncio.gather(*(stack.enter_async_context(client) for client in clients))
    assert sum(sizes) == CROWD
    assert len(sizes) < CROWD / 3
    assert await pool.fetchval("SELECT count(*) FROM subscribers") == CROWD


async def test_a_failure_while_opening_refuses_everyone_in_the_batch_and_the_next_is_fine(
    gateway: GatewayUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with gateway.client("ann") as ann:
        with monkeypatch.context() as patch:
            patch.setattr(presence, "SELECT_INBOX_IDS", "nonsense")
            for name in ("ann", "bob"):
                async with gateway.socket(gateway.environment.subscriber_query(name)) as refused:
                    assert (await refused.closed())[0] == 1011
        async with gateway.client("bob"):
            await ann.send({"type": "ping"})
            assert await ann.next() == {"type": "pong"}
