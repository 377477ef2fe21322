"""A look-up shared by many: answers are kept for half a second, and misses travel together."""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from typing import Final, Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

KEEP_S: Final = 0.5  # bounds how long a revocation takes to act, with no invalidation traffic
MOST: Final = 10_000  # answers kept; past it the oldest go


class Lookup(Generic[K, V]):
    """Finds values by key with one query at a time, carrying every key asked for meanwhile.

    find(keys) returns those that exist. An absent value is remembered as well.
    """

    def __init__(self, find: Callable[[Sequence[K]], Awaitable[Mapping[K, V]]]) -> None:
        self._find = find
        # By key: when it was asked for, until when that holds, and the answer.
        self._kept: dict[K, tuple[float, float, V | None]] = {}
        self._waiting: dict[K, asyncio.Future[V | None]] = {}
        self._task: asyncio.Task[None] | None = None

    async def get(self, key: K, *, since: float = -math.inf) -> V | None:
        """No answer asked for before `since`, seconds of the monotonic clock. Raises what find raises."""
        kept = self._kept.get(key)
        if kept is not None:
            asked_at, until, value = kept
            if asked_at >= since and until > time.monotonic():
                return value
        future = self._waiting.get(key)
        if future is None:
            future = self._waiting[key] = asyncio.get_running_loop().create_future()
            if self._task is None:
                self._task = asyncio.create_task(self._run())
        return await asyncio.shield(future)

    async def _run(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting, {}
                asked_at = time.monotonic()
                try:
                    found = await self._find(list(batch))
                except BaseException as error:  # noqa: BLE001 - handed to everyone who waits
                    for future in batch.values():
                        if not future.done():
                            future.set_exception(error)
                            future.exception()  # retrieved: a waiter may have gone
                    continue
                self._keep(batch, found, asked_at)
        finally:
            self._task = None

    def _keep(
        self, batch: Mapping[K, asyncio.Future[V | None]], found: Mapping[K, V], asked_at: float
    ) -> None:
        until = time.monotonic() + KEEP_S
        for key, future in batch.items():
            value = found.get(key)
            self._kept.pop(key, None)  # re-inserted last: the dict stays in order of age
            self._kept[key] = (asked_at, until, value)
            if not future.done():
                future.set_result(value)
        while len(self._kept) > MOST:
            self._kept.pop(next(iter(self._kept)))
