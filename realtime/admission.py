"""From credentials to an open inbox. Clients that come at the same time share the queries."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Generic, Protocol, TypeVar
from uuid import UUID

import msgspec
import structlog

from app.contract.credentials import Credentials
from app.contract.errors import BellwireError, TooManyConnections, Unavailable
from app.db import presence, subscribers
from app.db.pool import Pool, acquire, run
from app.services.auth import Authenticator, Identity
from realtime.counts import CountsFeed
from realtime.hub import Audience, Hub, Listener

T = TypeVar("T")

CHUNK: Final = 500
TICK_S: Final = 0.01
_TOLD_BETWEEN_YIELDS: Final = 64

log = structlog.stdlib.get_logger()


class Entrant(Listener[T], Protocol[T]):
    """A listener on its way in. Exactly one of the two is called."""

    def opened(self, audience: Audience[T]) -> None: ...

    def refuse(self, error: BellwireError | None) -> None: ...


class Opening(msgspec.Struct, Generic[T], frozen=True, eq=False):
    entrant: Entrant[T]
    subscriber_id: str


class Departures:
    """Lets those that come within one tick go on together, so that they share what they ask for.

    The first after a quiet tick goes at once.
    """

    def __init__(self) -> None:
        self._not_before = 0.0
        # The next departure; None while nobody waits for it.
        self._next: asyncio.Event | None = None

    async def join(self) -> None:
        if self._next is None:
            loop = asyncio.get_running_loop()
            if loop.time() >= self._not_before:
                self._not_before = loop.time() + TICK_S
                return
            self._next = asyncio.Event()
            loop.call_at(self._not_before, self._depart, self._next)
        await self._next.wait()

    def _depart(self, departure: asyncio.Event) -> None:
        departure.set()
        self._next = None
        self._not_before = asyncio.get_running_loop().time() + TICK_S


class Admission(Generic[T]):
    """charge: takes one of the subscriber's rate tokens, or raises RateLimited."""

    def __init__(
        self,
        *,
        pool: Pool,
        hub: Hub[T],
        counts: CountsFeed[T],
        authenticator: Authenticator,
        tasks: asyncio.TaskGroup,
        charge: Callable[[Identity], Awaitable[None]] | None = None,
    ) -> None:
        self._pool = pool
        self._hub = hub
        self._counts = counts
        self._authenticator = authenticator
        self._tasks = tasks
        self._charge = charge
        self._departures = Departures()
        # By environment: those waiting for the next batch. A key is present while its batches run.
        self._waiting: dict[UUID, list[Opening[T]]] = {}

    async def identify(self, credentials: Credentials) -> Identity:
        """Raises Unauthorized (TokenExpired), InvalidRequest, RateLimited, Unavailable."""
        await self._departures.join()
        identity = await self._authenticator.subscriber(credentials)
        if self._charge is not None:
            await self._charge(identity)
        return identity

    def open(self, entrant: Entrant[T], identity: Identity) -> None:
        """Registers the entrant and tells it its counts, in that order; it is called back."""
        opening = Opening(entrant, identity.subscriber_id)
        waiting = self._waiting.get(identity.environment_id)
        if waiting is not None:
            waiting.append(opening)
            return
        self._waiting[identity.environment_id] = [opening]
        self._tasks.create_task(self._run(identity.environment_id))

    async def _run(self, environment_id: UUID) -> None:
        while waiting := self._waiting[environment_id]:
            batch, self._waiting[environment_id] = waiting[:CHUNK], waiting[CHUNK:]
            # Those not yet told, with the audience once joined.
            pending: dict[Opening[T], Audience[T] | None] = dict.fromkeys(batch)
            failure: BellwireError | None = None
            try:
                await self._open(environment_id, pending)
            except BellwireError as error:
                failure = error
            except Exception:
                log.exception("inboxes could not be opened")
            for opening, audience in pending.items():
                self._refuse(opening, audience, failure)
        del self._waiting[environment_id]

    async def _open(self, environment_id: UUID, pending: dict[Opening[T], Audience[T] | None]) -> None:
        names = list({opening.subscriber_id for opening in pending})
        inbox_ids = await self._ensure(environment_id, names)
        for opening in list(pending):
            inbox_id = inbox_ids.get(opening.subscriber_id)
            try:
                if inbox_id is not None:
                    pending[opening] = self._hub.join(environment_id, inbox_id, opening.entrant)
            except TooManyConnections as error:
                del pending[opening]
                self._refuse(opening, None, error)
        # Registered first, read second: what happens in between marks the audience dirty.
        async with acquire(self._pool) as connection:
            rows = await subscribers.select_inboxes(connection, environment_id, names)
        found = {inbox.inbox_id: inbox for inbox in rows}
        for told, opening in enumerate(list(pending)):
            audience = pending.pop(opening)
            inbox = None if audience is None else found.get(audience.inbox_id)
            if audience is None or inbox is None:
                self._refuse(opening, audience, Unavailable("the subscriber was erased meanwhile"))
            else:
                self._counts.open(audience, inbox)
                opening.entrant.opened(audience)
            if told % _TOLD_BETWEEN_YIELDS == _TOLD_BETWEEN_YIELDS - 1:
                await asyncio.sleep(0)

    async def _ensure(self, environment_id: UUID, names: Sequence[str]) -> dict[str, UUID]:
        async with acquire(self._pool) as connection:
            found = await presence.select_inbox_ids(connection, environment_id, names)
        missing = [(name, None) for name in names if name not in found]
        if missing:
            await run(self._pool, lambda c: subscribers.insert_subscribers(c, environment_id, missing))
            async with acquire(self._pool) as connection:
                found |= await presence.select_inbox_ids(connection, environment_id, names)
        return found

    def _refuse(self, opening: Opening[T], audience: Audience[T] | None, error: BellwireError | None) -> None:
        if audience is not None:
            self._hub.leave(audience, opening.entrant)
        opening.entrant.refuse(error)
