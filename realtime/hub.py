"""Who listens here: plain dictionaries, touched only by the event loop's thread.

An audience is one connected inbox and its listeners (sockets, streams). It is kept under its routing key,
which names the inbox rather than the customer's id, so that an erased and re-created person is another.
"""

from collections.abc import Iterable
from typing import Final, Protocol
from uuid import UUID

import msgspec

from app.contract import hints
from app.contract.errors import TooManyConnections
from app.contract.hints import Reason
from app.db.inbox import Counts
from realtime import protocol
from realtime.protocol import GoodbyeReason


class Publication(msgspec.Struct, frozen=True):
    """A hint on its way to listeners. frame: the websocket frame, header included."""

    reason: Reason
    frame: bytes

    @staticmethod
    def of(reason: Reason, payload: bytes) -> "Publication":
        return Publication(reason, protocol.text(payload))


RESYNC: Final = Publication.of("resync", hints.frame("resync"))
_MOST_HELD: Final = 16
_NO_CATEGORY: Final = ""  # a category has at least one byte


class Listener(Protocol):
    """One socket or stream. None of these calls may block, or raise."""

    @property
    def is_live(self) -> bool:
        """Whether it has been told the counts it starts from, and is still there."""
        ...

    def make_room(self) -> None:
        """Goes, and leaves the hub, if it has left a ping unanswered."""
        ...

    def hint(self, publication: Publication) -> None: ...

    def counts(self, frame: bytes) -> None: ...

    def expel(self, reason: GoodbyeReason) -> None: ...


class Audience:
    """One connected inbox."""

    __slots__ = (
        "_held",
        "_muted",
        "environment_id",
        "inbox_id",
        "key",
        "listeners",
        "unread",
        "unseen",
        "version",
    )

    def __init__(self, environment_id: UUID, inbox_id: UUID) -> None:
        self.environment_id = environment_id
        self.inbox_id = inbox_id
        self.key = hints.routing_key(environment_id, inbox_id)
        # Replaced, never changed in place: a listener may go while others are being told.
        self.listeners: tuple[Listener, ...] = ()
        self._muted: frozenset[str] = frozenset()
        # Broadcasts that wait for the muted categories to be read again; None while those are known.
        self._held: list[tuple[str, Publication]] | None = None
        self.unread = 0
        self.unseen = 0
        # -1 until the counts have been read once.
        self.version = -1

    def open(self, counts: Counts, muted: Iterable[str]) -> bool:
        """What a listener's opening read of the inbox; tells whether the numbers differ from those known."""
        if counts.version > self.version and self._held is None:
            self._muted = frozenset(muted)
        return self.learn(counts)

    def learn(self, counts: Counts) -> bool:
        """Takes counts over where they are newer; tells whether the numbers themselves differ."""
        if counts.version <= self.version:
            return False
        differs = (counts.unread, counts.unseen) != (self.unread, self.unseen)
        self.unread, self.unseen, self.version = counts.unread, counts.unseen, counts.version
        return differs

    def tell_counts(self) -> int:
        """Sends the counts to the live listeners; returns how many those are."""
        frame = protocol.counts(self.unread, self.unseen, self.version)
        told = 0
        for listener in self.listeners:
            if listener.is_live:
                listener.counts(frame)
                told += 1
        return told

    def hint(self, publication: Publication) -> int:
        """Sends a hint to the live listeners; returns how many those are."""
        told = 0
        for listener in self.listeners:
            if listener.is_live:
                listener.hint(publication)
                told += 1
        return told

    def broadcast(self, category: str, publication: Publication) -> int:
        """Sends a broadcast's hint unless its category is muted; returns how many were told now."""
        if self._held is not None:
            # Past a few, the one hint that stands for any number of them.
            if len(self._held) < _MOST_HELD:
                self._held.append((category, publication))
            else:
                self._held[-1] = (_NO_CATEGORY, RESYNC)
            return 0
        return 0 if category in self._muted else self.hint(publication)

    def forget_muted(self) -> None:
        """Holds broadcasts back until mute() says what is muted now."""
        if self._held is None:
            self._held = []

    def mute(self, categories: Iterable[str]) -> int:
        """Sets the muted categories and sends what was held; returns how many frames that was."""
        self._muted = frozenset(categories)
        held, self._held = self._held or (), None
        return sum(self.broadcast(category, publication) for category, publication in held)

    def expel(self, reason: GoodbyeReason) -> None:
        for listener in self.listeners:
            listener.expel(reason)


class Hub:
    """The audiences of one process. cap: listeners per audience."""

    def __init__(self, cap: int) -> None:
        self._cap = cap
        self._audiences: dict[str, Audience] = {}
        self._environments: dict[str, dict[str, Audience]] = {}

    def join(self, environment_id: UUID, inbox_id: UUID, listener: Listener) -> Audience:
        """Registers a listener; from here on it misses nothing.

        Raises TooManyConnections where the audience is full of listeners that answer.
        """
        key = hints.routing_key(environment_id, inbox_id)
        audience = self._audiences.get(key)
        if audience is None:
            audience = Audience(environment_id, inbox_id)
        elif len(audience.listeners) >= self._cap:
            self._make_room(audience)
        audience.listeners = (*audience.listeners, listener)
        self._audiences[key] = audience
        self._environments.setdefault(hints.broadcast_key(environment_id), {})[key] = audience
        return audience

    def leave(self, audience: Audience, listener: Listener) -> None:
        """Takes a listener out; one that is not in is fine."""
        audience.listeners = tuple(other for other in audience.listeners if other is not listener)
        if audience.listeners or self._audiences.get(audience.key) is not audience:
            return
        del self._audiences[audience.key]
        broadcast_key = hints.broadcast_key(audience.environment_id)
        environment = self._environments[broadcast_key]
        del environment[audience.key]
        if not environment:
            del self._environments[broadcast_key]

    def audience(self, routing_key: str) -> Audience | None:
        return self._audiences.get(routing_key)

    def audiences(self, broadcast_key: str) -> list[Audience]:
        """Those of one environment, as of now."""
        return list(self._environments.get(broadcast_key, {}).values())

    def by_environment(self) -> list[tuple[UUID, list[Audience]]]:
        """Everyone, as of now."""
        return group(self._audiences.values())

    def _make_room(self, audience: Audience) -> None:
        for listener in audience.listeners:
            listener.make_room()
        if len(audience.listeners) >= self._cap:
            raise TooManyConnections(f"more than {self._cap} connections of one subscriber", 60)

    def __len__(self) -> int:
        return len(self._audiences)


def group(audiences: Iterable[Audience]) -> list[tuple[UUID, list[Audience]]]:
    """By environment: no query crosses environments."""
    grouped: dict[UUID, list[Audience]] = {}
    for audience in audiences:
        grouped.setdefault(audience.environment_id, []).append(audience)
    return list(grouped.items())
