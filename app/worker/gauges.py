"""The gauges that are asked of PostgreSQL: queues, dead letters, partitions, drift of the counters."""

import time
from collections.abc import Mapping
from typing import Final

import asyncpg
import structlog
from prometheus_client import Gauge

from app import telemetry
from app.db import figures
from app.db.pool import Pool, acquire

log = structlog.stdlib.get_logger()

EVERY_S: Final = 15.0


class Gauges:
    """Of any number of workers each measures for itself: the figures are the same."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._next_at = 0.0
        self._shown: dict[Gauge, set[tuple[str, ...]]] = {}

    async def run_once(self) -> float:
        """Measures where it is due; seconds until the next time. Raises Unavailable."""
        delay = self._next_at - time.monotonic()
        if delay > 0:
            return delay
        try:
            await self.measure()
        except asyncpg.PostgresError:
            log.exception("measuring failed; it will be tried again")
        self._next_at = time.monotonic() + EVERY_S
        return EVERY_S

    async def measure(self) -> None:
        """Raises Unavailable, asyncpg.PostgresError."""
        async with acquire(self._pool) as connection:
            queues = await figures.select_queues(connection)
            dead_letters = await figures.select_dead_letter_counts(connection)
            partitions = await figures.select_partitions_remaining(connection)
            drift = await figures.select_drift(connection)
        self._show(
            telemetry.queue_depth, {(queue.environment, queue.job_type): queue.depth for queue in queues}
        )
        self._show(telemetry.queue_due, {(queue.environment, queue.job_type): queue.due for queue in queues})
        self._show(telemetry.dead_letters, {(job_type,): count for job_type, count in dead_letters.items()})
        self._show(telemetry.partitions_remaining, {(table,): left for table, left in partitions.items()})
        telemetry.counter_drift.labels("unread").inc(drift.unread)
        telemetry.counter_drift.labels("unseen").inc(drift.unseen)
        if drift.unread or drift.unseen:
            log.error("counters differ from what they count", unread=drift.unread, unseen=drift.unseen)

    def _show(self, gauge: Gauge, values: Mapping[tuple[str, ...], int]) -> None:
        """What is no longer there is taken off, at no moment all of it."""
        for labels, value in values.items():
            gauge.labels(*labels).set(value)
        for labels in self._shown.get(gauge, set()) - set(values):
            gauge.remove(*labels)
        self._shown[gauge] = set(values)
