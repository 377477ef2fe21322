"""Proofs end while sockets are open: tokens expire, secrets rotate out, environments begin to require one."""

import asyncio
import heapq
import itertools
import time
import weakref
from typing import Final, Protocol

import structlog

from app.contract.errors import Unavailable
from app.db.environments import Environment
from app.services.auth import Authenticator, Identity
from realtime.protocol import GoodbyeReason

# With the authenticator's half second: well within the two seconds promised.
CHECK_S: Final = 0.73

log = structlog.stdlib.get_logger()


class Holder(Protocol):
    """A live connection, and who it has proved to be."""

    @property
    def identity(self) -> Identity: ...

    def expel(self, reason: GoodbyeReason) -> None:
        """Ends in a call to Validity.remove()."""
        ...


class Validity:
    def __init__(self, authenticator: Authenticator) -> None:
        self._authenticator = authenticator
        self._holders: dict[str, set[Holder]] = {}
        # The environments as they were when their holders' proofs last held.
        self._environments: dict[str, Environment | None] = {}
        # (when, order of arrival, whose); an entry whose holder is gone or has renewed is void.
        self._expiries: list[tuple[float, int, weakref.ref[Holder]]] = []
        self._order = itertools.count()

    def add(self, holder: Holder) -> None:
        self._holders.setdefault(holder.identity.environment, set()).add(holder)
        self.renewed(holder)

    def renewed(self, holder: Holder) -> None:
        """The holder's identity has another end."""
        expires_at = holder.identity.expires_at
        if expires_at is not None:
            heapq.heappush(self._expiries, (expires_at, next(self._order), weakref.ref(holder)))

    def remove(self, holder: Holder) -> None:
        slug = holder.identity.environment
        holders = self._holders.get(slug, set())
        holders.discard(holder)
        if not holders:
            self._holders.pop(slug, None)
            self._environments.pop(slug, None)

    def expire(self, now: float) -> None:
        """Expels those whose token has ended. now: Unix seconds."""
        while self._expiries and self._expiries[0][0] <= now:
            at, _, reference = heapq.heappop(self._expiries)
            holder = reference()
            if (
                holder is not None
                and holder.identity.expires_at == at
                and holder in self._holders.get(holder.identity.environment, ())
            ):
                holder.expel("expired")

    async def check(self) -> None:
        """Expels those whose environment has changed so that their proof no longer holds."""
        slugs = list(self._holders)
        found = await asyncio.gather(*(self._authenticator.environment(slug) for slug in slugs))
        for slug, environment in zip(slugs, found, strict=True):
            if slug in self._environments and self._environments[slug] == environment:
                continue
            self._environments[slug] = environment
            for holder in list(self._holders.get(slug, ())):
                if not holder.identity.is_still_valid(environment):
                    holder.expel("revoked")

    async def run(self) -> None:
        """Checks, for ever."""
        while True:
            await asyncio.sleep(CHECK_S)
            self.expire(time.time())
            try:
                await self.check()
            except Unavailable:
                continue  # nothing can have been revoked that anyone could know of
            except Exception:
                log.exception("proofs could not be checked")
