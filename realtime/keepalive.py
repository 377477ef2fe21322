"""Pings for every connection from one wheel: no task and no timer per connection."""

import asyncio
import random
from typing import Final, Protocol

from realtime.protocol import PING_INTERVAL_S

# Fine slots: the pings of a second's worth of connections in one go would hold up hints.
SLOT_S: Final = 0.025
SLOTS: Final = round(PING_INTERVAL_S / SLOT_S)


class Pinged(Protocol):
    def ping(self) -> None: ...


class Wheel:
    """Each member is pinged once a revolution, PING_INTERVAL_S, from a random slot on."""

    def __init__(self, slots: int = SLOTS, slot_s: float = SLOT_S) -> None:
        self._slot_s = slot_s
        self._slots: list[dict[Pinged, None]] = [{} for _ in range(slots)]
        self._at = 0

    def add(self, member: Pinged) -> int:
        """Returns the slot, which remove() wants back."""
        slot = random.randrange(len(self._slots))  # noqa: S311 - spreads, hides nothing
        self._slots[slot][member] = None
        return slot

    def remove(self, member: Pinged, slot: int) -> None:
        self._slots[slot].pop(member, None)

    def turn(self) -> None:
        """Pings the next slot."""
        for member in list(self._slots[self._at]):
            member.ping()
        self._at = (self._at + 1) % len(self._slots)

    async def run(self) -> None:
        """Turns on time, for ever; after a stall, faster until it has caught up."""
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            due = max(due + self._slot_s, loop.time() - 1)
            await asyncio.sleep(due - loop.time())
            self.turn()
