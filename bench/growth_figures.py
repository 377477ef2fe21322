"""What is timed, against a short and a long history in turn."""

import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from typing import Final
from uuid import UUID

import msgspec

from app.db import broadcasts, inbox, notifications
from app.db.inbox import View, Watermark
from app.db.notifications import Draft
from app.db.pool import Connection, fetch_one
from bench import growth_world
from bench.growth_world import Progress

TINY: Final = 100
BARE: Final = "SELECT 1"


class Person(msgspec.Struct, frozen=True):
    """middle: the id of an item half-way through the history, and its time."""

    environment_id: UUID
    subscriber_id: str
    inbox_id: UUID
    middle: UUID
    middle_us: int


class Spread(msgspec.Struct, frozen=True):
    """Milliseconds."""

    p50: float
    p99: float

    @classmethod
    def of(cls, taken: list[float]) -> "Spread":
        taken.sort()
        return cls(taken[len(taken) // 2], taken[len(taken) * 99 // 100])


class Measured(msgspec.Struct, frozen=True):
    """bare: the round trip of SELECT 1 meanwhile."""

    figure: str
    small: Spread
    large: Spread
    bare: Spread


async def seed(connection: Connection, short: int, long: int, progress: Progress) -> None:
    """Environments `quiet` and `busy`; in `busy`, histories of three kinds in two lengths.

    Untouched; `-decided`: read and archived one by one, but for the oldest; `-done`: seen, read and archived
    by watermark.
    """
    await growth_world.open_months(connection)
    quiet = await growth_world.create_environment(connection, "quiet")
    busy = await growth_world.create_environment(connection, "busy")
    await growth_world.create_crowd(connection, quiet, 100)
    await growth_world.create_crowd(connection, busy, long, progress=progress)
    await growth_world.create_broadcasts(connection, quiet, 10)
    await growth_world.create_broadcasts(connection, busy, 1_000)
    waiting = await growth_world.create_inbox(connection, busy, "waiting", TINY)
    await growth_world.create_backlog(connection, busy, waiting, long, progress=progress)
    await growth_world.create_inbox(connection, busy, "tiny", TINY)
    await growth_world.create_inbox(connection, quiet, "short", short)
    for length, items in (("short", short), ("long", long)):
        for kind in ("", "-decided", "-done"):
            await growth_world.create_inbox(
                connection, busy, f"{length}{kind}", items, decided=kind == "-decided", progress=progress
            )
        for watermark in ("seen", "read", "archived"):
            await inbox.mark_alls(connection, [inbox.MarkAll(busy, f"{length}-done", watermark)])
    await growth_world.analyze(connection)


SELECT_PERSON: Final = """
SELECT s.environment_id, s.subscriber_id, s.id, n.id, position_us(n.position)
FROM subscribers s JOIN environments e ON e.id = s.environment_id
CROSS JOIN LATERAL (
    SELECT n.id, n.position FROM notifications n WHERE n.environment_id = e.id AND n.inbox_id = s.id
    ORDER BY n.position OFFSET $3 LIMIT 1) AS n
WHERE e.slug = $1 AND s.subscriber_id = $2
"""


async def find(connection: Connection, slug: str, subscriber_id: str, items: int) -> Person:
    return Person(*await fetch_one(connection, SELECT_PERSON, slug, subscriber_id, items // 2))


Timed = Callable[[Connection, Person], Awaitable[object]]


def _page(
    view: View, *, categories: tuple[str, ...] | None = None, deep: bool = False, known: tuple[str, ...] = ()
) -> Timed:
    return lambda connection, who: inbox.select_pages(
        connection,
        [
            inbox.PageRequest(
                who.environment_id,
                who.subscriber_id,
                view=view,
                categories=categories,
                before=(who.middle_us, "notification") if deep else None,
                limit=21,
                parameters="",
                known_etags=known,
            )
        ],
    )


def _mark_all(watermark: Watermark) -> Timed:
    return lambda connection, who: inbox.mark_alls(
        connection, [inbox.MarkAll(who.environment_id, who.subscriber_id, watermark)]
    )


def _send(connection: Connection, who: Person) -> Awaitable[object]:
    draft = Draft(
        environment_id=who.environment_id,
        idempotency_key="a key",
        fingerprint=b"fingerprint",
        recipients=[who.subscriber_id],
        category="noise",
        payload=growth_world.PAYLOAD,
        deliver_at=None,
        expires_at=None,
    )
    return notifications.send_notifications(connection, [draft])


def _broadcast(connection: Connection, who: Person) -> Awaitable[object]:
    return broadcasts.send_broadcast(
        connection,
        who.environment_id,
        idempotency_key="a key",
        fingerprint=b"fingerprint",
        category="news.1",
        payload=growth_world.PAYLOAD,
        deliver_at=None,
        expires_at=None,
    )


OF_A_HISTORY: Final[Mapping[str, Timed]] = {
    "first page": _page("default"),
    "first page, unread": _page("unread"),
    "first page, archived": _page("archived"),
    "first page, one category": _page("default", categories=("rare",)),
    "page from the middle": _page("default", deep=True),
    "not modified": _page("default", known=("*",)),
    "counts": lambda connection, who: inbox.select_counts_of(
        connection, [(who.environment_id, who.subscriber_id)]
    ),
    "counts by category": lambda connection, who: inbox.select_counts_by_category(
        connection, who.environment_id, who.subscriber_id
    ),
    "one item": lambda connection, who: inbox.select_item(
        connection, who.environment_id, who.subscriber_id, source="notification", item_id=who.middle
    ),
}
UNTOUCHED: Final[Mapping[str, Timed]] = {
    "mark read": lambda connection, who: inbox.mark_items(
        connection,
        [
            inbox.Mark(
                who.environment_id, who.subscriber_id, "notification", who.middle, field="read", value=True
            )
        ],
    ),
    "send": _send,
}
ALL: Final[Mapping[str, Timed]] = {
    "read-all": _mark_all("read"),
    "seen-all": _mark_all("seen"),
    "archive-all": _mark_all("archived"),
}


async def measure(connection: Connection, short: int, long: int, rounds: int) -> AsyncGenerator[Measured]:
    """Each figure, as soon as it is known."""
    for kind, name in (
        ("", ""),
        ("-done", ", all seen, read, archived"),
        ("-decided", ", read and archived one by one"),
    ):
        small = await find(connection, "busy", f"short{kind}", short)
        large = await find(connection, "busy", f"long{kind}", long)
        for figure, call in (OF_A_HISTORY if kind else {**OF_A_HISTORY, **UNTOUCHED}).items():
            yield await _compare(connection, f"{figure}{name}", call, (small, large), rounds=rounds)
    tiny = await find(connection, "busy", "tiny", TINY)
    large = await find(connection, "busy", "long", long)
    for figure, call in ALL.items():
        yield await _compare(
            connection, f"{figure} of {TINY} and of {long}", call, (tiny, large), rounds=rounds
        )
    quiet = await find(connection, "quiet", "short", short)
    busy = await find(connection, "busy", "short", short)
    for figure, call in {**OF_A_HISTORY, "send": _send, "broadcast": _broadcast}.items():
        if not figure.startswith("counts"):
            yield await _compare(
                connection, f"{figure}, quiet and busy surroundings", call, (quiet, busy), rounds=rounds
            )


async def _compare(
    connection: Connection, figure: str, call: Timed, people: tuple[Person, Person], *, rounds: int
) -> Measured:
    """The three in turn, so that whatever else the machine does meets them alike.

    Undone each time: without the commit, which costs what the disk costs.
    """
    small, large = people
    taken: dict[str, list[float]] = {"bare": [], "small": [], "large": []}
    for _ in range(rounds):
        taken["bare"].append(await _time(connection, lambda: fetch_one(connection, BARE)))
        taken["small"].append(await _time(connection, lambda: call(connection, small)))
        taken["large"].append(await _time(connection, lambda: call(connection, large)))
    return Measured(figure, Spread.of(taken["small"]), Spread.of(taken["large"]), Spread.of(taken["bare"]))


async def _time(connection: Connection, call: Callable[[], Awaitable[object]]) -> float:
    transaction = connection.transaction()
    await transaction.start()
    try:
        begun = time.perf_counter()
        await call()
        return (time.perf_counter() - begun) * 1000
    finally:
        await transaction.rollback()
