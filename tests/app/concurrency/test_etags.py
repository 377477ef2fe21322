"""Equal ETags are equal pages, and every change moves them, however transactions interleave."""

import asyncio
from itertools import product

import pytest

from app.contract.resources import Page
from app.services.cursors import Cursor
from app.services.inbox import PageReply
from tests.app.concurrency.audit import VIEWS
from tests.app.concurrency.backend import Backend, up_to_item
from tests.app.concurrency.conftest import LONG
from tests.app.concurrency.coverage import join
from tests.app.concurrency.gates import Clock, Gates
from tests.app.concurrency.schedule import later, make_due
from tests.app.concurrency.storm import SEEDS, TIMEOUT_S, Storm
from tests.factories import Environment, page_of

ROUNDS = 300 if LONG else 60  # of each reader


async def read(backend: Backend, person: str = "ada", known: str | None = None) -> PageReply:
    return await backend.inbox.page(backend.identity(person), known_etags=() if known is None else (known,))


@pytest.mark.timeout(TIMEOUT_S)
@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("erasing", [False, True], ids=["people stay", "people come and go"])
async def test_readers_among_writers_are_never_misled(
    database_url: str, redis_url: str, environment: Environment, seed: int, *, erasing: bool
) -> None:
    """Pages of every kind, conditional and not, and whole states by version: what each reader asserts."""
    storm = Storm(seed, callers=4, operations=3 * ROUNDS, readers=6, rounds=ROUNDS, erasing=erasing)
    await storm.run(database_url, redis_url, environment)


async def test_every_change_moves_the_tag_and_nothing_else_does(backend: Backend) -> None:
    """Each operation on this inbox, or on its broadcasts, in turn; and what concerns others."""
    await join(backend, "ada", "grace")
    [direct] = await backend.send(["ada"])
    announced = await backend.broadcast()
    waiting = await backend.send(["ada"], deliver_at=later())
    announcing = await backend.broadcast(deliver_at=later())

    async def unmoved(of_others: str) -> None:
        assert (await read(backend, known=before.etag)).page is None, of_others

    before = await read(backend)
    await backend.send(["grace"])
    await unmoved("somebody else's item")
    await backend.send(["ada"], deliver_at=later())
    await unmoved("something that waits")
    await backend.mark("ada", direct, "read", value=False)
    await unmoved("a mark that was so already")
    changes = [
        lambda: backend.mark("ada", direct, "read"),
        lambda: backend.mark("ada", direct, "read", value=False),
        lambda: backend.mark("ada", announced, "read"),
        lambda: backend.mark("ada", announced, "archived"),
        lambda: backend.mark("ada", announced, "archived", value=False),
        lambda: backend.mute("ada", "news"),
        lambda: backend.mute("ada", "news", muted=False),
        lambda: make_due(backend.pool, *waiting),
        lambda: make_due(backend.pool, announcing),
        lambda: backend.mark_all("ada", "read", up_to_item(direct)),
        lambda: backend.mark_all("ada", "read"),
        lambda: backend.inbox.archive_read(backend.identity("ada")),
        lambda: backend.send(["ada"]),
        backend.broadcast,
        lambda: backend.mark_all("ada", "archived"),
        lambda: backend.retract(direct),
        lambda: backend.retract(announced),
    ]
    pages = {before.etag: before.page}
    for change in changes:
        await change()
        await backend.deliveries.run_once()
        await backend.archive_read_jobs.run_once()
        after = await read(backend, known=before.etag)
        assert after.page is not None
        assert pages.setdefault(after.etag, after.page) is after.page, "a tag that was never seen before"
        assert (await read(backend, known=after.etag)).page is None
        before = after


async def test_no_two_kinds_of_page_share_a_tag(backend: Backend) -> None:
    """Other people, views, limits, cursors or categories (in another order, too): another tag."""
    people = ("ada", "grace")
    await join(backend, *people)
    for _ in range(4):
        await backend.send(people)
    cursors: list[Cursor | None] = [None]
    for limit in (1, 2):
        page = await backend.page("ada", limit=limit)
        assert page.next_cursor is not None
        cursors.append(Cursor.decode(page.next_cursor))
    filters = [None, ["a"], ["b"], ["a", "b"], ["b", "a"], ["a,b"], ["a.*"], ["a", "a"]]
    kinds = list(product(people, VIEWS, filters, cursors, (1, 2, 100)))
    tags = {
        (
            await backend.inbox.page(
                backend.identity(person), view=view, categories=categories, cursor=cursor, limit=limit
            )
        ).etag
        for person, view, categories, cursor, limit in kinds
    }
    assert len(tags) == len(kinds)


async def test_who_comes_back_has_other_tags(clock: Clock, backend: Backend) -> None:
    """Empty before and empty after, in the same microsecond by the clock: not the same page."""
    await backend.counts("ada")
    before = await read(backend)
    await backend.erase("ada")
    after = await read(backend, known=before.etag)
    assert page_of(after) == Page(items=[], next_cursor=None)
    assert after.etag != before.etag


@pytest.mark.parametrize("way", ["sent now", "delivered when due", "retracted"])
async def test_two_broadcasts_end_in_the_order_of_their_times(
    backend: Backend, paused: Backend, gates: Gates, way: str
) -> None:
    """The second cannot overtake the first: it has no time before the first is visible.

    The first has its time, and is about to be put there; without the head's lock the second would come
    before it, be shown, and the first would then appear underneath.
    """
    await backend.counts("ada")
    [waiting, old] = [await backend.broadcast(deliver_at=later()), await backend.broadcast()]
    await make_due(backend.pool, waiting)
    before = await read(backend)
    async with asyncio.TaskGroup() as tasks, gates.shut("INSERT", "broadcasts"):
        tasks.create_task(paused.broadcast("first"))
        await gates.arrived()
        second = {
            "sent now": lambda: backend.broadcast("second"),
            "delivered when due": backend.deliveries.run_once,
            "retracted": lambda: backend.retract(old),
        }[way]
        tasks.create_task(second())
        await gates.blocked("other")
        assert (await read(backend, known=before.etag)).page is None
    after = await read(backend)
    assert after.etag != before.etag
    shown = [item.category for item in page_of(after).items]
    assert (
        shown
        == {
            "sent now": ["second", "first", "news"],
            "delivered when due": ["news", "first", "news"],
            "retracted": ["first"],
        }[way]
    )


async def test_each_of_two_broadcasts_has_its_own_tag(
    backend: Backend, paused: Backend, gates: Gates
) -> None:
    """Begun in one order and let go one after the other: three states, three tags."""
    await backend.counts("ada")
    replies = [await read(backend)]
    async with asyncio.TaskGroup() as tasks:
        async with gates.shut("INSERT", "outbox"):
            first = tasks.create_task(paused.broadcast("first"))
            await gates.arrived()
            second = tasks.create_task(backend.broadcast("second"))
            await gates.blocked("other")
            assert (await read(backend)).etag == replies[0].etag
        await first
        replies.append(await read(backend))
        await second
        replies.append(await read(backend))
    by_tag = {reply.etag: reply.page for reply in replies}
    assert len(by_tag) == len(set(by_tag.values()))
    assert len(by_tag) in (2, 3), "the second may be there as soon as the first"
