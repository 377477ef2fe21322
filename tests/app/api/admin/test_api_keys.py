"""Keys by the console: shown once, and refused within a second of being revoked."""

import httpx

from app.contract import ids
from app.db.pool import Pool
from tests.app.api.wire import assert_refused
from tests.factories import Environment, make_environment
from tests.harness import eventually

PATH = "/admin/api/environments/acme/api-keys"


async def test_a_key_is_shown_once(console: httpx.AsyncClient, environment: Environment, pool: Pool) -> None:
    answer = await console.post(PATH, json={"name": "backend"})
    assert answer.status_code == 201
    made = answer.json()
    assert set(made) == {"id", "name", "key_prefix", "key", "created_at"}
    assert made["key"].startswith(made["key_prefix"])
    assert (len(made["key"]), len(made["key_prefix"])) == (46, 10)
    listed = (await console.get(PATH)).json()
    assert [key["name"] for key in listed["items"]] == ["backend", "test"]
    assert listed["items"][0] == {
        "id": made["id"],
        "name": "backend",
        "key_prefix": made["key_prefix"],
        "created_at": made["created_at"],
        "last_used_at": None,
        "revoked_at": None,
    }
    assert made["key"] not in str(await pool.fetch("SELECT * FROM api_keys"))


async def test_a_revoked_key_is_refused_within_a_second(
    console: httpx.AsyncClient, backend: httpx.AsyncClient
) -> None:
    async def status() -> int:
        return (await backend.get("/v1/subscribers")).status_code

    assert await status() == 200
    [key] = (await console.get(PATH)).json()["items"]
    assert (await console.post(f"{PATH}/{key['id']}/revoke")).status_code == 204
    await eventually(status, lambda found: found == 401)
    [revoked] = (await console.get(PATH)).json()["items"]
    assert revoked["revoked_at"] is not None
    assert (await console.post(f"{PATH}/{key['id']}/revoke")).status_code == 204
    assert (await console.get(PATH)).json()["items"] == [revoked]


async def test_a_key_of_another_environment_is_not_there(
    console: httpx.AsyncClient, environment: Environment, pool: Pool
) -> None:
    other = await make_environment(pool, "other")
    key = ids.encode(
        "key", await pool.fetchval("SELECT id FROM api_keys WHERE environment_id = $1", other.id)
    )
    assert_refused(await console.post(f"{PATH}/{key}/revoke"), 404, "not_found")
    assert await pool.fetchval("SELECT count(*) FROM api_keys WHERE revoked_at IS NOT NULL") == 0


async def test_the_list_is_paged(console: httpx.AsyncClient, environment: Environment) -> None:
    for number in range(4):
        await console.post(PATH, json={"name": str(number)})
    first = (await console.get(PATH, params={"limit": 3})).json()
    second = (await console.get(PATH, params={"limit": 3, "cursor": first["next_cursor"]})).json()
    assert [key["name"] for key in first["items"] + second["items"]] == ["3", "2", "1", "0", "test"]
    assert second["next_cursor"] is None
