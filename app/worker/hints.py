"""Publishes the hints that their own process did not get to: it crashed, or Redis was away."""

from typing import Final

from redis.asyncio import Redis

from app import redis
from app.db import outbox
from app.db.pool import Pool, acquire

BATCH: Final = 500


class HintJobs:
    def __init__(self, pool: Pool, client: Redis) -> None:
        self._pool = pool
        self._client = client

    async def run_once(self) -> float:
        """One batch; seconds until the next is due. While Redis is away nothing is claimed.

        Raises Unavailable.
        """
        async with acquire(self._pool) as connection:
            delay = await outbox.select_next_due(connection, "hint")
        if delay > 0 or not await redis.is_there(self._client):
            return max(delay, redis.AWAY_PAUSE_S)
        async with acquire(self._pool) as connection:
            jobs = await outbox.claim_hint_jobs(connection, BATCH)
        hints = [hint for job in jobs for hint in job.to_hints()]
        if not await redis.publish(self._client, hints):
            return redis.AWAY_PAUSE_S  # the leases run out, and the jobs are claimed again
        async with acquire(self._pool) as connection:
            await outbox.finish_hint_jobs(connection, jobs)
        return 0
