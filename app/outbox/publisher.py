"""Publishes the hints of committed transactions right away, and deletes their jobs, in batches."""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import partial
from typing import Final

import asyncpg
import structlog
from redis.asyncio import Redis

from app import redis
from app.contract.errors import BellwireError
from app.db import outbox
from app.db.outbox import HintJob
from app.db.pool import Pool, run

log = structlog.stdlib.get_logger()

MOST_WAITING: Final = 10_000  # jobs; past it they are left to the workers
BATCH: Final = 512  # jobs published in one round trip
# A job that has waited longer to be published might not be finished within its lease: a worker would publish
# it once more. It is left to the worker.
PROMPT_S = 1.0


class Publisher:
    """Takes hints after commit. Whatever it does not manage, the outbox job still owes.

    pool: for this alone. Behind requests, jobs that were published might not be finished in time.
    """

    def __init__(self, pool: Pool, client: Redis) -> None:
        self._pool = pool
        self._client = client
        self._waiting: list[tuple[float, HintJob]] = []  # since when: seconds of the monotonic clock
        self._published: list[HintJob] = []
        self._to_publish = asyncio.Event()
        self._to_finish = asyncio.Event()
        self._to_wake = asyncio.Event()
        self._closing = False
        self._all_published = False

    @classmethod
    @asynccontextmanager
    async def open(cls, pool: Pool, client: Redis) -> AsyncGenerator["Publisher"]:
        """Runs until the block ends; then what is waiting is still published."""
        publisher = cls(pool, client)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(publisher._publish())
            tasks.create_task(publisher._finish())
            tasks.create_task(publisher._wake())
            try:
                yield publisher
            finally:
                publisher._closing = True
                publisher._to_publish.set()
                publisher._to_wake.set()

    def offer(self, job: HintJob | None) -> None:
        """Never waits: the transaction has committed, and its caller is being answered. None: no job."""
        if job is not None and len(self._waiting) < MOST_WAITING:
            self._waiting.append((time.monotonic(), job))
            self._to_publish.set()

    def wake_workers(self) -> None:
        """Never waits either, not even for a Redis that does not answer."""
        self._to_wake.set()

    async def _publish(self) -> None:
        while not self._closing or self._waiting:
            await self._to_publish.wait()
            self._to_publish.clear()
            while self._waiting:
                taken, self._waiting = self._waiting[:BATCH], self._waiting[BATCH:]
                oldest = time.monotonic() - PROMPT_S
                batch = [job for since, job in taken if since > oldest]
                if await redis.publish(self._client, [hint for job in batch for hint in job.to_hints()]):
                    self._published += batch
                    self._to_finish.set()
                else:
                    self._waiting.clear()  # their leases run out, and a worker takes over
                    await asyncio.sleep(0 if self._closing else redis.AWAY_PAUSE_S)
        self._all_published = True
        self._to_finish.set()

    async def _finish(self) -> None:
        while not self._all_published or self._published:
            await self._to_finish.wait()
            self._to_finish.clear()
            jobs, self._published = self._published, []
            if not jobs:
                continue
            hints = [hint for job in jobs for hint in job.to_hints()]
            try:
                await run(self._pool, partial(outbox.finish_hint_jobs, jobs=jobs, published=hints))
            except (BellwireError, asyncpg.PostgresError):
                # Nothing is lost: the jobs stand, and a worker publishes them once more.
                log.warning("published hint jobs could not be deleted", jobs=len(jobs), exc_info=True)

    async def _wake(self) -> None:
        while not self._closing:
            await self._to_wake.wait()
            self._to_wake.clear()
            await redis.wake_workers(self._client)
