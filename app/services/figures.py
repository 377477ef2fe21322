"""Live figures: each process says once a second what it sees, and whoever wants them all adds up.

They travel by Redis and decide nothing. A process that dies is forgotten with its last words, a few seconds
later; what was created is kept by minute and outlives whoever counted it.
"""

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Final
from uuid import uuid4

import msgspec
import structlog
from redis.asyncio import Redis

from app import redis, telemetry

log = structlog.stdlib.get_logger()

EVERY_S: Final = 1.0
WINDOW_S: Final = 60  # latency is that of the last minute
MINUTES: Final = 60


class ProcessFigures(msgspec.Struct, frozen=True):
    """What one process says of itself. hint_latency: the last minute's observations, by bucket."""

    connections: int
    hint_latency: tuple[int, ...]


class Totals(msgspec.Struct, frozen=True):
    """Of all processes. created: of each of the last 60 minutes (since 1970), oldest first."""

    connections: int
    hint_latency: tuple[int, ...]
    created: list[tuple[int, int]]


_decode: Final = msgspec.json.Decoder(ProcessFigures).decode


class Reporter:
    def __init__(self, client: Redis) -> None:
        self._client = client
        self._process = uuid4().hex
        self._closing = asyncio.Event()
        # The histogram as it was at each of the last reports.
        self._observed = deque([telemetry.hint_latency.observed], maxlen=int(WINDOW_S / EVERY_S) + 1)
        self._created = telemetry.created.value  # of these the minutes know

    @classmethod
    @asynccontextmanager
    async def open(cls, client: Redis) -> AsyncGenerator[None]:
        """Reports for as long as the block runs."""
        reporter = cls(client)
        reporting = asyncio.create_task(reporter._run())
        try:
            yield
        finally:
            reporter._closing.set()
            await reporting

    async def _run(self) -> None:
        while not self._closing.is_set():
            try:
                await self.report()
            except Exception:
                log.exception("this process's figures could not be told")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._closing.wait(), EVERY_S)
        await redis.remove_figures(self._client, self._process)

    async def report(self) -> None:
        """Once. While Redis is away what was created waits for the next time."""
        observed, created = telemetry.hint_latency.observed, telemetry.created.value
        self._observed.append(observed)
        figures = ProcessFigures(
            telemetry.count_connections(),
            tuple(now - then for now, then in zip(observed, self._observed[0], strict=True)),
        )
        if await redis.write_figures(
            self._client,
            self._process,
            msgspec.json.encode(figures),
            minute=int(time.time() // 60),
            created=created - self._created,
        ):
            self._created = created


async def totals(client: Redis, *, minute: int) -> Totals | None:
    """As of a minute since 1970; None where nobody can tell: Redis is away, or has just lost everything."""
    found = await redis.read_figures(client, minute=minute)
    if found is None or not found.processes:
        return None
    processes = [_decode(figures) for figures in found.processes]
    return Totals(
        connections=sum(process.connections for process in processes),
        hint_latency=tuple(
            sum(counts) for counts in zip(*(process.hint_latency for process in processes), strict=True)
        ),
        created=[(at, found.created.get(at, 0)) for at in range(minute - MINUTES + 1, minute + 1)],
    )
