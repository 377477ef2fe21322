"""Once a day, and at boot: partitions ahead, and what has had its time behind, in batches."""

import time
from typing import Final

import asyncpg
import structlog

from app.db import retention
from app.db.migrate import PARTITIONS_AHEAD
from app.db.pool import Connection, Pool, acquire, run
from app.outbox.publisher import Publisher

log = structlog.stdlib.get_logger()

BATCH: Final = 500
EVERY_S: Final = 24 * 3600.0
_AFTER_TROUBLE_S: Final = 600.0
_FORGETTING: Final = (
    retention.forget_requests,
    retention.forget_overrides,
    retention.forget_sessions,
    retention.forget_login_failures,
)


class Retention:
    """Of any number of workers one cleans up at a time; the others find nothing left to do."""

    def __init__(self, pool: Pool, publisher: Publisher, *, months: int) -> None:
        self._pool = pool
        self._publisher = publisher
        self._months = months
        self._next_at = 0.0

    async def run_once(self) -> float:
        """The whole pass where it is due; seconds until the next. Raises Unavailable."""
        delay = self._next_at - time.monotonic()
        if delay > 0:
            return delay
        try:
            await self.clean_up()
        except asyncpg.PostgresError:
            log.exception("cleaning up failed; it will be tried again")
            self._next_at = time.monotonic() + _AFTER_TROUBLE_S
        else:
            self._next_at = time.monotonic() + EVERY_S
        return 0

    async def clean_up(self) -> None:
        """One pass, unless another worker is at it. Raises Unavailable, asyncpg.PostgresError."""
        async with acquire(self._pool) as connection:
            if not await retention.try_lock(connection):
                return
            try:
                await self._pass(connection)
            finally:
                await retention.unlock(connection)

    async def _pass(self, connection: Connection) -> None:
        await retention.ensure_partitions(connection, PARTITIONS_AHEAD)
        oldest = await retention.select_oldest_kept(connection, self._months)
        while True:
            retired = await run(self._pool, lambda c: retention.retire_items(c, oldest, BATCH))
            for job in retired.jobs:
                self._publisher.offer(job)
            if retired.removed == 0:
                break
        while (ended := await run(self._pool, lambda c: retention.retire_broadcast(c, oldest))) is not None:
            self._publisher.offer(ended.job)
        while await retention.forget_moves(connection, oldest, BATCH):
            pass
        for forget in _FORGETTING:
            while await forget(connection, BATCH):
                pass
        for partition in await retention.select_partitions_before(connection, oldest):
            await retention.drop_partition(connection, partition)
            log.info("partition dropped", partition=partition.name)
