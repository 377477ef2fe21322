"""Publishes the hints of committed transactions right away, and deletes their jobs, in batches."""

import asyncio
import time
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import partial
from typing import Final

import structlog
from redis.asyncio import Redis

from app import redis, telemetry
from app.contract.errors import BellwireError
from app.contract.hints import Hint
from app.db import outbox
from app.db.outbox import HintJob
from app.db.pool import Pool, run

log = structlog.stdlib.get_logger()

MOST_WAITING: Final = 20_000  # hints; past it their jobs are left to the workers
BATCH: Final = 512  # hints published in one round trip, but for a job that has more
# A job that has waited longer to be published might not be finished within its lease: a worker would publish
# it once more. It is left to the worker.
PROMPT_S = 1.0
ANSWER_TURNS: Final = 2  # of the loop, until those whose commit it was have their answers on the wire
GATHER_S: Final = 0.01  # for which published jobs wait to be finished together, out of the way of requests


class Publisher:
    """Takes hints after commit. Whatever it does not manage, the outbox job still owes.

    pool: for this alone. Behind requests, jobs that were published might not be finished in time. It need not
    be durable: a job whose end is lost is published once more.
    """

    def __init__(self, pool: Pool, client: Redis) -> None:
        self._pool = pool
        self._client = client
        self._waiting: deque[tuple[float, HintJob]] = deque()  # since when: seconds of the monotonic clock
        self._hints_waiting = 0
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
        if job is not None and self._hints_waiting < MOST_WAITING:
            self._waiting.append((time.monotonic(), job))
            self._hints_waiting += len(job.payload.hints)
            self._to_publish.set()

    def wake_workers(self) -> None:
        """Never waits either, not even for a Redis that does not answer."""
        self._to_wake.set()

    async def _publish(self) -> None:
        while not self._closing or self._waiting:
            await self._to_publish.wait()
            self._to_publish.clear()
            for _ in range(ANSWER_TURNS):
                await asyncio.sleep(0)
            while self._waiting:
                jobs, hints = self._take()
                if await self._reached(hints):
                    self._published += jobs
                    self._to_finish.set()
                else:
                    self._waiting.clear()  # their leases run out, and a worker takes over
                    self._hints_waiting = 0
                    await asyncio.sleep(0 if self._closing else redis.AWAY_PAUSE_S)
        self._all_published = True
        self._to_finish.set()

    async def _reached(self, hints: list[Hint]) -> bool:
        """Whether Redis took them."""
        try:
            return await redis.publish(self._client, hints)
        except Exception:
            log.exception("hints could not be published; a worker will")
            return False

    def _take(self) -> tuple[list[HintJob], list[Hint]]:
        """The next jobs that are still ours to do, and what they hint."""
        jobs: list[HintJob] = []
        hints: list[Hint] = []
        oldest = time.monotonic() - PROMPT_S
        while self._waiting and (not jobs or len(hints) + len(self._waiting[0][1].payload.hints) <= BATCH):
            since, job = self._waiting.popleft()
            self._hints_waiting -= len(job.payload.hints)
            if since > oldest:
                jobs.append(job)
                hints += job.to_hints()
        return jobs, hints

    async def _finish(self) -> None:
        while not self._all_published or self._published:
            await self._to_finish.wait()
            self._to_finish.clear()
            await asyncio.sleep(GATHER_S)
            jobs, self._published = self._published, []
            if not jobs:
                continue
            try:
                await run(self._pool, partial(outbox.finish_hint_jobs, jobs=jobs))
            except BellwireError as error:
                # Nothing is lost: the jobs stand, and a worker publishes them once more.
                log.warning("published hint jobs could not be deleted", jobs=len(jobs), error=str(error))
            except Exception:
                log.exception("published hint jobs could not be deleted", jobs=len(jobs))
            else:
                telemetry.jobs.labels("hint", "done").inc(len(jobs))

    async def _wake(self) -> None:
        while not self._closing:
            await self._to_wake.wait()
            self._to_wake.clear()
            try:
                await redis.wake_workers(self._client)
            except Exception:
                log.exception("workers could not be woken; they look by themselves")
