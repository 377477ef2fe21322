"""Environments by the console: made, changed, found; their secrets rotated without locking anybody out."""

import asyncio
from typing import Any
from uuid import UUID

import httpx
import pytest

from app.contract import ids
from app.db.pool import Pool
from realtime.main import serve
from tests.app.api.admin.people import make_admin
from tests.app.api.wire import assert_refused
from tests.factories import Environment, make_environment
from tests.harness import eventually
from tests.realtime.clients import GatewayUnderTest

PATH = "/admin/api/environments"
SLACK_S = 1.0  # of a busy machine
DETAIL = {
    *("id", "slug", "name", "require_subscriber_hash", "created_at"),
    *("has_previous_secret", "subscriber_hmac_rotated_at", "subscriber_hmac_secret"),
}


async def test_one_that_was_made_works_at_once(console: httpx.AsyncClient, client: httpx.AsyncClient) -> None:
    answer = await console.post(PATH, json={"slug": "shop", "name": "The shop"})
    assert answer.status_code == 201
    made = answer.json()
    assert set(made) == DETAIL
    assert made["require_subscriber_hash"] is True
    assert (made["has_previous_secret"], made["subscriber_hmac_rotated_at"]) == (False, None)
    key = (await console.post(f"{PATH}/shop/api-keys", json={"name": "backend"})).json()["key"]
    sent = await client.post(
        "/v1/notifications",
        json={"subscriber_id": "ada", "category": "news"},
        headers={"Authorization": f"Bearer {key}"},
    )
    assert sent.status_code == 201
    proven = Environment(ids.decode("env", made["id"]), "shop", made["subscriber_hmac_secret"], key)  # pyright: ignore[reportArgumentType]
    counts = await client.get("/v1/inbox/counts", headers=proven.subscriber_headers("ada"))
    assert counts.json()["unread"] == 1


async def test_a_slug_is_taken_once(console: httpx.AsyncClient) -> None:
    answers = await asyncio.gather(
        *(console.post(PATH, json={"slug": "shop", "name": str(number)}) for number in range(4))
    )
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]
    assert len((await console.get(PATH)).json()["items"]) == 1


async def test_it_is_found_by_slug_and_by_id(console: httpx.AsyncClient, environment: Environment) -> None:
    by_slug = (await console.get(f"{PATH}/acme")).json()
    by_id = (await console.get(f"{PATH}/{ids.encode('env', environment.id)}")).json()
    assert by_slug == by_id
    assert by_slug["subscriber_hmac_secret"] == environment.secret


async def test_a_slug_is_no_id(console: httpx.AsyncClient, environment: Environment, pool: Pool) -> None:
    """In a path it would be an environment of another slug, now or later. One made before hides nobody's."""
    slug = ids.encode("env", environment.id)
    for impostor in (slug, ids.encode("env", UUID(int=7))):
        refused = await console.post(PATH, json={"slug": impostor, "name": "Impostor"})
        assert_refused(refused, 400, "invalid_request", "slug must not be the id of an environment")
    assert (await console.post(PATH, json={"slug": slug[:-1], "name": "Fine"})).status_code == 201
    await pool.execute("UPDATE environments SET slug = $1 WHERE slug = $2", slug, slug[:-1])
    assert (await console.get(f"{PATH}/{slug}")).json()["slug"] == "acme"


@pytest.mark.parametrize(("role", "may"), [("viewer", False), ("operator", False), ("developer", True)])
async def test_the_secret_is_left_out_for_who_may_not_read_it(
    client: httpx.AsyncClient,
    pool: Pool,
    environment: Environment,
    role: Any,
    may: bool,  # noqa: FBT001
) -> None:
    admin = await make_admin(pool, role)
    found = (await client.get(f"{PATH}/acme", headers=admin.headers)).json()
    assert set(found) == (DETAIL if may else DETAIL - {"subscriber_hmac_secret"})


async def test_the_list_is_paged_and_shows_no_secret(console: httpx.AsyncClient, pool: Pool) -> None:
    made = [await make_environment(pool, f"number-{number}") for number in range(5)]
    found: list[Any] = []
    params: dict[str, Any] = {"limit": 2}
    while True:
        answer = await console.get(PATH, params=params)
        found += answer.json()["items"]
        params["cursor"] = answer.json()["next_cursor"]
        if params["cursor"] is None:
            break
    assert [item["slug"] for item in found] == [one.slug for one in reversed(made)]
    assert all(set(item) == {"id", "slug", "name", "require_subscriber_hash", "created_at"} for item in found)


async def test_a_change_is_of_what_was_named_and_acts_within_a_second(
    console: httpx.AsyncClient, client: httpx.AsyncClient, environment: Environment
) -> None:
    without = {"X-Bellwire-Environment": "acme", "X-Bellwire-Subscriber": "ada"}

    async def status() -> int:
        return (await client.get("/v1/inbox/counts", headers=without)).status_code

    assert await status() == 401
    changed = (await console.patch(f"{PATH}/acme", json={"require_subscriber_hash": False})).json()
    assert (changed["name"], changed["require_subscriber_hash"]) == ("Acme", False)
    assert await status() == 200
    renamed = await console.patch(f"{PATH}/acme", json={"name": "ACME", "slug": None})
    assert_refused(renamed, 400, "invalid_request", "slug")
    renamed = (await console.patch(f"{PATH}/acme", json={"name": "ACME"})).json()
    assert (renamed["name"], renamed["require_subscriber_hash"]) == ("ACME", False)
    assert (await console.patch(f"{PATH}/acme", json={})).json() == renamed


async def test_a_rotation_locks_nobody_out_until_it_is_complete(
    console: httpx.AsyncClient, client: httpx.AsyncClient, environment: Environment
) -> None:
    async def status(of: Environment) -> int:
        return (await client.get("/v1/inbox/counts", headers=of.subscriber_headers("ada"))).status_code

    assert await status(environment) == 200
    rotated = await console.post(f"{PATH}/acme/hmac/rotate")
    assert rotated.status_code == 200
    body = rotated.json()
    assert set(body) == {"subscriber_hmac_secret", "has_previous_secret", "subscriber_hmac_rotated_at"}
    assert body["has_previous_secret"] is True
    fresh = Environment(environment.id, "acme", body["subscriber_hmac_secret"], environment.api_key)
    assert await status(fresh) == 200
    minted = await client.post("/v1/subscribers/ada/tokens", headers=environment.management_headers)
    by_token = {"Authorization": f"Bearer {minted.json()['token']}"}
    assert (await client.get("/v1/inbox/counts", headers=by_token)).status_code == 200
    assert await status(environment) == 200
    found = (await console.get(f"{PATH}/acme")).json()
    assert {name: found[name] for name in body} == body
    assert (await console.post(f"{PATH}/acme/hmac/rotate/complete")).status_code == 204
    await eventually(lambda: status(environment), lambda found: found == 401)
    assert await status(fresh) == 200
    assert (await console.post(f"{PATH}/acme/hmac/rotate/complete")).status_code == 204
    found = (await console.get(f"{PATH}/acme")).json()
    assert (found["has_previous_secret"], found["subscriber_hmac_rotated_at"]) == (
        False,
        body["subscriber_hmac_rotated_at"],
    )


async def test_a_completed_rotation_closes_the_sockets_of_the_old_secret(
    console: httpx.AsyncClient, services: Any, environment: Environment
) -> None:
    """Within two seconds, and no others."""
    async with serve(services.settings) as (gateway, address):
        under_test = GatewayUnderTest(gateway, address, environment)
        async with under_test.client("ada") as old:
            rotated = (await console.post(f"{PATH}/acme/hmac/rotate")).json()
            fresh = Environment(environment.id, "acme", rotated["subscriber_hmac_secret"], "")
            async with under_test.socket(fresh.subscriber_query("ada")) as new:
                await new.next("ready")
                await console.post(f"{PATH}/acme/hmac/rotate/complete")
                async with asyncio.timeout(2 + SLACK_S):
                    assert (await old.closed())[0] == 4505
                await new.send({"type": "ping"})
                assert await new.next() == {"type": "pong"}
