"""Work on items in batches, in which one that cannot be done keeps no other waiting.

A batch that fails is done again item by item. One that fails alone is set aside: batches pass it over, and it
is tried alone again, after a time that grows as a job's of the outbox. What is set aside is kept in memory:
another worker, or the next one, finds out for itself.
"""

import math
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Final
from uuid import UUID

import asyncpg
import msgspec
import structlog

from app import telemetry
from app.db.delivery import Item, Removed
from app.db.outbox import HintJob
from app.db.pool import Connection, Pool, run
from app.logs import one_line
from app.outbox.publisher import Publisher

log = structlog.stdlib.get_logger()

MOST: Final = 1_000  # set aside at a time; when more fail, it is not the items
FIRST_S: Final = 5.0
_TRIED_AGAIN: Final = 20  # in one pass: what is healthy must not wait for many that are not
LONGEST_S: Final = 900.0

Select = Callable[[Connection, Sequence[UUID]], Awaitable[list[Item]]]
DoOne = Callable[[Connection, Item], Awaitable[list[HintJob]]]
DoBatch = Callable[[Connection, Sequence[UUID]], Awaitable[Removed | list[HintJob]]]


class _Failed(msgspec.Struct):
    attempts: int = 0
    next_at: float = 0.0  # of the monotonic clock


class Chore:
    """kind: what the items are, for logs and metrics. Without do_batch they are always done one by one."""

    def __init__(
        self,
        pool: Pool,
        publisher: Publisher,
        *,
        kind: str,
        select: Select,
        do_one: DoOne,
        do_batch: DoBatch | None = None,
    ) -> None:
        self._pool = pool
        self._publisher = publisher
        self._kind = kind
        self._select = select
        self._do_one = do_one
        self._do_batch = do_batch
        self._failed: dict[Item, _Failed] = {}

    @property
    def set_aside(self) -> list[UUID]:
        return [item.id for item in self._failed]

    @property
    def next_try_s(self) -> float:
        """Seconds until the first of what is set aside is tried again; infinity where nothing is."""
        first = min((failed.next_at for failed in self._failed.values()), default=math.inf)
        return first - time.monotonic()

    async def run(self) -> bool:
        """One batch, and what is set aside and due again; whether there may be more to do at once.

        Raises Unavailable, and the error of an item where no more can be set aside.
        """
        now = time.monotonic()
        again = [item for item, failed in self._failed.items() if failed.next_at <= now]
        for item in again[:_TRIED_AGAIN]:
            await self._try(item)
        if self._do_batch is not None:
            do_batch = self._do_batch
            try:
                done = await run(self._pool, lambda connection: do_batch(connection, self.set_aside))
            except asyncpg.PostgresError as error:
                log.warning("a batch failed; doing it one by one", kind=self._kind, error=one_line(error))
            else:
                jobs = done.jobs if isinstance(done, Removed) else done
                self._offer(jobs)
                return bool(done.number if isinstance(done, Removed) else jobs)
        items = await run(self._pool, lambda connection: self._select(connection, self.set_aside))
        too_many: asyncpg.PostgresError | None = None
        for item in items:
            too_many = await self._try(item) or too_many
        if too_many is not None:
            raise too_many
        return bool(items)

    async def _try(self, item: Item) -> asyncpg.PostgresError | None:
        """Its error, where it failed and cannot be set aside."""
        try:
            jobs = await run(self._pool, lambda connection: self._do_one(connection, item))
        except asyncpg.PostgresError as error:
            if item not in self._failed and len(self._failed) >= MOST:
                return error
            self._set_aside(item, error)
        else:
            self._failed.pop(item, None)
            self._offer(jobs)
        telemetry.set_aside.labels(self._kind).set(len(self._failed))
        return None

    def _set_aside(self, item: Item, error: asyncpg.PostgresError) -> None:
        failed = self._failed.setdefault(item, _Failed())
        longest = min(LONGEST_S, FIRST_S * 2**failed.attempts)
        wait = random.uniform(longest / 2, longest)  # noqa: S311 - jitter
        failed.attempts = min(failed.attempts + 1, 20)
        failed.next_at = time.monotonic() + wait
        log.error(
            "an item failed and is set aside",
            kind=self._kind,
            environment=str(item.environment_id),
            item=str(item.id),
            error=one_line(error),
            retry_in_s=round(wait, 1),
        )

    def _offer(self, jobs: Sequence[HintJob]) -> None:
        for job in jobs:
            self._publisher.offer(job)
