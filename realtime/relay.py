"""From an envelope to the frames of those it concerns."""

import asyncio
import time
from collections import deque
from collections.abc import AsyncGenerator, Sequence
from typing import Final, Generic, TypeVar

from app import telemetry
from app.contract import hints
from app.contract.hints import Envelope
from realtime.counts import CountsFeed
from realtime.hub import Audience, Hub

T = TypeVar("T")

# How long a broadcast's frames are written before others get their turn, and hints pass; looked at after
# so many inboxes.
TURN_S: Final = 0.002
_INBOXES_BETWEEN_LOOKS: Final = 64
# Broadcasts that may wait for their turn. Past it those concerned get one resync instead of each hint.
MOST_WAITING: Final = 64


class Relay(Generic[T]):
    """Direct hints go out at once; broadcasts queue behind each other, in chunks between which hints pass."""

    def __init__(self, hub: Hub[T], counts: CountsFeed[T]) -> None:
        self._hub = hub
        self._audiences = hub.audiences_by_key
        self._hint = hub.dialect.hint
        self._counts = counts
        self._broadcasts: deque[tuple[str, Envelope]] = deque()
        # Environments with more broadcasts than could wait.
        self._overrun: set[bytes] = set()
        self._wake = asyncio.Event()
        self._told = telemetry.frames_sent.of("hint")

    def receive(self, message: bytes) -> None:
        """One message of the hint plane; what is not an envelope of ours is skipped."""
        envelope = hints.decode(message)
        if envelope is None:
            return
        audience = self._audiences.get(envelope.routing_key)
        if audience is not None:
            if envelope.reason == "preferences":
                self._counts.mark_muted(audience)
            self._told.value += audience.tell(self._hint(envelope.reason, envelope.frame))
            self._counts.mark(audience)
            _observe(envelope)
        elif envelope.category is not None and self._hub.has_environment(envelope.routing_key):
            if len(self._broadcasts) < MOST_WAITING:
                self._broadcasts.append((envelope.category, envelope))
            else:
                self._overrun.add(envelope.routing_key)
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
        told = self._hint(envelope.reason, envelope.frame)
        deliver = self._hub.dialect.deliver
        audiences = self._hub.audiences(envelope.routing_key)
        async for some in _in_turns(audiences):
            plain = [tell for audience in some if audience.is_plain for tell in audience.tellers]
            deliver(plain, told)
            self._told.value += len(plain)
            for audience in [audience for audience in some if not audience.is_plain]:
                self._told.value += audience.broadcast(category, told)
        # Only now: the counts' frames would hold up those still waiting for the hint.
        for audience in audiences:
            self._counts.mark(audience)
        if audiences:
            _observe(envelope)

    async def _resync(self, broadcast_key: bytes) -> None:
        async for some in _in_turns(self._hub.audiences(broadcast_key)):
            for audience in some:
                self._told.value += audience.tell_resync()
                self._counts.mark(audience)


async def _in_turns(audiences: Sequence[Audience[T]]) -> AsyncGenerator[Sequence[Audience[T]]]:
    """All of them, a few at a time; the event loop gets its turn every TURN_S."""
    turn_ends = time.monotonic() + TURN_S
    for at in range(0, len(audiences), _INBOXES_BETWEEN_LOOKS):
        yield audiences[at : at + _INBOXES_BETWEEN_LOOKS]
        if time.monotonic() >= turn_ends:
            await asyncio.sleep(0)
            turn_ends = time.monotonic() + TURN_S


def _observe(envelope: Envelope) -> None:
    telemetry.hint_latency.observe(time.time() - envelope.at_us / 1_000_000)
