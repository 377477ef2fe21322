"""Order and coverage hold whatever the database's clock does: it stands still here, or steps back."""

from itertools import product

import pytest

from app.contract.resources import Item
from app.services.cursors import Cursor
from tests.app.concurrency.backend import Backend, up_to_item
from tests.app.concurrency.coverage import MARKERS, is_covered, join, truth_about
from tests.app.concurrency.gates import Clock
from tests.app.concurrency.schedule import later, make_due

HOUR_US = 3_600_000_000

each_step = pytest.mark.parametrize("step", [0, -1, -HOUR_US], ids=["still", "back 1 us", "back an hour"])
each_source = pytest.mark.parametrize("source", ["notification", "broadcast"])


async def deliver(backend: Backend, source: str, way: str) -> None:
    """One item for everybody there is, by one of the ways in which an item becomes visible."""
    deliver_at = None if way == "now" else later()
    if source == "notification":
        sent = await backend.send(list(MARKERS), deliver_at=deliver_at)
    else:
        sent = [await backend.broadcast(deliver_at=deliver_at)]
    if way == "when due":
        await make_due(backend.pool, *sent)
        await backend.deliveries.run_once()


@each_step
@each_source
async def test_what_comes_after_an_all_is_not_covered(
    clock: Clock, backend: Backend, step: int, source: str
) -> None:
    """The clock says that it came before, or in the same microsecond."""
    await join(backend, *MARKERS)
    await deliver(backend, source, "now")
    covered = 1
    for way in ("now", "when due"):
        replies = {person: await backend.mark_all(person, watermark) for person, watermark in MARKERS.items()}
        await clock.move(step)
        await deliver(backend, source, way)
        for person, watermark in MARKERS.items():
            truth = await truth_about(backend, person)
            assert [is_covered(line, watermark) for line in truth.lines] == [False, *[True] * covered]
            assert (truth.unread, truth.unseen) == (replies[person].unread + 1, replies[person].unseen + 1)
            times = [line.us for line in truth.lines]
            assert times == sorted(set(times), reverse=True)
        covered += 1


@each_step
@each_source
async def test_newest_first_is_the_order_of_delivery(
    clock: Clock, backend: Backend, step: int, source: str
) -> None:
    await join(backend, "ada")
    sent: list[str] = []
    for _ in range(5):
        sent += await backend.send(["ada"]) if source == "notification" else [await backend.broadcast()]
        await clock.move(step)
    items = await backend.view("ada", limit=2)
    assert [item.id for item in items] == sent[::-1]
    times = [item.occurred_at for item in items]
    assert times == sorted(set(times), reverse=True)


async def test_one_delivery_of_many_items_gives_each_its_own_microsecond(
    clock: Clock, backend: Backend
) -> None:
    sent = [item for _ in range(5) for item in await backend.send(["ada"], deliver_at=later())]
    await make_due(backend.pool, *sent)
    await backend.deliveries.run_once()
    items = await backend.view("ada")
    assert {item.id for item in items} == set(sent)
    assert len({item.occurred_at for item in items}) == 5


async def send_at_equal_times(backend: Backend, *people: str) -> list[Item]:
    """Items of both sources, newest first, some of which share a time: the clock stands still."""
    await join(backend, *people)
    for _ in range(4):
        await backend.broadcast()
        await backend.send(people)
    items = await backend.view(people[0])
    assert len(items) == 8
    assert len({item.occurred_at for item in items}) < 8
    return items


async def test_at_an_equal_time_a_notification_comes_before_a_broadcast(
    clock: Clock, backend: Backend
) -> None:
    """Page by page too: nothing is skipped or repeated where a page ends between the two."""
    items = await send_at_equal_times(backend, "ada")
    places = [(item.occurred_at, item.source == "notification") for item in items]
    assert places == sorted(set(places), reverse=True)
    for limit in (1, 2, 3):
        assert await backend.view("ada", limit=limit) == items


async def test_up_to_an_item_covers_what_shares_its_time(clock: Clock, backend: Backend) -> None:
    """At or before its time, of both sources, whichever of the two is named; nothing after it."""
    sources = ("notification", "broadcast")
    people = {f"{marker}, {source}": (marker, source) for marker, source in product(MARKERS, sources)}
    await send_at_equal_times(backend, *people)
    for person, (marker, source) in people.items():
        watermark = MARKERS[marker]
        items = await backend.view(person)
        times = [item.occurred_at for item in items]
        shared = next(time for time in times if times.count(time) == 2)
        [named] = [item.id for item in items if (item.occurred_at, item.source) == (shared, source)]
        await backend.mark_all(person, watermark, up_to_item(named))
        truth = await truth_about(backend, person)
        assert {line.id for line in truth.lines if is_covered(line, watermark)} == {
            item.id for item in items if item.occurred_at <= shared
        }


async def test_a_page_that_ends_at_a_shared_time_goes_on_there(clock: Clock, backend: Backend) -> None:
    """What is delivered between two pages, in the same microsecond by the clock, belongs to neither."""
    items = await send_at_equal_times(backend, "ada")
    first = await backend.page("ada", limit=3)
    assert first.next_cursor is not None
    await backend.send(["ada"])
    await backend.broadcast()
    rest = await backend.page("ada", cursor=Cursor.decode(first.next_cursor), limit=100)
    assert first.items + rest.items == items


async def test_a_broadcast_in_the_microsecond_of_a_persons_creation_is_visible(
    clock: Clock, backend: Backend
) -> None:
    """At or after created_at; not before."""
    await join(backend, "ada")
    announced = await backend.broadcast()
    await clock.move(1)
    await join(backend, "too late")
    assert [item.id for item in await backend.view("ada")] == [announced]
    assert await backend.view("too late") == []
