"""Who listens here: plain dictionaries, touched only by the event loop's thread.

An audience is one connected inbox and its listeners (sockets, or streams). It is kept under its routing key,
which names the inbox rather than the customer's id, so that an erased and re-created person is another.

What listeners are told is built once and shared. The dialect says what it is: bytes of a websocket frame
here, an event of a stream there; T below.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Final, Generic, Protocol, TypeVar
from uuid import UUID

from app.contract import hints
from app.contract.errors import TooManyConnections
from app.contract.hints import Reason
from app.db.subscribers import Inbox
from realtime.protocol import GoodbyeReason

T = TypeVar("T")
T_contra = TypeVar("T_contra", contravariant=True)

_MOST_HELD: Final = 16
_NO_CATEGORY: Final = ""  # a category has at least one byte


class Dialect(Protocol[T]):
    def hint(self, reason: Reason, payload: bytes) -> T:
        """payload: the hint as the JSON of a frame."""
        ...

    def counts(self, unread: int, unseen: int, version: int) -> T: ...

    def deliver(self, tellers: Sequence[Callable[[T], object]], told: T) -> None:
        """Tells each of them, without blocking or raising. tellers: tell() of listeners."""
        ...


class Listener(Protocol[T_contra]):
    """One socket or stream. None of these calls may block, or raise."""

    @property
    def tell(self) -> Callable[[T_contra], object]:
        """What the dialect delivers to, without a look at the listener: the same object while it is live."""
        ...

    def expel(self, reason: GoodbyeReason) -> None:
        """Says goodbye and leaves the hub."""
        ...

    def make_room(self) -> None:
        """Goes, and leaves the hub, if it has left a ping unanswered."""
        ...


class Audience(Generic[T]):
    """One connected inbox."""

    __slots__ = (
        "_dialect",
        "_held",
        "_muted",
        "environment_id",
        "hinted_version",
        "inbox_id",
        "is_muted_stale",
        "is_plain",
        "key",
        "listeners",
        "tellers",
        "unread",
        "unseen",
        "version",
    )

    def __init__(self, environment_id: UUID, inbox_id: UUID, dialect: Dialect[T]) -> None:
        self.environment_id = environment_id
        self.inbox_id = inbox_id
        self.key = hints.routing_key(environment_id, inbox_id)
        self._dialect = dialect
        # Both are replaced, never changed in place: a listener may go while others are being told.
        self.listeners: tuple[Listener[T], ...] = ()
        # tell() of those that have been told the counts they start from.
        self.tellers: tuple[Callable[[T], object], ...] = ()
        # Whether every broadcast goes to everyone: nothing is muted, nothing held.
        self.is_plain = True
        self._muted: frozenset[str] = frozenset()
        # Whether what is muted has still to be asked for.
        self.is_muted_stale = False
        # Broadcasts that wait for the muted categories to be read again; None while those are known.
        self._held: list[tuple[str, T]] | None = None
        self.unread = 0
        self.unseen = 0
        # -1 until the counts have been read once.
        self.version = -1
        # As of which all who are live know of every change, by a hint or by what they started from: a sweep
        # goes by it. Behind `version` where another's opening was faster than the hint, which is still owed.
        self.hinted_version = -1

    def go_live(self, listener: Listener[T]) -> None:
        """The listener has been told the counts as they are here now: what follows concerns it."""
        self.tellers = (*self.tellers, listener.tell)

    def open(self, inbox: Inbox) -> bool:
        """What a listener's opening read; tells whether the numbers differ from those known."""
        if inbox.version > self.version and self._held is None:
            self.mute(inbox.muted)
        differs = self._take(inbox.unread, inbox.unseen, inbox.version)
        if not self.tellers:
            self.hinted_version = self.version
        return differs

    def learn(self, unread: int, unseen: int, version: int) -> bool:
        """What was read after a hint had been told; tells whether the numbers differ from those known."""
        self.hinted_version = max(self.hinted_version, version)
        return self._take(unread, unseen, version)

    def tell(self, told: T) -> int:
        """Returns how many listeners were told."""
        tellers = self.tellers
        self._dialect.deliver(tellers, told)
        return len(tellers)

    def tell_counts(self) -> int:
        return self.tell(self._dialect.counts(self.unread, self.unseen, self.version))

    def tell_resync(self) -> int:
        return self.tell(self._resync())

    def broadcast(self, category: str, told: T) -> int:
        """Tells of a broadcast unless its category is muted; returns how many were told now."""
        if self._held is None:
            return 0 if category in self._muted else self.tell(told)
        # Past a few, the one hint that stands for any number of them.
        if len(self._held) < _MOST_HELD:
            self._held.append((category, told))
        else:
            self._held[-1] = (_NO_CATEGORY, self._resync())
        return 0

    def forget_muted(self) -> None:
        """Holds broadcasts back until mute() says what is muted now."""
        if self._held is None:
            self._held = []
        self.is_muted_stale = True
        self.is_plain = False

    def mute(self, categories: Iterable[str]) -> int:
        """Sets the muted categories and tells what was held; returns how many frames that was."""
        self._muted = frozenset(categories)
        held, self._held = self._held or (), None
        self.is_plain = not self._muted
        return sum(self.broadcast(category, told) for category, told in held)

    @property
    def has_muted(self) -> bool:
        return bool(self._muted)

    def expel(self, reason: GoodbyeReason) -> None:
        for listener in self.listeners:
            listener.expel(reason)

    def _take(self, unread: int, unseen: int, version: int) -> bool:
        """Takes counts over where they are newer; tells whether the numbers themselves differ."""
        if version <= self.version:
            return False
        differs = unread != self.unread or unseen != self.unseen
        self.unread, self.unseen, self.version = unread, unseen, version
        return differs

    def _resync(self) -> T:
        return self._dialect.hint("resync", hints.frame("resync"))


class Hub(Generic[T]):
    """The audiences of one process. cap: listeners per audience."""

    def __init__(self, cap: int, dialect: Dialect[T]) -> None:
        self._cap = cap
        self.dialect = dialect
        # By routing key. Only for looking up: join() and leave() keep it.
        self.audiences_by_key: dict[bytes, Audience[T]] = {}
        # By broadcast key, then by routing key.
        self._environments: dict[bytes, dict[bytes, Audience[T]]] = {}

    def join(self, environment_id: UUID, inbox_id: UUID, listener: Listener[T]) -> Audience[T]:
        """Registers a listener; from here on it misses nothing.

        Raises TooManyConnections where the audience is full of listeners that answer.
        """
        key = hints.routing_key(environment_id, inbox_id)
        audience = self.audiences_by_key.get(key)
        if audience is None:
            audience = Audience(environment_id, inbox_id, self.dialect)
        elif len(audience.listeners) >= self._cap:
            self._make_room(audience)
        audience.listeners = (*audience.listeners, listener)
        self.audiences_by_key[key] = audience
        self._environments.setdefault(hints.broadcast_key(environment_id), {})[key] = audience
        return audience

    def leave(self, audience: Audience[T], listener: Listener[T]) -> None:
        """Takes a listener out; one that is not in is fine."""
        audience.listeners = tuple(other for other in audience.listeners if other is not listener)
        audience.tellers = tuple(tell for tell in audience.tellers if tell is not listener.tell)
        if audience.listeners or self.audiences_by_key.get(audience.key) is not audience:
            return
        del self.audiences_by_key[audience.key]
        broadcast_key = hints.broadcast_key(audience.environment_id)
        environment = self._environments[broadcast_key]
        del environment[audience.key]
        if not environment:
            del self._environments[broadcast_key]

    def has_environment(self, broadcast_key: bytes) -> bool:
        return broadcast_key in self._environments

    def audiences(self, broadcast_key: bytes) -> list[Audience[T]]:
        """Those of one environment, as of now."""
        return list(self._environments.get(broadcast_key, {}).values())

    def by_environment(self) -> list[tuple[UUID, list[Audience[T]]]]:
        """Everyone, as of now."""
        return group(self.audiences_by_key.values())

    def _make_room(self, audience: Audience[T]) -> None:
        for listener in audience.listeners:
            listener.make_room()
        if len(audience.listeners) >= self._cap:
            raise TooManyConnections(f"more than {self._cap} connections of one subscriber", 60)

    def __len__(self) -> int:
        return len(self.audiences_by_key)


def group(audiences: Iterable[Audience[T]]) -> list[tuple[UUID, list[Audience[T]]]]:
    """By environment: no query crosses environments."""
    grouped: defaultdict[UUID, list[Audience[T]]] = defaultdict(list)
    for audience in audiences:
        grouped[audience.environment_id].append(audience)
    return list(grouped.items())
