"""What a sweep finds, in a hub that no hint ever reaches."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import pytest

from app.contract.errors import Unavailable
from app.db import presence, subscribers
from app.db.outage import Outage
from app.db.pool import Pool
from realtime.counts import CountsFeed
from realtime.hub import Hub
from realtime.sweep import Cause, Sweeper
from tests.factories import Environment
from tests.harness import eventually
from tests.realtime.backend import Backend
from tests.realtime.notebook import Notebook, make_hub


class Deaf:
    """A hub with its counts and sweeps, and no broker."""

    def __init__(self, pool: Pool, environment: Environment) -> None:
        self.hub: Hub[str] = make_hub()
        self.counts = CountsFeed[str](pool, Outage())
        self.sweeper = Sweeper(pool, self.hub, self.counts, Outage())
        self._pool = pool
        self._environment = environment

    async def join(self, subscriber_id: str) -> Notebook:
        """A listener of this subscriber, opened as a socket would be."""
        notebook = Notebook(self.hub)
        async with self._pool.acquire() as connection:
            [inbox] = await subscribers.select_inboxes(connection, self._environment.id, [subscriber_id])
        audience = notebook.join(inbox.inbox_id, self._environment.id, live=False)
        self.counts.open(audience, inbox)
        audience.go_live(notebook)
        return notebook


@pytest.fixture
async def deaf(pool: Pool, environment: Environment) -> AsyncGenerator[Deaf]:
    deaf = Deaf(pool, environment)
    running = asyncio.create_task(deaf.counts.run())
    yield deaf
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_only_those_whose_inbox_moved_are_told(deaf: Deaf, backend: Backend) -> None:
    await backend.notify("ann", "bob")
    ann, bob = await deaf.join("ann"), await deaf.join("bob")
    await backend.notify("ann")
    await deaf.sweeper.sweep("back")

    async def told() -> list[str]:
        return [words.rpartition(" ")[0] or words for words in ann.told]

    await eventually(told, ["resync", "2 2"].__eq__)
    assert bob.told == []
    await deaf.sweeper.sweep("back")
    assert await told() == ["resync", "2 2"]


async def test_a_change_without_numbers_is_a_resync_alone(deaf: Deaf, backend: Backend) -> None:
    await backend.notify("ann")
    await backend.mark_all("ann", "seen")
    await backend.mark_all("ann", "read")
    ann = await deaf.join("ann")
    await backend.mark_all("ann", "archived")
    await deaf.sweeper.sweep("away")
    assert ann.told == ["resync"]


@pytest.mark.parametrize("cause", ["away", "back", "periodic"])
async def test_another_opening_that_was_faster_than_the_hint_does_not_hide_that_it_is_owed(
    deaf: Deaf, backend: Backend, cause: Cause, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("realtime.sweep.IN_FLIGHT_S", 0.0)
    await backend.notify("ann")
    first = await deaf.join("ann")
    await backend.notify("ann")
    second = await deaf.join("ann")
    assert [words.rpartition(" ")[0] for words in first.told] == ["2 2"]
    assert second.told == []
    await deaf.sweeper.sweep(cause)
    assert first.told[1:] == ["resync"]
    await eventually(lambda: is_done(first))
    await deaf.sweeper.sweep(cause)
    assert first.told[1:] == ["resync"]
    await deaf.join("ann")
    await deaf.sweeper.sweep(cause)
    assert first.told[1:] == ["resync"]


async def is_done(notebook: Notebook) -> bool:
    """Whether what was read after the resync has come."""
    audience = notebook.audience
    return audience is not None and audience.hinted_version == audience.version


async def test_a_sweep_that_failed_is_made_up_for(
    deaf: Deaf, backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever it was: what was missed in the gap is still owed."""
    monkeypatch.setattr("realtime.sweep.AWAY_S", 0.05)
    failures: list[Exception] = [ValueError("a defect"), Unavailable("the database is away")]
    select = presence.select_versions

    async def failing(*arguments: Any) -> Any:
        if failures:
            raise failures.pop()
        return await select(*arguments)

    monkeypatch.setattr(presence, "select_versions", failing)
    await backend.notify("ann")
    ann = await deaf.join("ann")
    await backend.notify("ann")
    running = asyncio.create_task(deaf.sweeper.run())
    deaf.sweeper.hint_plane_up()

    async def told() -> list[str]:
        return ann.told

    try:
        await eventually(told, lambda words: words[:1] == ["resync"])
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    assert failures == []


async def test_the_erased_are_expelled(deaf: Deaf, backend: Backend) -> None:
    await backend.notify("ann", "bob")
    ann, bob = await deaf.join("ann"), await deaf.join("bob")
    await backend.erase("ann")
    await deaf.sweeper.sweep("periodic")
    assert ann.audience is not None
    assert ann.audience.listeners == ()
    assert bob.audience is not None
    assert bob.audience.listeners == (bob,)


async def test_a_periodic_sweep_waits_for_hints_that_are_on_their_way(
    deaf: Deaf, backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("realtime.sweep.IN_FLIGHT_S", 0.3)
    await backend.notify("ann")
    ann = await deaf.join("ann")
    await backend.notify("ann")
    sweeping = asyncio.create_task(deaf.sweeper.sweep("periodic"))
    assert ann.audience is not None
    deaf.counts.mark(ann.audience)  # what the hint does when it comes
    await sweeping
    assert "resync" not in ann.told


async def test_what_happens_in_a_muted_category_is_no_gap(
    deaf: Deaf, backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("realtime.sweep.IN_FLIGHT_S", 0.0)
    await backend.notify("ann")
    await backend.mute("ann", "sport")
    ann = await deaf.join("ann")
    await backend.notify("ann", category="sport")
    await deaf.sweeper.sweep("periodic")
    assert ann.audience is not None
    before = ann.audience.version

    async def version() -> int:
        return ann.audience.version if ann.audience else -1

    await eventually(version, lambda now: now > before)
    assert ann.told == []
