"""Contract section 4 in plain Python: what an inbox is, without a database.

Time is a counter: each item's `at` is the moment it became visible. Nothing here is clever, so that it
can be read against the contract line by line.
"""

from dataclasses import dataclass, field
from typing import Literal

from app.contract.ids import Source

Field = Literal["read", "archived"]
Watermark = Literal["read", "seen", "archived"]
View = Literal["default", "unread", "archived"]

_SOURCES: tuple[Source, Source] = ("notification", "broadcast")


@dataclass(frozen=True)
class Item:
    at: int
    source: Source
    id: str
    category: str


@dataclass
class Person:
    since: int  # broadcasts delivered before this are not for this person
    items: list[Item] = field(default_factory=list[Item])  # direct ones
    muted: set[str] = field(default_factory=set[str])
    overrides: dict[tuple[str, Field], bool] = field(default_factory=dict[tuple[str, Field], bool])
    watermarks: dict[tuple[Watermark, Source], int] = field(
        default_factory=lambda: {
            (watermark, source): 0 for watermark in ("read", "seen", "archived") for source in _SOURCES
        }
    )

    def covered(self, item: Item, what: Field) -> bool:
        override = self.overrides.get((item.id, what))
        return item.at <= self.watermarks[what, item.source] if override is None else override

    def set(self, item: Item, what: Field, *, value: bool) -> None:
        if self.covered(item, what) != value:
            by_watermark = item.at <= self.watermarks[what, item.source]
            self.overrides.pop((item.id, what), None)
            if by_watermark != value:
                self.overrides[item.id, what] = value


@dataclass
class Oracle:
    clock: int = 0
    people: dict[str, Person] = field(default_factory=dict[str, Person])
    broadcasts: list[Item] = field(default_factory=list[Item])

    def tick(self) -> int:
        self.clock += 1
        return self.clock

    def join(self, name: str, since: int) -> None:
        self.people.setdefault(name, Person(since))

    def send(self, name: str, item_id: str, category: str) -> None:
        self.people[name].items.append(Item(self.tick(), "notification", item_id, category))

    def broadcast(self, item_id: str, category: str) -> None:
        self.broadcasts.append(Item(self.tick(), "broadcast", item_id, category))

    def visible(self, name: str) -> list[Item]:
        """Muted ones included, newest first."""
        person = self.people[name]
        announced = [item for item in self.broadcasts if item.at >= person.since]
        return sorted([*person.items, *announced], key=lambda item: -item.at)

    def view(self, name: str, view: View) -> list[tuple[str, bool, bool]]:
        """(id, read, archived) of each item, newest first."""
        person = self.people[name]
        rows: list[tuple[str, bool, bool]] = []
        for item in self.visible(name):
            read, archived = person.covered(item, "read"), person.covered(item, "archived")
            if item.category in person.muted or archived != (view == "archived"):
                continue
            if view == "unread" and read:
                continue
            rows.append((item.id, read, archived))
        return rows

    def counts(self, name: str) -> dict[str, tuple[int, int]]:
        """(unread, unseen) of each unmuted category that has any."""
        person = self.people[name]
        numbers: dict[str, tuple[int, int]] = {}
        unread_ids = {item_id for item_id, _, _ in self.view(name, "unread")}
        for item in self.visible(name):
            if item.category in person.muted:
                continue
            unread = item.id in unread_ids
            unseen = item.at > person.watermarks["seen", item.source]
            if unread or unseen:
                before = numbers.get(item.category, (0, 0))
                numbers[item.category] = (before[0] + unread, before[1] + unseen)
        return numbers

    def mark_all(self, name: str, watermark: Watermark, bounds: dict[Source, int] | None = None) -> None:
        """bounds: how far, per source; absent: everything there is."""
        person = self.people[name]
        for source in _SOURCES:
            bound = self.clock if bounds is None else bounds.get(source, 0)
            known = {item.id: item for item in self.visible(name) if item.source == source}
            if watermark != "seen":
                for item in known.values():
                    if item.at <= bound:
                        person.overrides.pop((item.id, watermark), None)
            person.watermarks[watermark, source] = max(person.watermarks[watermark, source], bound)

    def archive_read(self, name: str) -> None:
        person = self.people[name]
        for item in self.visible(name):
            if person.covered(item, "read"):
                person.set(item, "archived", value=True)

    def remove(self, item_id: str) -> None:
        self.broadcasts = [item for item in self.broadcasts if item.id != item_id]
        for person in self.people.values():
            person.items = [item for item in person.items if item.id != item_id]
            for what in ("read", "archived"):
                person.overrides.pop((item_id, what), None)
