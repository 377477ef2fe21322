"""Runs archive-read jobs, a chunk of each in turn, so that a long one keeps nobody waiting."""

from typing import Final

import asyncpg
import structlog

from app import telemetry
from app.db import outbox
from app.db.pool import Pool, acquire, run
from app.outbox.publisher import Publisher

log = structlog.stdlib.get_logger()

CHUNK: Final = 500  # items archived in one transaction
BATCH: Final = 8  # jobs taken up at a time


class ArchiveReadJobs:
    def __init__(self, pool: Pool, publisher: Publisher) -> None:
        self._pool = pool
        self._publisher = publisher

    async def run_once(self) -> float:
        """One chunk of each job claimed; seconds until more is due. Raises Unavailable."""
        async with acquire(self._pool) as connection:
            delay = await outbox.select_next_due(connection, "archive_read")
        if delay > 0:
            return delay
        async with acquire(self._pool) as connection:
            claimed = await outbox.claim_jobs(connection, "archive_read", BATCH)
        for job in claimed:
            telemetry.job_wait.labels("archive_read").observe(job.waited_s)
            await self._run(job)
        return 0

    async def _run(self, job: outbox.Job) -> None:
        try:
            step = await run(
                self._pool,
                lambda connection: outbox.run_archive_read(connection, job.environment_id, job.id, CHUNK),
            )
        except asyncpg.PostgresError as error:
            log.exception("an archive-read job failed", job=str(job.id))
            async with acquire(self._pool) as connection:
                parked = await outbox.fail_job(connection, job.environment_id, job.id, str(error))
            telemetry.jobs.labels("archive_read", "parked" if parked else "failed").inc()
            return
        self._publisher.offer(step.job)
        if step.done:
            telemetry.jobs.labels("archive_read", "done").inc()
