"""Muted categories: no hint, no counts, and nothing wrong when they change under a stream of broadcasts."""

import asyncio

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
