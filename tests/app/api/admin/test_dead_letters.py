"""Dead letters by the console: seen oldest first, and put back to work."""

from typing import Any
from uuid import UUID

import httpx

from app.contract import ids
from app.db import outbox
from app.db.pool import Pool
from tests.app.api.wire import assert_refused
from tests.app.worker.test_dead_letters import add_job
from tests.factories import Environment, make_environment

PATH = "/admin/api/dlq"


async def park(pool: Pool, environment: Environment) -> UUID:
    async with pool.acquire() as connection:
        job_id = await add_job(connection, environment)
        for _ in range(10):
            await outbox.fail_job(connection, environment.id, job_id, "no such shape")
    return job_id


async def listed(console: httpx.AsyncClient, **params: Any) -> list[str]:
    """Ids, page by page."""
    found: list[str] = []
    while True:
        answer = await console.get(PATH, params=params)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        found += [item["id"] for item in page["items"]]
        if page["next_cursor"] is None:
            return found
        params["cursor"] = page["next_cursor"]


async def test_they_are_listed_oldest_first_of_all_environments_or_one(
    console: httpx.AsyncClient, pool: Pool
) -> None:
    acme, other = await make_environment(pool, "acme"), await make_environment(pool, "other")
    owners = [acme, other, acme, acme, other]
    parked = [ids.encode("job", await park(pool, owner)) for owner in owners]
    for limit in (1, 2, 200):
        assert await listed(console, limit=limit) == parked
        assert await listed(console, limit=limit, environment="other") == [parked[1], parked[4]]
    [first, *_] = (await console.get(PATH)).json()["items"]
    parked_at = first.pop("parked_at")
    assert first == {
        "id": parked[0],
        "environment_slug": "acme",
        "job_type": "hint",
        "attempts": 10,
        "last_error": "no such shape",
    }
    assert parked_at.endswith("Z")
    assert_refused(await console.get(PATH, params={"environment": "unknown"}), 404, "not_found")


async def test_one_is_replayed_once(console: httpx.AsyncClient, environment: Environment, pool: Pool) -> None:
    job, other = await park(pool, environment), await park(pool, environment)
    path = f"{PATH}/{ids.encode('job', job)}/replay"
    answer = await console.post(path)
    assert (answer.status_code, answer.json()) == (200, {"replayed": 1})
    assert [row[0] for row in await pool.fetch("SELECT id FROM outbox")] == [job]
    assert_refused(await console.post(path), 404, "not_found")
    assert await listed(console) == [ids.encode("job", other)]
    [entry] = (await console.get("/admin/api/audit")).json()["items"]
    assert (entry["action"], entry["target"]) == ("dead_letter.replay", ids.encode("job", job))
    assert entry["environment_slug"] == "acme"


async def test_all_are_replayed_or_all_of_one_environment(console: httpx.AsyncClient, pool: Pool) -> None:
    acme, other = await make_environment(pool, "acme"), await make_environment(pool, "other")
    for owner in (acme, other, acme, other, other):
        await park(pool, owner)
    refused = await console.post(f"{PATH}/replay-all", params={"environment": "unknown"})
    assert_refused(refused, 404, "not_found")
    for params, replayed in (({"environment": "acme"}, 2), ({"environment": "acme"}, 0), ({}, 3), ({}, 0)):
        answer = await console.post(f"{PATH}/replay-all", params=params)
        assert answer.json() == {"replayed": replayed}
    assert await listed(console) == []
