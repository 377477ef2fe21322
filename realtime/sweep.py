"""Finds inboxes that moved without a hint reaching us, by asking PostgreSQL for versions.

While the hint plane is away this is what keeps clients right, a few seconds late; after it is back one
pass closes the gap; and one pass a minute finds what nobody noticed was lost.
"""

import asyncio
from collections.abc import Sequence
from typing import Final, Generic, Literal, TypeAlias, TypeVar
from uuid import UUID

import structlog

from app import telemetry
from app.contract.errors import Unavailable
from app.db import presence
from app.db.outage import Outage
from app.db.pool import Pool, acquire
from realtime.counts import CountsFeed
from realtime.hub import Audience, Hub

T = TypeVar("T")

Cause: TypeAlias = Literal["away", "back", "periodic"]

AWAY_S: Final = 2.0
PERIODIC_S: Final = 60.0
CHUNK: Final = 1000
# How long a hint that is on its way may take before its inbox counts as missed.
IN_FLIGHT_S: Final = 2.0

log = structlog.stdlib.get_logger()


class Sweeper(Generic[T]):
    def __init__(self, pool: Pool, hub: Hub[T], counts: CountsFeed[T], outage: Outage) -> None:
        self._pool = pool
        self._outage = outage
        self._hub = hub
        self._counts = counts
        self._is_away = True
        self._changed = asyncio.Event()

    def hint_plane_up(self) -> None:
        """One sweep, for what was said before."""
        self._is_away = False
        self._changed.set()

    def hint_plane_down(self) -> None:
        """Sweeps follow each other, beginning now."""
        if not self._is_away:
            self._is_away = True
            self._changed.set()

    async def run(self) -> None:
        """Sweeps when it is time to, for ever."""
        while True:
            try:
                async with asyncio.timeout(AWAY_S if self._is_away else PERIODIC_S):
                    await self._changed.wait()
                cause: Cause = "away" if self._is_away else "back"
            except TimeoutError:
                cause = "away" if self._is_away else "periodic"
            self._changed.clear()
            await self.sweep(cause)

    async def sweep(self, cause: Cause) -> None:
        """One pass over everyone connected. One that fails is followed by another."""
        telemetry.sweeps.labels(cause).inc()
        try:
            behind = await self._behind(self._hub.by_environment())
            if behind and cause == "periodic":
                await asyncio.sleep(IN_FLIGHT_S)
                behind = {
                    audience: version
                    for audience, version in behind.items()
                    if audience.hinted_version < version
                }
        except Exception as error:
            if isinstance(error, Unavailable):
                self._outage.met(self, error)
            else:
                log.exception("a sweep failed; it is tried again")
            self._changed.set()
            await asyncio.sleep(AWAY_S)
            return
        self._outage.over(self)
        for audience in behind:
            # What is muted moves the version and is not hinted: nothing need have been missed.
            if cause == "periodic" and audience.has_muted:
                self._counts.mark(audience)
            else:
                telemetry.sweep_corrections.inc()
                audience.tell_resync()
                self._counts.mark_muted(audience)

    async def _behind(
        self, environments: Sequence[tuple[UUID, Sequence[Audience[T]]]]
    ) -> dict[Audience[T], int]:
        """Those whose version moved past what they were told of, with what it is now; expels the erased."""
        behind: dict[Audience[T], int] = {}
        for environment_id, audiences in environments:
            for at in range(0, len(audiences), CHUNK):
                chunk = audiences[at : at + CHUNK]
                async with acquire(self._pool) as connection:
                    versions = await presence.select_versions(
                        connection, environment_id, [audience.inbox_id for audience in chunk]
                    )
                for audience in chunk:
                    version = versions.get(audience.inbox_id)
                    if version is None:
                        audience.expel("erased")
                    elif version > audience.hinted_version >= 0:
                        behind[audience] = version
        return behind
