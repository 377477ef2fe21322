"""From a commit to the sockets it concerns, over real PostgreSQL, Redis and TCP."""

import asyncio

from tests.realtime.backend import Backend
from tests.realtime.clients import GatewayUnderTest


async def test_a_notification_reaches_every_socket_of_its_subscriber_and_nobody_else(
    gateway: GatewayUnderTest, backend: Backend
) -> None:
    async with (
        gateway.client("ann") as first,
        gateway.client("ann") as second,
        gateway.client("bob") as other,
    ):
        [item] = await backend.notify("ann")
        for client in (first, second):
            assert await client.next("hint") == {"type": "hint", "reason": "notification", "id": item}
            await client.counts(1, 1)
        await backend.notify("bob")
        await other.counts(1, 1)
        assert [frame["type"] for frame in other.frames] == ["ready", "hint", "counts"]


async def test_a_broadcast_reaches_everyone(gateway: GatewayUnderTest, backend: Backend) -> None:
    async with gateway.client("ann") as ann, gateway.client("bob") as bob:
        item = await backend.broadcast()
        for client in (ann, bob):
            assert await client.next("hint") == {"type": "hint", "reason": "broadcast", "id": item}
            await client.counts(1, 1)


async def test_ready_carries_the_counts_that_rest_would_give(
    gateway: GatewayUnderTest, backend: Backend
) -> None:
    await backend.notify("ann")
    await backend.broadcast()
    async with gateway.socket(gateway.environment.subscriber_query("ann")) as client:
        ready = await client.next("ready")
        counts = await backend.counts("ann")
        assert (ready["unread"], ready["unseen"], ready["version"]) == (2, 2, counts.version)
        assert ready["ping_interval_s"] == 25


async def test_a_burst_is_told_in_few_counts_frames_and_the_last_is_right(
    gateway: GatewayUnderTest, backend: Backend
) -> None:
    async with gateway.client("ann") as client:
        await asyncio.gather(*(backend.notify("ann") for _ in range(50)))
        last = await client.counts(50, 50)
        assert len(client.of_type("counts")) < 25
        assert last["version"] == (await backend.counts("ann")).version
        while len(client.of_type("hint")) < 50:
            await client.next("hint")
        versions = [frame["version"] for frame in client.of_type("counts")]
        assert versions == sorted(set(versions))


async def test_what_commits_while_a_socket_opens_is_in_its_counts_in_the_end(
    gateway: GatewayUnderTest, backend: Backend
) -> None:
    async def open_and_watch(number: int) -> None:
        subscriber_id = f"s{number}"
        sending = asyncio.create_task(backend.notify(subscriber_id))
        async with gateway.socket(gateway.environment.subscriber_query(subscriber_id)) as client:
            ready = await client.next("ready")
            if ready["unread"] == 0:
                await client.counts(1, 1)
            await sending

    await asyncio.gather(*(open_and_watch(number) for number in range(60)))
