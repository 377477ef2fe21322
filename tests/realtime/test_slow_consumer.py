"""One client that does not read must cost the others nothing."""

import asyncio
import time
from uuid import uuid4

from prometheus_client import REGISTRY

from app import redis
from app.contract import hints, ids
from app.contract.hints import Hint
from app.db.pool import Pool
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
        hint = Hint(
            environment_id=gateway.environment.id,
            inbox_id=inbox_id,
            reason="notification",
            at_us=time.time_ns() // 1000,
            item_id=inbox_id,
        )
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
            hints_of_some = [
                Hint(
                    environment_id=gateway.environment.id,
                    inbox_id=inbox_id,
                    reason="notification",
                    at_us=time.time_ns() // 1000,
                    item_id=item,
                )
                for item in items[at : at + 20]
            ]
            assert await redis.publish(client, hints_of_some)
            await asyncio.sleep(0.01)
            if at > len(items) / 2:  # the kernel is full by now, and gets room again and again
                await late.read(1000)
        told: list[str] = []
        while len(told) < len(items):
            await late.read(65_536)
            told = [frame["id"] for frame in late.frames() if frame["type"] == "hint"]
        assert told == [ids.encode_item("notification", item) for item in items]


def slow_consumers() -> float:
    return REGISTRY.get_sample_value("bellwire_slow_consumers_total") or 0.0
