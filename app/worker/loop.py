"""Runs steps one after the other, asleep in between until the next is due or somebody knocks."""

import asyncio
import contextlib
import random
from collections.abc import Awaitable, Callable
from typing import Final

import structlog

from app import telemetry
from app.contract.errors import Unavailable
from app.db.outage import Outage
from app.logs import one_line

log = structlog.stdlib.get_logger()

MOST_S: Final = 1.0  # longest sleep: what is due unannounced (Redis away, a crash) waits no longer
_AWAY_S: Final = 0.5
LONGEST_PAUSE_S: Final = 30.0


class Loop:
    """step() does what is due and returns the seconds until more is: 0 for at once.

    A step that finds PostgreSQL away is tried again soon. After any other error it is tried again too, after
    a pause that grows with every failure in a row. Other loops go on.
    """

    def __init__(self, name: str, step: Callable[[], Awaitable[float]], outage: Outage) -> None:
        self._name = name
        self._step = step
        self._outage = outage
        self._knocked = asyncio.Event()

    def knock(self) -> None:
        """Something earlier became due."""
        self._knocked.set()

    async def run(self, stopping: asyncio.Event) -> None:
        """Until stopping is set; a step under way is finished first."""
        failures = 0
        while not stopping.is_set():
            self._knocked.clear()
            try:
                delay = await self._step()
            except Unavailable as error:
                self._outage.met(self, error)
                delay = random.uniform(_AWAY_S, 2 * _AWAY_S)  # noqa: S311 - jitter
            except Exception as error:  # noqa: BLE001 - whatever it is, the other loops must not end with it
                await self._pause(error, failures, stopping)
                failures += 1
                continue
            else:
                self._outage.over(self)
            failures = 0
            if delay > 0:
                await self._sleep(min(delay, MOST_S), stopping)

    async def _pause(self, error: Exception, failures: int, stopping: asyncio.Event) -> None:
        """failures: how many there were in a row before this one. Knocks do not cut it short."""
        longest = min(LONGEST_PAUSE_S, 2.0 ** min(failures, 10))
        pause = random.uniform(longest / 2, longest)  # noqa: S311 - jitter
        telemetry.pass_failures.labels(self._name).inc()
        log.error(
            "a pass failed; it is tried again",
            loop=self._name,
            error=one_line(error),
            retry_in_s=round(pause, 1),
            exc_info=error if failures == 0 else None,  # where it came from is said once
        )
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stopping.wait(), pause)

    async def _sleep(self, delay: float, stopping: asyncio.Event) -> None:
        waits = [asyncio.ensure_future(self._knocked.wait()), asyncio.ensure_future(stopping.wait())]
        try:
            await asyncio.wait(waits, timeout=delay, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
