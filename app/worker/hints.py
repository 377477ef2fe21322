"""Publishes the hints that their own process did not get to: it crashed, or Redis was away."""

import time
from collections.abc import Sequence
from typing import Final
from uuid import UUID

import asyncpg
import msgspec
import structlog
from redis.asyncio import Redis

from app import redis, telemetry
from app.contract.hints import Hint
from app.db import outbox
from app.db.outbox import HintJob, Job
from app.db.pool import Pool, acquire, run
from app.logs import one_line
from app.worker.pace import Pace

log = structlog.stdlib.get_logger()

BATCH: Final = 500  # jobs at most


class HintJobs:
    def __init__(self, pool: Pool, client: Redis) -> None:
        self._pool = pool
        self._client = client
        self._pace = Pace(BATCH)

    async def run_once(self) -> float:
        """One batch; seconds until the next is due. While Redis is away nothing is claimed.

        Raises Unavailable.
        """
        async with acquire(self._pool) as connection:
            delay = await outbox.select_next_due(connection, "hint")
        if delay > 0:
            return delay
        if not await redis.is_there(self._client):
            return redis.AWAY_PAUSE_S
        begun = time.monotonic()
        async with acquire(self._pool) as connection:
            claimed = await outbox.claim_jobs(connection, "hint", self._pace.size)
        for job in claimed:
            telemetry.job_wait.labels("hint").observe(job.waited_s)
        jobs = await self._decode(claimed)
        hints = coalesce(jobs)
        if not await redis.publish(self._client, hints):
            self._pace.took(time.monotonic() - begun)  # it may have been too much to be answered in time
            return redis.AWAY_PAUSE_S  # the leases run out, and the jobs are claimed again
        if jobs:
            await self._finish(jobs, hints)
        self._pace.took(time.monotonic() - begun)
        return 0

    async def _finish(self, jobs: Sequence[HintJob], hints: Sequence[Hint]) -> None:
        """All at once; where that fails one by one, so that one that cannot end keeps no other."""
        try:
            await run(self._pool, lambda c: outbox.finish_hint_jobs(c, jobs, hints))
            telemetry.jobs.labels("hint", "done").inc(len(jobs))
        except asyncpg.PostgresError as error:
            if len(jobs) == 1:
                await self._fail(jobs[0].environment_id, jobs[0].id, error)
                return
            log.warning("a batch failed; doing it one by one", kind="hint", error=one_line(error))
            for job in jobs:
                theirs = {(hint.environment_id, hint.inbox_id, hint.item_id) for hint in job.to_hints()}
                await self._finish(
                    [job], [h for h in hints if (h.environment_id, h.inbox_id, h.item_id) in theirs]
                )

    async def _fail(self, environment_id: UUID, job_id: UUID, error: Exception) -> None:
        log.error("a hint job failed", job=str(job_id), error=one_line(error))
        async with acquire(self._pool) as connection:
            parked = await outbox.fail_job(connection, environment_id, job_id, str(error))
        telemetry.jobs.labels("hint", "parked" if parked else "failed").inc()

    async def _decode(self, claimed: Sequence[Job]) -> list[HintJob]:
        """What cannot be read fails on its own, and takes nothing else along."""
        jobs: list[HintJob] = []
        for job in claimed:
            try:
                jobs.append(outbox.to_hint_job(job))
            except msgspec.DecodeError as error:
                await self._fail(job.environment_id, job.id, error)
        return jobs


def coalesce(jobs: Sequence[HintJob]) -> list[Hint]:
    """One hint per inbox, the latest, and every broadcast's: a backlog must not become a storm.

    An inbox with a single hint keeps it as it is; with more, what is left of them is a resync.
    """
    latest: dict[object, Hint] = {}
    for job in jobs:
        for hint in job.to_hints():
            key = (hint.environment_id, hint.inbox_id or hint.item_id)
            if hint.inbox_id is not None and key in latest:
                hint = msgspec.structs.replace(hint, reason="resync", item_id=None)  # noqa: PLW2901
            latest[key] = hint
    return list(latest.values())
