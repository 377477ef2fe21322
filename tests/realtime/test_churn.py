"""Sockets come, go and are reset amid broadcasts of two environments: file descriptors change hands."""

import asyncio
import contextlib

from app import redis
from app.db.pool import Pool
from app.outbox.publisher import Publisher
from tests.factories import make_environment
from tests.realtime.backend import Backend
from tests.realtime.clients import Client, GatewayUnderTest, RawClient

BROADCASTS, VISITORS, VISIT_S = 40, 12, 0.1


async def test_nobody_ever_receives_a_frame_of_another_environment(
    gateway: GatewayUnderTest, pool: Pool, redis_url: str
) -> None:
    other = await make_environment(pool, "other")
    tenants = (gateway, GatewayUnderTest(gateway.gateway, gateway.address, other))
    received: list[set[str]] = [set(), set()]
    async with (
        redis.connect(redis_url) as connection,
        Publisher.open(pool, connection) as publisher,
        tenants[0].client("resident") as one,
        tenants[1].client("resident") as two,
    ):
        over = asyncio.Event()
        async with asyncio.TaskGroup() as visits:
            for tenant, ids in zip(tenants, received, strict=True):
                for number in range(VISITORS):
                    visits.create_task(come_and_go(tenant, f"s{number}", ids, over))
            sent = await asyncio.gather(
                *(broadcast_on(Backend(tenant.environment, pool, publisher)) for tenant in tenants)
            )
            over.set()
        for resident, ids in zip((one, two), sent, strict=True):
            while hinted(resident) != set(ids):
                await resident.next("hint")
    for ids, own in zip(received, sent, strict=True):
        assert ids, "no visitor was there when a broadcast was sent"
        assert ids <= set(own)


async def broadcast_on(backend: Backend) -> list[str]:
    return [await backend.broadcast() for _ in range(BROADCASTS)]


async def come_and_go(
    tenant: GatewayUnderTest, subscriber_id: str, received: set[str], over: asyncio.Event
) -> None:
    """One visit reads and closes; the next never reads, and drops what it was sent, which is a reset."""
    while not over.is_set():
        async with tenant.client(subscriber_id) as client:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(VISIT_S):
                    await client.next("hint")
            received |= hinted(client)
        async with RawClient.open(tenant, subscriber_id) as unread:
            await asyncio.sleep(VISIT_S / 10)
            unread.abort()


def hinted(client: Client) -> set[str]:
    return {frame["id"] for frame in client.of_type("hint")}
