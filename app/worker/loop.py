"""Runs steps one after the other, asleep in between until the next is due or somebody knocks."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Final

import structlog

from app.contract.errors import Unavailable

log = structlog.stdlib.get_logger()

MOST_S: Final = 1.0  # longest sleep: what is due unannounced (Redis away, a crash) waits no longer
_TROUBLE_S: Final = 0.5


class Loop:
    """step() does what is due and returns the seconds until more is: 0 for at once.

    A step that finds PostgreSQL away is tried again; any other error ends the loop, and with it the
    process: better restarted than half alive.
    """

    def __init__(self, name: str, step: Callable[[], Awaitable[float]]) -> None:
        self._name = name
        self._step = step
        self._knocked = asyncio.Event()

    def knock(self) -> None:
        """Something earlier became due."""
        self._knocked.set()

    async def run(self, stopping: asyncio.Event) -> None:
        """Until stopping is set; a step under way is finished first."""
        while not stopping.is_set():
            self._knocked.clear()
            try:
                delay = await self._step()
            except Unavailable:
                log.warning("the database is away", loop=self._name)
                delay = random.uniform(_TROUBLE_S, 2 * _TROUBLE_S)  # noqa: S311 - jitter
            if delay > 0:
                await self._sleep(min(delay, MOST_S), stopping)

    async def _sleep(self, delay: float, stopping: asyncio.Event) -> None:
        waits = [asyncio.ensure_future(self._knocked.wait()), asyncio.ensure_future(stopping.wait())]
        try:
            await asyncio.wait(waits, timeout=delay, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
