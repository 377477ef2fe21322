"""What a read touches does not grow with the history, nor with what surrounds it."""

from collections.abc import Mapping
from typing import Final

import pytest

from tests.app.cost.calls import ALLS, COUNTS, MARKS, PAGES, READS, Call
from tests.app.cost.people import MOST, History, Person, find_person

pytestmark = pytest.mark.timeout(900)  # the first one waits for the history to be written

# What happened before, to the short history and to the long one alike.
BEFORE: Final[Mapping[str, list[Call]]] = {
    "nothing": [],
    "all read": [ALLS["read-all"]],
    "all archived": [ALLS["archive-all"]],
    "all seen, read and archived": [ALLS["seen-all"], ALLS["read-all"], ALLS["archive-all"]],
    "one archived": [MARKS["archive"]],
    "all read, one unread again": [ALLS["read-all"], MARKS["unread"]],
    "all archived, one brought back": [ALLS["archive-all"], MARKS["unarchive"]],
    "the newest 90 % muted": [MARKS["mute"]],
}

LEVELS: Final = 2  # by which an index of many rows may be deeper than one of few


async def outgrown(
    history: History, calls: Mapping[str, Call], few: Person, many: Person, *, allowance: int = 0
) -> list[str]:
    """The calls that touch more for `many` than they may, and those that read a table from end to end."""
    found: list[str] = []
    for name, (statement, arguments) in calls.items():
        small = await history.cost(statement, *arguments(few))
        large = await history.cost(statement, *arguments(many))
        if large.buffers > MOST * small.buffers + LEVELS + allowance:
            found.append(f"{name}: {small.buffers} -> {large.buffers} buffers")
        if small.scanned or large.scanned:
            found.append(f"{name}: reads all of {sorted(small.scanned | large.scanned)}")
    return found


@pytest.mark.parametrize("before", BEFORE)
@pytest.mark.parametrize("kind", ["", "-decided"])
async def test_a_long_history_costs_no_more_than_a_short_one(
    history: History, kind: str, before: str
) -> None:
    """100 000 items against 1 000, over twelve monthly partitions; decided: read and archived one by one.

    Counting reads a row a category; two more versions of each are left where all was seen and read just now.
    """
    short = await find_person(history.connection, "busy", f"short{kind}")
    long = await find_person(history.connection, "busy", f"long{kind}")
    for statement, arguments in BEFORE[before]:
        for person in (short, long):
            await history.connection.fetch(statement, *arguments(person))
    assert "\n".join(await outgrown(history, READS, short, long)) == ""
    assert "\n".join(await outgrown(history, COUNTS, short, long, allowance=26)) == ""


@pytest.mark.parametrize("before", ["nothing", "all read", "all archived", "the newest 90 % muted"])
async def test_what_surrounds_an_inbox_costs_its_reader_nothing(history: History, before: str) -> None:
    """1 000 broadcasts against 10, 100 000 scheduled items against 10, 100 000 people against 100.

    Counting reads the unread broadcasts in an index: about a hundred of them a page.
    """
    quiet = await find_person(history.connection, "quiet", "short")
    busy = await find_person(history.connection, "busy", "short")
    for statement, arguments in BEFORE[before]:
        for person in (quiet, busy):
            await history.connection.fetch(statement, *arguments(person))
    assert "\n".join(await outgrown(history, READS, quiet, busy)) == ""
    assert "\n".join(await outgrown(history, COUNTS, quiet, busy, allowance=20)) == ""


async def test_pages_touch_few_pages(history: History) -> None:
    """Every kind of page of a long history, within these many buffers.

    Filtered by category, it looks for each category that matches in each month back to where it finds enough.
    """
    for kind in ("", "-decided"):
        person = await find_person(history.connection, "busy", f"long{kind}")
        for name, (statement, arguments) in PAGES.items():
            cost = await history.cost(statement, *arguments(person))
            most = 12 if name == "not modified" else 1000 if "prefix" in name else 120
            assert cost.buffers <= most, (kind, name, cost)
