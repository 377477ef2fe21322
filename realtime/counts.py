"""Counts for those whose numbers may have moved: one shared tick, one query per environment and chunk."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final, Generic, TypeVar
from uuid import UUID

import structlog

from app import telemetry
from app.contract.errors import Unavailable
from app.db import presence
from app.db.outage import Outage
from app.db.pool import Connection, Pool, acquire
from app.db.presence import CountsAlong, select_counts_along
from app.db.subscribers import Inbox
from realtime.hub import Audience, group

T = TypeVar("T")

TICK_S: Final = 0.05
CHUNK: Final = 1000
# Then others that wait for a connection of the pool get theirs.
TICKS_A_CONNECTION: Final = 20
RETRY_S: Final = 1.0  # while PostgreSQL is away
_FRAMES_BETWEEN_YIELDS: Final = 128

log = structlog.stdlib.get_logger()


class CountsFeed(Generic[T]):
    """Collects audiences and answers them together.

    The first mark after a quiet tick is answered at once; those that follow wait for the tick to end. An
    audience marked while its answer is on the way is asked about again, so the last frame is the latest.
    """

    def __init__(self, pool: Pool, outage: Outage) -> None:
        self._pool = pool
        self._outage = outage
        # In order of marking, so that nobody waits behind later ones.
        self._dirty: dict[Audience[T], None] = {}
        self._wake = asyncio.Event()
        # The event as a plain flag: marks are many.
        self._is_awake = False
        self._told = telemetry.frames_sent.of("counts")

    def mark(self, audience: Audience[T]) -> None:
        """The audience's counts may have changed."""
        self._dirty[audience] = None
        if not self._is_awake:
            self._is_awake = True
            self._wake.set()

    def mark_muted(self, audience: Audience[T]) -> None:
        """The audience's muted categories may have changed: broadcasts to it wait until they are known."""
        audience.forget_muted()
        self.mark(audience)

    def open(self, audience: Audience[T], inbox: Inbox) -> None:
        """Takes over what a listener's opening read, and tells those who were there before."""
        if audience.open(inbox):
            self._told.value += audience.tell_counts()

    async def run(self) -> None:
        """Answers marks, for ever."""
        while True:
            await self._wake.wait()
            try:
                await self._answer_while_marked()
            except Unavailable as error:
                self._outage.met(self, error)
            except Exception:
                log.exception("counts could not be read")
            else:
                self._outage.over(self)
                continue
            await asyncio.sleep(RETRY_S)

    async def _answer_while_marked(self) -> None:
        """One tick after the other on one connection: to take one costs more than half a query."""
        loop = asyncio.get_running_loop()
        async with acquire(self._pool) as connection:
            for _ in range(TICKS_A_CONNECTION):
                begun = loop.time()
                await self._tick(connection)
                await asyncio.sleep(max(0.0, begun + TICK_S - loop.time()))
                if not self._dirty:
                    return

    async def _tick(self, connection: Connection) -> None:
        """Answers all there is; what fails is marked again, and raised once the others had their answer."""
        self._wake.clear()
        self._is_awake = False
        dirty, self._dirty = self._dirty, {}
        failure: Exception | None = None
        for environment_id, audiences in group(dirty):
            for at in range(0, len(audiences), CHUNK):
                chunk = audiences[at : at + CHUNK]
                try:
                    await self._answer(
                        connection, environment_id, [audience for audience in chunk if audience.listeners]
                    )
                except Exception as error:  # noqa: BLE001 - whatever it is, the sockets stay open
                    failure = error
                    for audience in chunk:
                        self.mark(audience)
        if failure is not None:
            raise failure

    async def _answer(
        self, connection: Connection, environment_id: UUID, audiences: Sequence[Audience[T]]
    ) -> None:
        if not audiences:
            return
        stale = [audience for audience in audiences if audience.is_muted_stale]
        for audience in stale:
            audience.is_muted_stale = False
        try:
            muted = await _select_muted(connection, environment_id, stale)
            found = await select_counts_along(connection, environment_id, _inbox_ids(audiences))
            telemetry.counts_queries.inc()
        except Exception:
            for audience in stale:
                audience.is_muted_stale = True
            raise
        for audience in stale:
            # Marked once more meanwhile: what was read may be from before that.
            if not audience.is_muted_stale:
                audience.mute(muted.get(audience.inbox_id, ()))
        await self._tell(audiences, found)

    async def _tell(self, audiences: Sequence[Audience[T]], found: CountsAlong) -> None:
        told = 0
        for audience, unread, unseen, version in zip(
            audiences, found.unread, found.unseen, found.version, strict=True
        ):
            if unread is None or unseen is None or version is None:
                audience.expel("erased")
            elif audience.learn(unread, unseen, version):
                told += audience.tell_counts()
                if told % _FRAMES_BETWEEN_YIELDS == 0:
                    await asyncio.sleep(0)
        self._told.value += told


async def _select_muted(
    connection: Connection, environment_id: UUID, audiences: Collection[Audience[Any]]
) -> Mapping[UUID, Sequence[str]]:
    if not audiences:
        return {}
    return await presence.select_muted_of(connection, environment_id, _inbox_ids(audiences))


def _inbox_ids(audiences: Collection[Audience[Any]]) -> list[UUID]:
    return [audience.inbox_id for audience in audiences]
