"""An API key names an environment; without one, nothing is done."""

import asyncio

import httpx
import pytest

from app.db.pool import Pool
from app.security import keys
from tests.app.api.wire import assert_refused
from tests.factories import Environment, make_environment
from tests.harness import eventually

SEND = {"subscriber_id": "ada", "category": "news"}


async def test_only_a_known_bearer_key_is_let_in(
    client: httpx.AsyncClient, environment: Environment, pool: Pool, subtests: pytest.Subtests
) -> None:
    key = environment.api_key
    for authorization in (
        None,
        "",
        "Bearer",
        key,
        f"Basic {key}",
        f"Bearer {key}x",
        f"Bearer {key[:-1]}",
        f"Bearer {keys.new_api_key()}",
        f"Bearer {key} {key}",
        f"Bearer {environment.secret}",
        "Bearer \u00ff\u00fe",
    ):
        with subtests.test(authorization=authorization):
            given = {} if authorization is None else {"Authorization": authorization}
            headers = httpx.Headers(given, encoding="latin-1")
            answer = await client.post("/v1/notifications", json=SEND, headers=headers)
            assert_refused(answer, 401, "unauthorized")
    assert await pool.fetchval("SELECT count(*) FROM subscribers") == 0


async def test_the_scheme_is_compared_without_case(
    client: httpx.AsyncClient, environment: Environment
) -> None:
    headers = {"Authorization": f"bEaReR {environment.api_key}"}
    assert (await client.post("/v1/notifications", json=SEND, headers=headers)).status_code == 201


async def test_the_query_is_no_place_for_a_key(client: httpx.AsyncClient, environment: Environment) -> None:
    for name in ("token", "api_key", "authorization"):
        answer = await client.post("/v1/notifications", json=SEND, params={name: environment.api_key})
        assert_refused(answer, 401, "unauthorized")


async def test_a_key_acts_in_its_own_environment(
    client: httpx.AsyncClient, environment: Environment, pool: Pool
) -> None:
    other = await make_environment(pool, "other")
    assert (
        await client.post("/v1/notifications", json=SEND, headers=other.management_headers)
    ).status_code == 201
    items = await client.get("/v1/inbox/items", headers=environment.subscriber_headers("ada"))
    assert items.json()["items"] == []
    items = await client.get("/v1/inbox/items", headers=other.subscriber_headers("ada"))
    assert len(items.json()["items"]) == 1


async def test_a_revoked_key_is_refused_within_a_second(
    backend: httpx.AsyncClient, environment: Environment, pool: Pool
) -> None:
    assert (await backend.put("/v1/subscribers/ada")).status_code == 200
    await pool.execute("UPDATE api_keys SET revoked_at = now()")
    await asyncio.sleep(0.6)
    assert_refused(await backend.put("/v1/subscribers/ada"), 401, "unauthorized")


async def test_a_use_is_noted_coarsely(backend: httpx.AsyncClient, pool: Pool) -> None:
    async def last_used() -> object:
        return await pool.fetchval("SELECT last_used_at FROM api_keys")

    assert await last_used() is None
    await backend.put("/v1/subscribers/ada")
    first = await eventually(last_used)
    for _ in range(5):
        await backend.put("/v1/subscribers/ada")
    await asyncio.sleep(0.1)
    assert await last_used() == first


async def test_no_cors_here(backend: httpx.AsyncClient) -> None:
    origin = {"Origin": "https://app.example.com", "Access-Control-Request-Method": "POST"}
    answer = await backend.post("/v1/notifications", json=SEND, headers=origin)
    assert not [name for name in answer.headers if name.startswith("access-control")]
    assert_refused(await backend.options("/v1/notifications", headers=origin), 405, "method_not_allowed")


async def test_a_badly_encoded_query_is_400_even_where_nothing_reads_it(
    backend: httpx.AsyncClient, subtests: pytest.Subtests
) -> None:
    for query in ("a=%zz", "%ff=1", "a=%ff", "a=%00"):
        with subtests.test(query=query):
            answer = await backend.post(f"/v1/notifications?{query}", json=SEND)
            assert_refused(answer, 400, "invalid_request")
    assert (await backend.post("/v1/notifications?a=1&a=2&b", json=SEND)).status_code == 201
