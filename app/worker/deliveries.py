"""Delivers what was scheduled, within milliseconds of its time; removes what has had its time."""

import math
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Final
from uuid import UUID

from app.db import delivery
from app.db.pool import Connection, Pool, acquire
from app.outbox.publisher import Publisher
from app.worker.pace import Pace
from app.worker.set_aside import Chore

BATCH: Final = 200  # items at most
_HELD_ELSEWHERE_S: Final = 0.02  # what is due is in other hands; they are about to finish

NextDue = Callable[[Connection, Sequence[UUID]], Awaitable[float | None]]


class _Times:
    """One batch of notifications and some broadcasts at a time, as they become due."""

    def __init__(self, pool: Pool, pace: Pace, next_due: NextDue, *chores: Chore) -> None:
        self._pool = pool
        self._pace = pace
        self._next_due = next_due
        self._chores = chores

    async def run_once(self) -> float:
        """Does what is due; seconds until more is. Raises as Chore.run()."""
        set_aside = [item for chore in self._chores for item in chore.set_aside]
        async with acquire(self._pool) as connection:
            due = await self._next_due(connection, set_aside)
        delay = min(math.inf if due is None else due, *(chore.next_try_s for chore in self._chores))
        if delay > 0:
            return delay
        begun = time.monotonic()
        more = [await chore.run() for chore in self._chores]
        self._pace.took(time.monotonic() - begun)
        return 0 if any(more) else _HELD_ELSEWHERE_S


class Deliveries(_Times):
    def __init__(self, pool: Pool, publisher: Publisher) -> None:
        pace = Pace(BATCH)
        super().__init__(
            pool,
            pace,
            delivery.select_next_delivery,
            Chore(
                pool,
                publisher,
                kind="delivery",
                do_batch=lambda connection, set_aside: delivery.deliver_due(connection, pace.size, set_aside),
                select=lambda connection, set_aside: delivery.select_due(connection, pace.size, set_aside),
                do_one=delivery.deliver_one,
            ),
            Chore(
                pool,
                publisher,
                kind="broadcast_delivery",
                select=delivery.select_due_broadcasts,
                do_one=delivery.deliver_one_broadcast,
            ),
        )


class Expiries(_Times):
    """Removes like a retraction."""

    def __init__(self, pool: Pool, publisher: Publisher) -> None:
        pace = Pace(BATCH)
        super().__init__(
            pool,
            pace,
            delivery.select_next_expiry,
            Chore(
                pool,
                publisher,
                kind="expiry",
                do_batch=lambda connection, set_aside: delivery.expire_due(connection, pace.size, set_aside),
                select=lambda connection, set_aside: delivery.select_expired(
                    connection, pace.size, set_aside
                ),
                do_one=lambda connection, item: delivery.remove_one(connection, item, "expired"),
            ),
            Chore(
                pool,
                publisher,
                kind="broadcast_expiry",
                select=delivery.select_expired_broadcasts,
                do_one=delivery.remove_one_broadcast,
            ),
        )
