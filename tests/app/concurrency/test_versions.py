"""The version of an inbox: never lower than before, and never the same for two states."""

import pytest

from app.db import inbox
from app.db.inbox import MarkedAll, Watermark
from tests.app.concurrency.backend import Backend
from tests.app.concurrency.coverage import MARKERS, join
from tests.app.concurrency.gates import Clock


@pytest.mark.parametrize("watermark", MARKERS.values())
async def test_an_all_names_a_state_of_its_own(backend: Backend, watermark: Watermark) -> None:
    """A broadcast commits after the "all" has made its answer, and before its commit.

    The sum of what changed is the same then for those who see the broadcast alone and for the caller of
    the "all", who sees everything marked. Neither may drop what the other is told as known already.
    """
    await backend.send(["ada"])
    before = await backend.counts("ada")
    async with backend.pool.acquire() as connection, connection.transaction():
        mark = inbox.MarkAll(backend.environment.id, "ada", watermark)
        [reply] = (await inbox.mark_alls(connection, [mark])).answers
        await backend.broadcast()
        between = await backend.counts("ada")
    after = await backend.counts("ada")
    assert before.version < between.version < after.version
    assert before.version < version_of(reply) < after.version
    assert version_of(reply) != between.version


def version_of(reply: MarkedAll) -> int:
    assert reply.version is not None
    return reply.version


async def test_an_all_that_changes_nothing_names_the_state_there_is(backend: Backend) -> None:
    """Asked twice, it is the version that everybody else is told."""
    await backend.send(["ada"])
    first = await backend.mark_all("ada", "read")
    after = await backend.counts("ada")
    again = await backend.mark_all("ada", "read")
    assert first.version < after.version
    assert again == after


async def test_whoever_comes_back_is_not_behind(backend: Backend) -> None:
    """Clients compare versions under the same id; many changes before the erasure make no difference."""
    await join(backend, "ada")
    for _ in range(50):
        await backend.send(["ada"])
    before = await backend.counts("ada")
    await backend.erase("ada")
    assert (await backend.counts("ada")).version > before.version


async def test_versions_go_on_when_the_clock_steps_back(clock: Clock, backend: Backend) -> None:
    """They count changes, not time."""
    await join(backend, "ada")
    told = [(await backend.counts("ada")).version]
    for _ in range(3):
        await clock.move(-1_000_000)
        await backend.send(["ada"])
        told.append((await backend.counts("ada")).version)
        await backend.broadcast()
        told.append((await backend.counts("ada")).version)
    assert told == sorted(set(told))
