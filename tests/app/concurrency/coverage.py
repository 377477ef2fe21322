"""Three people who each move one watermark, so that one run shows all three; and what their "all" covered."""

from typing import Final

from app.contract.resources import Counts
from app.db.inbox import Watermark
from tests.app.concurrency.audit import check_inbox
from tests.app.concurrency.backend import Backend
from tests.app.concurrency.truth import Line, Truth

MARKERS: Final[dict[str, Watermark]] = {"reader": "read", "viewer": "seen", "archiver": "archived"}


async def join(backend: Backend, *people: str) -> None:
    """They exist from now on, and see broadcasts."""
    await backend.subscribers.insert(backend.environment.id, [(person, None) for person in people])


async def truth_about(backend: Backend, person: str) -> Truth:
    """What the database holds, once everything told about it agrees."""
    truth = await check_inbox(backend.pool, backend.environment.id, person, limit=2, categories=["news"])
    assert truth is not None
    return truth


def line_of(truth: Truth, item: str) -> Line:
    [found] = [line for line in truth.lines if line.id == item]
    return found


def is_covered(line: Line, watermark: Watermark) -> bool:
    return {"read": line.read, "seen": line.seen, "archived": line.archived}[watermark]


def check_reply(reply: Counts, truth: Truth) -> None:
    assert (reply.unread, reply.unseen) == (truth.unread, truth.unseen)
