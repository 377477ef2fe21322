"""Nothing is written about an item or a person that is going at the same moment."""

import asyncio

import pytest

from tests.app.concurrency.backend import Backend
from tests.app.concurrency.gates import Gates
from tests.app.concurrency.orphans import count_orphans
from tests.harness import eventually


@pytest.mark.parametrize("ending", ["retract", "erase"])
async def test_a_published_hint_leaves_no_timeline_of_an_item_that_went(
    backend: Backend, paused: Backend, gates: Gates, ending: str
) -> None:
    """The hint is out, and its process is about to note it, when the item goes."""
    async with gates.shut("INSERT", "timeline"):
        [item] = await paused.send(["ada"])
        await gates.arrived()
        going = asyncio.create_task(backend.retract(item) if ending == "retract" else backend.erase("ada"))
        await gates.done_or_blocked(going, "other")
    await going

    async def hint_jobs() -> int:
        return await backend.pool.fetchval("SELECT count(*) FROM outbox WHERE job_type = 'hint'")

    await eventually(hint_jobs, lambda count: count == 0)
    async with backend.pool.acquire() as connection:
        assert await count_orphans(connection) == {}
