"""What sockets and streams have in common: who listens, and the loops that keep them right."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Generic, Protocol, TypeAlias, TypeVar

from app import redis, telemetry
from app.db.outage import Outage
from app.db.pool import Pool
from app.services.auth import Authenticator, Identity
from realtime.admission import Admission, Entrant
from realtime.broker import Broker
from realtime.counts import CountsFeed
from realtime.hub import Audience, Dialect, Hub
from realtime.keepalive import Wheel
from realtime.relay import Relay
from realtime.sweep import Sweeper
from realtime.validity import Validity

T = TypeVar("T")
Charge: TypeAlias = Callable[[Identity], Awaitable[None]]


class Member(Entrant[T], Protocol[T]):
    """A listener as the plane keeps it. wheel_slot: -1 while it is not live."""

    audience: Audience[T] | None
    wheel_slot: int

    @property
    def identity(self) -> Identity: ...

    def ping(self) -> None: ...


class Plane(Generic[T]):
    """tasks: where short work for members is started. It ends with the plane."""

    def __init__(
        self,
        *,
        hub: Hub[T],
        authenticator: Authenticator,
        admission: Admission[T],
        validity: Validity,
        wheel: Wheel,
        tasks: asyncio.TaskGroup,
    ) -> None:
        self.authenticator = authenticator
        self.admission = admission
        self.tasks = tasks
        self._hub = hub
        self._validity = validity
        self._wheel = wheel

    def enter(self, member: Member[T]) -> None:
        """The member is live: it is pinged from now on, and its proof watched."""
        member.wheel_slot = self._wheel.add(member)
        self._validity.add(member)
        telemetry.connections.inc()

    def renewed(self, member: Member[T]) -> None:
        """The member's identity is another proof's."""
        self._validity.renewed(member)

    def leave(self, member: Member[T]) -> None:
        """Nothing of the plane holds the member any more. Called again: fine."""
        if member.wheel_slot >= 0:
            self._wheel.remove(member, member.wheel_slot)
            member.wheel_slot = -1
            self._validity.remove(member)
            telemetry.connections.dec()
        audience, member.audience = member.audience, None
        if audience is not None:
            self._hub.leave(audience, member)


@asynccontextmanager
async def open_plane(
    pool: Pool, redis_url: str, *, cap: int, dialect: Dialect[T], charge: Charge | None = None
) -> AsyncGenerator[Plane[T]]:
    """Runs the loops while the block does. cap: members per subscriber. charge: see Admission."""
    hub = Hub(cap, dialect)
    outage = Outage()
    counts = CountsFeed[T](pool, outage)
    relay = Relay(hub, counts)
    sweeper = Sweeper(pool, hub, counts, outage)
    wheel = Wheel()
    authenticator = Authenticator(pool)
    validity = Validity(pool)
    broker = Broker(redis_url, receive=relay.receive, up=sweeper.hint_plane_up, down=sweeper.hint_plane_down)
    async with asyncio.TaskGroup() as tasks:
        loops = [tasks.create_task(loop.run()) for loop in (broker, relay, counts, sweeper, wheel, validity)]
        try:
            yield Plane(
                hub=hub,
                authenticator=authenticator,
                admission=Admission(
                    pool=pool,
                    hub=hub,
                    counts=counts,
                    authenticator=authenticator,
                    tasks=tasks,
                    charge=charge,
                ),
                validity=validity,
                wheel=wheel,
                tasks=tasks,
            )
        finally:
            await redis.end(loops)
