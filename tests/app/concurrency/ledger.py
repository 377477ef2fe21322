"""What callers were told: every send with its answer, every item taken back, every erasure.

Moments are counted here, not read from a clock: one thing happened before another exactly when its
answer came before the other was asked for.
"""

from dataclasses import dataclass, field
from itertools import count
from typing import Final

import msgspec

from app.contract.resources import Counts


@dataclass
class Entry:
    """An item that was sent. person None: a broadcast, whose key is its own id."""

    id: str
    person: str | None
    key: str
    asked: int
    answered: int
    waits: bool  # it was scheduled: when it became visible is not known here
    expires: bool
    retractions: int = 0  # asked for, answered or not; whichever comes first finds it

    @property
    def going(self) -> bool:
        return self.retractions > 0


class Request(msgspec.Struct, frozen=True):
    """What was sent with a key, to send it again."""

    people: list[str]
    category: str
    key: str
    ids: list[str]


@dataclass
class Erasure:
    asked: int
    answered: int | None = None  # None: not yet


@dataclass
class Ledger:
    entries: list[Entry] = field(default_factory=list[Entry])
    requests: list[Request] = field(default_factory=list[Request])
    withdrawn: dict[str, int] = field(default_factory=dict[str, int])  # by key, as answered
    erasures: dict[str, list[Erasure]] = field(default_factory=dict[str, list[Erasure]])
    replies: list[tuple[str, Counts]] = field(default_factory=list[tuple[str, Counts]])
    _moments: Final = field(default_factory=lambda: count(1))

    def now(self) -> int:
        return next(self._moments)

    def withdraw(self, key: str, items: int) -> None:
        self.withdrawn[key] = self.withdrawn.get(key, 0) + items

    def addressed_to(self, person: str) -> list[Entry]:
        return [entry for entry in self.entries if entry.person == person]

    def broadcasts(self) -> list[Entry]:
        return [entry for entry in self.entries if entry.person is None]

    def must_have(self, person: str) -> set[str]:
        """Direct items that are in the inbox once everything has come to rest."""
        ended = max((one.answered or 0 for one in self.erasures.get(person, [])), default=0)
        return {
            entry.id
            for entry in self.addressed_to(person)
            if not entry.going and not entry.expires and entry.asked > ended
        }

    def may_have(self, person: str) -> set[str]:
        """The same, and those that were sent while an erasure was under way."""
        begun = max((one.asked for one in self.erasures.get(person, [])), default=0)
        return {
            entry.id
            for entry in self.addressed_to(person)
            if not entry.going and not entry.expires and entry.answered > begun
        }

    def check_withdrawals(self) -> None:
        """As many items were answered to be taken back as were asked for, of each key."""
        for key in {entry.key for entry in self.entries}:
            entries = [entry for entry in self.entries if entry.key == key]
            if not any(entry.expires for entry in entries):
                assert self.withdrawn.get(key, 0) == sum(entry.going for entry in entries), key
