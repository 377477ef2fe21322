"""Whatever the sequence of operations, the inbox is what the contract's rules say, after every step."""

import asyncio
import os
from collections.abc import Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from itertools import count
from typing import Any, Final
from uuid import UUID

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from app.contract import ids
from app.services.inbox import UpToItem, UpToItems
from tests.app.model.oracle import Oracle, View
from tests.app.model.system import System, source_of

PEOPLE: Final = ("ada", "grace", "late", "backdated")
CATEGORIES: Final = ("a", "a.b", "c")
VIEWS: Final[tuple[View, ...]] = ("default", "unread", "archived")
LONG: Final = bool(os.environ.get("BELLWIRE_TEST_LONG"))
STEPS: Final = 40
EXAMPLES: Final = 2000 if LONG else 60

_person = st.sampled_from(PEOPLE)
_category = st.sampled_from(CATEGORIES)
_pick = st.integers(0, 1000)  # an item, by its place among those visible
_field = st.sampled_from(("read", "archived"))
_watermark = st.sampled_from(("read", "seen", "archived"))

_operation = st.one_of(
    st.tuples(st.just("send"), st.lists(_person, min_size=1, max_size=3, unique=True), _category),
    st.tuples(st.just("schedule"), st.lists(_person, min_size=1, max_size=2, unique=True), _category),
    st.tuples(st.just("broadcast"), _category),
    st.tuples(st.just("mark"), _person, _pick, _field, st.booleans()),
    st.tuples(st.just("mark"), _person, _pick, _field, st.booleans()),
    st.tuples(st.just("mark_all"), _person, _watermark),
    st.tuples(st.just("up_to_item"), _person, _watermark, _pick),
    st.tuples(st.just("up_to_items"), _person, _watermark, st.none() | _pick, st.none() | _pick),
    st.tuples(
        st.just("mute"), _person, st.lists(st.tuples(_category, st.booleans()), min_size=1, max_size=3)
    ),
    st.tuples(st.just("retract"), _person, _pick),
    st.tuples(st.just("archive_read"), _person),
)

_slugs = count()


@pytest.mark.timeout(600)
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=not LONG,
    phases=(Phase.explicit, Phase.generate, *((Phase.shrink,) if LONG else ())),
    suppress_health_check=(HealthCheck.function_scoped_fixture,),
    print_blob=True,
)
@given(operations=st.lists(_operation, min_size=STEPS, max_size=STEPS))
def test_inbox_is_what_the_rules_say(
    operations: list[tuple[Any, ...]], database_url: str, redis_url: str
) -> None:
    """Default, unread and archived views, fully paged, and the counts by category, after every step."""
    asyncio.run(_run(operations, database_url, redis_url))


async def _run(operations: list[tuple[Any, ...]], database_url: str, redis_url: str) -> None:
    async with AsyncExitStack() as stack:
        system = await System.open(stack, database_url, redis_url, f"model-{next(_slugs)}")
        trial = Trial(system)
        await trial.begin()
        for operation in operations:
            await trial.step(operation)
            await trial.check(trial.concerned(operation), limit=100)
        await trial.check(PEOPLE, limit=2)


class Trial:
    def __init__(self, system: System) -> None:
        self.system = system
        self.oracle = Oracle()

    async def begin(self) -> None:
        """Two people from the start, one who comes after a broadcast, one backdated to before the second."""
        for name in ("ada", "grace"):
            await self.system.join(name, None)
            self.oracle.join(name, since=1)
        await self._broadcast("a")
        moment = await self._broadcast("c")
        since = self.oracle.clock
        await self._broadcast("a.b")
        await self.system.join("late", None)
        self.oracle.join("late", since=self.oracle.clock + 1)
        await self.system.join("backdated", moment)
        self.oracle.join("backdated", since=since)

    async def step(self, operation: tuple[Any, ...]) -> None:
        kind, *arguments = operation
        await getattr(self, f"_{kind}")(*arguments)

    @staticmethod
    def concerned(operation: tuple[Any, ...]) -> Sequence[str]:
        """Whose inbox an operation may have changed."""
        kind, first, *_ = operation
        if kind in {"broadcast", "retract"}:
            return PEOPLE
        return first if isinstance(first, list) else [first]

    async def check(self, people: Sequence[str], limit: int) -> None:
        for name in people:
            for view in VIEWS:
                assert await self.system.view(name, view, limit) == self.oracle.view(name, view), (name, view)
            counts = await self.system.counts(name)
            expected = self.oracle.counts(name)
            assert {
                category: (one.unread, one.unseen) for category, one in counts.categories.items()
            } == expected, name
            assert counts.unread == sum(unread for unread, _ in expected.values())
            assert counts.unseen == sum(unseen for _, unseen in expected.values())

    def _picked(self, name: str, pick: int, source: str | None = None) -> str | None:
        visible = [item for item in self.oracle.visible(name) if source in (None, item.source)]
        return visible[pick % len(visible)].id if visible else None

    async def _send(self, names: list[str], category: str) -> None:
        for name, item in zip(names, await self.system.send(names, category), strict=True):
            self.oracle.send(name, item, category)

    async def _schedule(self, names: list[str], category: str) -> None:
        for name, item in zip(names, await self.system.schedule_and_deliver(names, category), strict=True):
            self.oracle.send(name, item, category)

    async def _broadcast(self, category: str) -> datetime:
        item, moment = await self.system.broadcast(category)
        self.oracle.broadcast(item, category)
        return moment.astimezone(UTC)

    async def _mark(self, name: str, pick: int, field: Any, value: bool) -> None:  # noqa: FBT001
        item = self._picked(name, pick)
        if item is None:
            return
        await self.system.mark(name, item, field, value=value)
        [found] = [one for one in self.oracle.visible(name) if one.id == item]
        self.oracle.people[name].set(found, field, value=value)

    async def _mark_all(self, name: str, watermark: Any) -> None:
        await self.system.mark_all(name, watermark, None)
        self.oracle.mark_all(name, watermark)

    async def _up_to_item(self, name: str, watermark: Any, pick: int) -> None:
        item = self._picked(name, pick)
        if item is None:
            return
        await self.system.mark_all(name, watermark, UpToItem(source_of(item), _uuid(item)))
        at = next(one.at for one in self.oracle.visible(name) if one.id == item)
        self.oracle.mark_all(name, watermark, {"notification": at, "broadcast": at})

    async def _up_to_items(
        self, name: str, watermark: Any, direct: int | None, announced: int | None
    ) -> None:
        chosen = {
            "notification": None if direct is None else self._picked(name, direct, "notification"),
            "broadcast": None if announced is None else self._picked(name, announced, "broadcast"),
        }
        up_to = UpToItems(
            *(None if chosen[source] is None else _uuid(chosen[source] or "") for source in chosen)
        )
        await self.system.mark_all(name, watermark, up_to)
        at = {one.id: one.at for one in self.oracle.visible(name)}
        self.oracle.mark_all(
            name,
            watermark,
            {source_of(item): at[item] for item in chosen.values() if item is not None},
        )

    async def _mute(self, name: str, entries: list[tuple[str, bool]]) -> None:
        await self.system.mute(name, entries)
        for category, enabled in entries:
            if enabled:
                self.oracle.people[name].muted.discard(category)
            else:
                self.oracle.people[name].muted.add(category)

    async def _retract(self, name: str, pick: int) -> None:
        item = self._picked(name, pick)
        if item is not None:
            await self.system.retract(item)
            self.oracle.remove(item)

    async def _archive_read(self, name: str) -> None:
        await self.system.archive_read(name)
        self.oracle.archive_read(name)


def _uuid(item: str) -> UUID:
    found = ids.decode_item(source_of(item), item)
    assert found is not None
    return found
