"""Muted categories: no hint, no counts, and nothing wrong when they change under a stream of broadcasts."""

import asyncio
from collections.abc import Sequence
from uuid import UUID

import pytest

from app.contract.errors import Unavailable
from app.db import presence
from app.db.pool import Connection
from tests.realtime.backend import Backend
from tests.realtime.clients import GatewayUnderTest


async def test_a_broadcast_in_a_muted_category_sends_that_person_nothing(
    gateway: GatewayUnderTest, backend: Backend
) -> None:
    await backend.mute("ann", "sport")
    async with gateway.client("ann") as ann, gateway.client("bob") as bob:
        await backend.broadcast("sport")
        await bob.counts(1, 1)
        item = await backend.broadcast("news")
        assert await ann.next() == {"type": "hint", "reason": "broadcast", "id": item}
        await ann.counts(1, 1)


async def test_muting_and_unmuting_are_hinted_and_counted(
    gateway: GatewayUnderTest, backend: Backend
) -> None:
    async with gateway.client("ann") as ann:
        await backend.broadcast("sport")
        await ann.counts(1, 1)
        await backend.mute("ann", "sport")
        assert await ann.next("hint") == {"type": "hint", "reason": "preferences"}
        await ann.counts(0, 0)
        await backend.mute("ann", "sport", enabled=True)
        assert await ann.next("hint") == {"type": "hint", "reason": "preferences"}
        await ann.counts(1, 1)


async def test_no_broadcast_overtakes_a_preference_that_came_before_it(
    gateway: GatewayUnderTest, backend: Backend
) -> None:
    async with gateway.client("ann") as ann:
        for _ in range(20):
            await backend.mute("ann", "sport")
            await asyncio.gather(*(backend.broadcast("sport") for _ in range(3)))
            marker = await backend.broadcast("news")
            assert await ann.next("hint") == {"type": "hint", "reason": "preferences"}
            assert await ann.next("hint") == {"type": "hint", "reason": "broadcast", "id": marker}
            await backend.mute("ann", "sport", enabled=True)
            assert await ann.next("hint") == {"type": "hint", "reason": "preferences"}


async def test_preferences_that_could_not_be_read_are_read_again(
    gateway: GatewayUnderTest, backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = presence.select_muted_of
    failures = [Unavailable("the database is away")]

    async def read_at_last(
        connection: Connection, environment_id: UUID, inbox_ids: Sequence[UUID]
    ) -> dict[UUID, list[str]]:
        if failures:
            raise failures.pop()
        return await read(connection, environment_id, inbox_ids)

    monkeypatch.setattr(presence, "select_muted_of", read_at_last)
    async with gateway.client("ann") as ann:
        await backend.mute("ann", "sport")
        await backend.broadcast("sport")
        marker = await backend.broadcast("news")
        assert await ann.next("hint") == {"type": "hint", "reason": "preferences"}
        assert await ann.next("hint") == {"type": "hint", "reason": "broadcast", "id": marker}
    assert failures == []


async def test_preferences_that_change_while_they_are_read_are_read_again(
    gateway: GatewayUnderTest, backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = presence.select_muted_of
    has_read, may_go_on = asyncio.Event(), asyncio.Event()

    async def read_slowly(
        connection: Connection, environment_id: UUID, inbox_ids: Sequence[UUID]
    ) -> dict[UUID, list[str]]:
        found = await read(connection, environment_id, inbox_ids)
        has_read.set()
        await may_go_on.wait()
        return found

    monkeypatch.setattr(presence, "select_muted_of", read_slowly)
    async with gateway.client("ann") as ann, gateway.client("bob") as bob:
        await backend.mute("ann", "sport")
        await has_read.wait()
        await backend.mute("ann", "news")
        for _ in range(2):
            assert await ann.next("hint") == {"type": "hint", "reason": "preferences"}
        muted = await backend.broadcast("news")
        assert await bob.next("hint") == {"type": "hint", "reason": "broadcast", "id": muted}
        may_go_on.set()
        marker = await backend.broadcast("weather")
        assert await ann.next("hint") == {"type": "hint", "reason": "broadcast", "id": marker}
