"""Delivers what was scheduled, within milliseconds of its time."""

import math
import time
from typing import Final

from app.db import delivery
from app.db.pool import Pool, acquire, run
from app.outbox.publisher import Publisher
from app.worker.pace import Pace

BATCH: Final = 200  # items at most
_HELD_ELSEWHERE_S: Final = 0.02  # what is due is in other hands; they are about to finish


class Deliveries:
    def __init__(self, pool: Pool, publisher: Publisher) -> None:
        self._pool = pool
        self._publisher = publisher
        self._pace = Pace(BATCH)

    async def run_once(self) -> float:
        """One batch of notifications and one broadcast; seconds until more is due. Raises Unavailable."""
        async with acquire(self._pool) as connection:
            delay = await delivery.select_next_delivery(connection)
        if delay is None or delay > 0:
            return math.inf if delay is None else delay
        begun = time.monotonic()
        jobs = await run(self._pool, lambda connection: delivery.deliver_due(connection, self._pace.size))
        for job in jobs:
            self._publisher.offer(job)
        announced = await run(self._pool, delivery.deliver_due_broadcast)
        self._pace.took(time.monotonic() - begun)
        if announced is not None:
            self._publisher.offer(announced.job)
        return 0 if jobs or announced else _HELD_ELSEWHERE_S


class Expiries:
    """Removes what has had its time, like a retraction."""

    def __init__(self, pool: Pool, publisher: Publisher) -> None:
        self._pool = pool
        self._publisher = publisher
        self._pace = Pace(BATCH)

    async def run_once(self) -> float:
        """One batch of notifications and one broadcast; seconds until more is due. Raises Unavailable."""
        async with acquire(self._pool) as connection:
            delay = await delivery.select_next_expiry(connection)
        if delay is None or delay > 0:
            return math.inf if delay is None else delay
        begun = time.monotonic()
        jobs = await run(self._pool, lambda connection: delivery.expire_due(connection, self._pace.size))
        for job in jobs:
            self._publisher.offer(job)
        ended = await run(self._pool, delivery.expire_due_broadcast)
        self._pace.took(time.monotonic() - begun)
        if ended is not None:
            self._publisher.offer(ended.job)
        return 0 if jobs or ended else _HELD_ELSEWHERE_S
