"""Once a day, and at boot: partitions ahead, and what has had its time behind, in batches."""

import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final
from uuid import UUID

import asyncpg
import structlog

from app.db import delivery, retention
from app.db.migrate import PARTITIONS_AHEAD
from app.db.pool import Connection, Pool, acquire
from app.outbox.publisher import Publisher
from app.worker.set_aside import Chore

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
        self._months = months
        self._next_at = 0.0
        self._oldest = UUID(int=0)  # that is kept
        self._chores = (
            Chore(
                pool,
                publisher,
                kind="retirement",
                do_batch=lambda c, set_aside: retention.retire_items(c, self._oldest, BATCH, set_aside),
                select=lambda c, set_aside: retention.select_old_items(c, self._oldest, BATCH, set_aside),
                do_one=lambda c, item: delivery.remove_one(c, item, "resync"),
            ),
            Chore(
                pool,
                publisher,
                kind="broadcast_retirement",
                select=lambda c, set_aside: retention.select_old_broadcasts(c, self._oldest, set_aside),
                do_one=delivery.remove_one_broadcast,
            ),
        )

    async def run_once(self) -> float:
        """The whole pass where it is due; seconds until the next. Raises Unavailable."""
        delay = self._next_at - time.monotonic()
        if delay > 0:
            return delay
        is_done = await self.clean_up()
        self._next_at = time.monotonic() + (EVERY_S if is_done else _AFTER_TROUBLE_S)
        return 0

    async def clean_up(self) -> bool:
        """One pass, unless another worker is at it; whether nothing has to be tried again.

        Raises Unavailable.
        """
        async with acquire(self._pool) as connection:
            if not await retention.try_lock(connection):
                return True
            try:
                return await self._pass(connection)
            finally:
                await retention.unlock(connection)

    async def _pass(self, connection: Connection) -> bool:
        """Every part is tried, whatever becomes of the others; the last needs those before it."""
        self._oldest = await retention.select_oldest_kept(connection, self._months)
        parts: list[Callable[[], Awaitable[None]]] = [
            partial(retention.ensure_partitions, connection, PARTITIONS_AHEAD),
            *(partial(_all_of, chore) for chore in self._chores),
            partial(_until_none, retention.forget_moves, connection, self._oldest, BATCH),
            *(partial(_until_none, forget, connection, BATCH) for forget in _FORGETTING),
            partial(self._drop_partitions, connection),
        ]
        is_done = True
        for part in parts:
            try:
                await part()
            except asyncpg.PostgresError:
                log.exception("a part of cleaning up failed; it will be tried again")
                is_done = False
        return is_done and not any(chore.set_aside for chore in self._chores)

    async def _drop_partitions(self, connection: Connection) -> None:
        for partition in await retention.select_partitions_before(connection, self._oldest):
            await retention.drop_partition(connection, partition)
            log.info("partition dropped", partition=partition.name)


async def _all_of(chore: Chore) -> None:
    while await chore.run():
        pass


async def _until_none(forget: Callable[..., Awaitable[int]], *arguments: object) -> None:
    while await forget(*arguments):
        pass
