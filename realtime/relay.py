"""From an envelope to the frames of those it concerns."""

import asyncio
import time
from collections import deque
from typing import Final, Generic, TypeVar

from app import telemetry
from app.contract import hints
from app.contract.hints import Envelope
from realtime.counts import CountsFeed
from realtime.hub import Hub

T = TypeVar("T")

# Sockets written to before others get their turn: about two milliseconds.
BROADCAST_CHUNK: Final = 192
# Broadcasts that may wait for their turn. Past it those concerned get one resync instead of each hint.
MOST_WAITING: Final = 64


class Relay(Generic[T]):
    """Direct hints go out at once; broadcasts queue behind each other, in chunks between which hints pass."""

    def __init__(self, hub: Hub[T], counts: CountsFeed[T]) -> None:
        self._hub = hub
        self._audiences = hub.audiences_by_key
        self._counts = counts
        self._broadcasts: deque[tuple[str, Envelope]] = deque()
        # Environments with more broadcasts than could wait.
        self._overrun: set[str] = set()
        self._wake = asyncio.Event()
        self._told = telemetry.frames_sent.of("hint")

    def receive(self, message: bytes) -> None:
        """One message of the hint plane; what is not an envelope of ours is skipped."""
        key = hints.route(message)
        audience = self._audiences.get(key)
        if audience is None and not self._hub.has_environment(key):
            return
        envelope = hints.decode(message)
        if envelope is None:
            return
        if audience is not None:
            if envelope.reason == "preferences":
                self._counts.mark_muted(audience)
            self._told.value += audience.tell(self._hub.dialect.hint(envelope.reason, envelope.frame))
            self._counts.mark(audience)
            _observe(envelope)
        elif envelope.category is not None:
            if len(self._broadcasts) < MOST_WAITING:
                self._broadcasts.append((envelope.category, envelope))
            else:
                self._overrun.add(key)
            self._wake.set()

    async def run(self) -> None:
        """Sends broadcasts, one after the other, for ever."""
        while True:
            while self._broadcasts:
                await self._broadcast(*self._broadcasts.popleft())
            while self._overrun:
                await self._resync(self._overrun.pop())
            self._wake.clear()
            await self._wake.wait()

    async def _broadcast(self, category: str, envelope: Envelope) -> None:
        told = self._hub.dialect.hint(envelope.reason, envelope.frame)
        audiences = self._hub.audiences(envelope.routing_key)
        for at in range(0, len(audiences), BROADCAST_CHUNK):
            listeners = 0
            for audience in audiences[at : at + BROADCAST_CHUNK]:
                if audience.is_plain:
                    for tell in audience.tellers:
                        tell(told)
                        listeners += 1
                else:
                    listeners += audience.broadcast(category, told)
            self._told.value += listeners
            await asyncio.sleep(0)
        # Only now: the counts' frames would hold up those still waiting for the hint.
        for audience in audiences:
            self._counts.mark(audience)
        if audiences:
            _observe(envelope)

    async def _resync(self, broadcast_key: str) -> None:
        audiences = self._hub.audiences(broadcast_key)
        for at in range(0, len(audiences), BROADCAST_CHUNK):
            for audience in audiences[at : at + BROADCAST_CHUNK]:
                self._told.value += audience.tell_resync()
                self._counts.mark(audience)
            await asyncio.sleep(0)


def _observe(envelope: Envelope) -> None:
    telemetry.hint_latency.observe(time.time() - envelope.at_us / 1_000_000)
