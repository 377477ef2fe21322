"""A hint goes out once where nothing fails, however busy the process is."""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from uuid import UUID

import httpx
import pytest
from redis.asyncio import Redis

from app import redis
from app.api.services import Services
from app.contract.hints import Hint
from app.db.pool import Pool, acquire
from app.worker.hints import HintJobs
from tests.harness import eventually


async def test_a_hint_is_finished_while_requests_hold_every_connection(
    services: Services,
    backend: httpx.AsyncClient,
    pool: Pool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Between its publishing and the end of its lease; the worker has nothing left to publish."""
    published: list[UUID | None] = []
    publish = redis.publish

    async with AsyncExitStack() as requests:

        async def busy(client: Redis, batch: Sequence[Hint]) -> bool:
            done = await publish(client, batch)
            published.extend(hint.item_id for hint in batch)
            for _ in range(services.settings.pg_pool_size):
                await requests.enter_async_context(acquire(services.pool))
            return done

        monkeypatch.setattr(redis, "publish", busy)
        sent = await backend.post("/v1/notifications", json={"subscriber_id": "ada", "category": "news"})
        assert sent.status_code == 201
        await eventually(lambda: _owed(pool), lambda owed: owed == 0, within_s=1.9)
        async with redis.connect(services.settings.redis_url) as client:
            assert await HintJobs(pool, client).run_once() > 0
    assert len(published) == 1


async def test_a_publication_that_failed_is_not_the_last(
    backend: httpx.AsyncClient, pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever it was; the job of the one that failed stands."""
    failures: list[Exception] = [ValueError("a defect")]
    publish = redis.publish

    async def failing(client: Redis, batch: Sequence[Hint]) -> bool:
        if failures:
            raise failures.pop()
        return await publish(client, batch)

    monkeypatch.setattr(redis, "publish", failing)
    for owed in (1, 1):
        sent = await backend.post("/v1/notifications", json={"subscriber_id": "ada", "category": "news"})
        assert sent.status_code == 201
        await eventually(lambda: _owed(pool), owed.__eq__)
        await asyncio.sleep(2 * redis.AWAY_PAUSE_S)
        assert await _owed(pool) == owed
    assert failures == []


async def _owed(pool: Pool) -> int:
    return await pool.fetchval("SELECT count(*) FROM outbox")
