"""What a write touches grows with what it changes, and with nothing else."""

import pytest

from tests.app.cost.calls import ALLS, CREATES, MARKS, STEPS
from tests.app.cost.people import History, find_person
from tests.app.cost.test_reads import outgrown

pytestmark = pytest.mark.timeout(900)


@pytest.mark.parametrize("kind", ["", "-decided"])
async def test_marks_in_a_long_history_cost_no_more_than_in_a_short_one(history: History, kind: str) -> None:
    """100 000 items against 1 000, one item or up to the tenth oldest."""
    short = await find_person(history.connection, "busy", f"short{kind}")
    long = await find_person(history.connection, "busy", f"long{kind}")
    assert "\n".join(await outgrown(history, MARKS, short, long)) == ""


async def test_all_of_a_long_history_costs_no_more_than_all_of_a_tiny_one(history: History) -> None:
    """read-all, seen-all and archive-all over 100 000 items against 100."""
    tiny = await find_person(history.connection, "busy", "tiny")
    long = await find_person(history.connection, "busy", "long")
    assert "\n".join(await outgrown(history, ALLS, tiny, long)) == ""


async def test_creates_cost_no_more_where_there_is_more(history: History) -> None:
    """100 000 people, items and scheduled items against 100; 1 000 broadcasts against 10."""
    quiet = await find_person(history.connection, "quiet", "short")
    busy = await find_person(history.connection, "busy", "long")
    assert "\n".join(await outgrown(history, CREATES, quiet, busy)) == ""


async def test_steps_of_the_worker_pass_over_what_is_not_due(history: History) -> None:
    """100 000 items that expire in a year, as many scheduled, 10 000 jobs that wait."""
    person = await find_person(history.connection, "busy", "long")
    for name, (statement, arguments) in STEPS.items():
        cost = await history.cost(statement, *arguments(person))
        assert cost.buffers <= 100, (name, cost)
        assert not cost.scanned, (name, cost)
