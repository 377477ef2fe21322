"""Token buckets: exact in Redis and shared, kept up without it, never in the way."""

import asyncio
import time
from collections.abc import AsyncGenerator
from uuid import UUID

import pytest
from redis.asyncio import Redis

from app import redis
from app.contract.errors import RateLimited
from app.services.rate_limits import RateLimits
from app.settings import Settings
from tests.harness import NO_REDIS

KEY = UUID(int=7)


def settings(redis_url: str, *, rate: float, burst: float) -> Settings:
    return Settings(
        database_url="postgresql://none", redis_url=redis_url, api_key_rate=rate, api_key_burst=burst
    )


@pytest.fixture
async def client(redis_url: str) -> AsyncGenerator[Redis]:
    async with redis.connect(redis_url) as connected:
        yield connected


async def passed(limits: RateLimits, requests: int) -> int:
    """How many of so many requests at once got a token."""
    outcomes = await asyncio.gather(
        *(limits.charge_api_key(KEY) for _ in range(requests)), return_exceptions=True
    )
    assert all(outcome is None or isinstance(outcome, RateLimited) for outcome in outcomes)
    return outcomes.count(None)


async def test_replicas_share_one_bucket(client: Redis, redis_url: str) -> None:
    """Two processes' worth of requests get the burst once."""
    wanted = settings(redis_url, rate=0.01, burst=30)
    replicas = RateLimits(client, wanted), RateLimits(client, wanted)
    assert sum(await asyncio.gather(*(passed(replica, 40) for replica in replicas))) == 30


async def test_tokens_come_back_at_the_rate(client: Redis, redis_url: str) -> None:
    limits = RateLimits(client, settings(redis_url, rate=50, burst=1))
    await limits.charge_api_key(KEY)
    with pytest.raises(RateLimited) as refused:
        await limits.charge_api_key(KEY)
    assert refused.value.retry_after_s == 1
    deadline = time.monotonic() + 5
    while await passed(limits, 1) == 0:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.005)


async def test_zero_switches_it_off(client: Redis, redis_url: str) -> None:
    assert await passed(RateLimits(client, settings(redis_url, rate=0, burst=1)), 500) == 500


async def test_without_redis_each_process_keeps_its_own_bucket() -> None:
    """Within 100 ms the first time, at once after that: Redis is not asked again and again."""
    async with redis.connect(NO_REDIS) as client:
        limits = RateLimits(client, settings(NO_REDIS, rate=0.01, burst=30))
        started = time.monotonic()
        assert await passed(limits, 40) == 30
        assert time.monotonic() - started < 1
        started = time.monotonic()
        assert await passed(limits, 1) == 0
        assert time.monotonic() - started < 0.05


async def test_an_answer_that_makes_no_sense_leaves_nobody_waiting() -> None:
    """Of something else that speaks Redis's language."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(65_536):
            writer.write(b"*0\r\n" * 8)
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    url = f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}/0"
    async with redis.connect(url) as client:
        limits = RateLimits(client, settings(url, rate=0.01, burst=30))
        async with asyncio.timeout(5):
            assert await passed(limits, 40) == 30
    server.close()
