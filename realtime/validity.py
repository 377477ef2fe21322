"""Proofs end while sockets are open: tokens expire, secrets rotate out, environments begin to require one."""

import asyncio
import time
from typing import Final, Protocol

import structlog

from app.contract.errors import Unavailable
from app.db import environments
from app.db.environments import Environment
from app.db.pool import Pool, acquire
from app.services.auth import Identity
from realtime.protocol import GoodbyeReason

CHECK_S: Final = 0.73  # well within the two seconds promised

log = structlog.stdlib.get_logger()


class Holder(Protocol):
    """A live connection, and who it has proved to be."""

    @property
    def identity(self) -> Identity: ...

    def expel(self, reason: GoodbyeReason) -> None:
        """Ends in a call to Validity.remove()."""
        ...


class _Tenant:
    """The holders of one environment."""

    __slots__ = ("environment", "holders", "unchecked")

    def __init__(self) -> None:
        # As it was last read; the proofs of all but the unchecked hold for it.
        self.environment: Environment | None = None
        self.holders: set[Holder] = set()
        # A proof may be older than its holder's going live by any time: it is compared with a state that
        # was asked for later, never with one that was known before.
        self.unchecked: set[Holder] = set()


class Validity:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._tenants: dict[str, _Tenant] = {}
        # When the tokens of holders end. All are looked at each time, within a millisecond for ten thousand:
        # in a heap, those of holders that went would pile up.
        self._ends: dict[Holder, float] = {}

    def add(self, holder: Holder) -> None:
        self._tenants.setdefault(holder.identity.environment, _Tenant()).holders.add(holder)
        self.renewed(holder)

    def renewed(self, holder: Holder) -> None:
        """The holder's identity is another than before: by another secret, with another end."""
        identity = holder.identity
        self._tenants[identity.environment].unchecked.add(holder)
        if identity.expires_at is None:
            self._ends.pop(holder, None)
        else:
            self._ends[holder] = identity.expires_at

    def remove(self, holder: Holder) -> None:
        self._ends.pop(holder, None)
        slug = holder.identity.environment
        tenant = self._tenants.get(slug)
        if tenant is None:
            return
        tenant.holders.discard(holder)
        tenant.unchecked.discard(holder)
        if not tenant.holders:
            del self._tenants[slug]

    def expire(self, now: float) -> None:
        """Expels those whose token has ended. now: Unix seconds."""
        for holder in [holder for holder, end in self._ends.items() if end <= now]:
            holder.expel("expired")

    async def check(self) -> None:
        """Expels those whose proof does not hold, or no longer. Raises Unavailable."""
        if not self._tenants:
            return
        asked = {slug: tenant.unchecked for slug, tenant in self._tenants.items()}
        for tenant in self._tenants.values():
            tenant.unchecked = set()
        try:
            async with acquire(self._pool) as connection:
                found = await environments.select_environments(connection, list(asked))
        except BaseException:
            for tenant in self._tenants.values():
                tenant.unchecked = set(tenant.holders)
            raise
        now = {environment.slug: environment for environment in found}
        for slug, unchecked in asked.items():
            tenant = self._tenants.get(slug)
            if tenant is None:
                continue
            environment = now.get(slug)
            concerned = unchecked & tenant.holders if environment == tenant.environment else tenant.holders
            tenant.environment = environment
            for holder in concerned - tenant.unchecked:  # those of meanwhile are for the next read
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
