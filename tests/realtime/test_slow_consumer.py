"""One client that does not read must cost the others nothing."""

import asyncio
import time
from uuid import UUID, uuid4

import pytest
from prometheus_client import REGISTRY

from app import redis
from app.contract import hints, ids
from app.contract.hints import Hint
from app.db.pool import Pool
from realtime import connection
from tests.harness import eventually
from tests.realtime.backend import Backend
from tests.realtime.clients import GatewayUnderTest, RawClient


async def test_a_client_that_stops_reading_is_cut_with_4001_while_others_see_no_delay(
    gateway: GatewayUnderTest, backend: Backend, pool: Pool, redis_url: str
) -> None:
    async with (
        RawClient.open(gateway, "ann", receive_buffer=4096) as slow,
        gateway.client("bob") as brisk,
        redis.connect(redis_url) as client,
    ):
        inbox_id = await pool.fetchval("SELECT id FROM subscribers WHERE subscriber_id = 'ann'")
        hint = hint_of(gateway, inbox_id, inbox_id)
        before = slow_consumers()
        longest = 0.0
        async with asyncio.timeout(30):
            while slow_consumers() == before:
                assert await redis.publish(client, [hint] * 200)
                begun = time.monotonic()
                await backend.notify("bob")
                await brisk.next("hint")
                longest = max(longest, time.monotonic() - begun)
        assert longest < 0.5
        # What it was sent before is bounded; after it, the code, in case it ever reads again.
        sent, code = await slow.read_to_close()
        assert code == 4001
        assert sent < 1_000_000
        assert hints.frame("notification")[:16] in slow.received


async def test_a_client_that_reads_late_gets_every_frame_whole_and_in_its_place(
    gateway: GatewayUnderTest, pool: Pool, redis_url: str
) -> None:
    async with (
        RawClient.open(gateway, "ann", receive_buffer=4096) as late,
        redis.connect(redis_url) as client,
    ):
        inbox_id = await pool.fetchval("SELECT id FROM subscribers WHERE subscriber_id = 'ann'")
        items = [uuid4() for _ in range(1000)]
        for at in range(0, len(items), 20):
            assert await redis.publish(
                client, [hint_of(gateway, inbox_id, item) for item in items[at : at + 20]]
            )
            await asyncio.sleep(0.01)
            if at > len(items) / 2:  # the kernel is full by now, and gets room again and again
                await late.read(1000)
        told: list[str] = []
        while len(told) < len(items):
            await late.read(65_536)
            told = [frame["id"] for frame in late.frames() if frame["type"] == "hint"]
        assert told == [ids.encode_item("notification", item) for item in items]


async def test_one_that_says_no_more_and_does_not_read_is_let_go(
    gateway: GatewayUnderTest, pool: Pool, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Though what it has not read would keep its socket open for as long as it likes."""
    monkeypatch.setattr(connection, "CLOSE_TIMEOUT_S", 0.5)
    async with (
        RawClient.open(gateway, "ann", receive_buffer=4096) as silent,
        gateway.client("ann") as brisk,
        redis.connect(redis_url) as client,
    ):
        inbox_id = await pool.fetchval("SELECT id FROM subscribers WHERE subscriber_id = 'ann'")
        for _ in range(50):  # more than the kernel takes, less than a slow consumer is cut for
            assert await redis.publish(client, [hint_of(gateway, inbox_id, inbox_id)] * 20)
        while len(brisk.of_type("hint")) < 1000:
            await brisk.next("hint")
        assert gateway.gateway is not None
        assert gateway.gateway.connection_count == 2
        silent.end_sending()

        async def connections() -> int:
            return gateway.gateway.connection_count if gateway.gateway else 0

        await eventually(connections, (1).__eq__)


def hint_of(gateway: GatewayUnderTest, inbox_id: UUID, item_id: UUID) -> Hint:
    return Hint(
        environment_id=gateway.environment.id,
        inbox_id=inbox_id,
        reason="notification",
        at_us=time.time_ns() // 1000,
        item_id=item_id,
    )


def slow_consumers() -> float:
    return REGISTRY.get_sample_value("bellwire_slow_consumers_total") or 0.0
