"""POST /v1/subscribers/{id}/tokens: what is minted opens that person's inbox, and ends by itself."""

import time
from datetime import datetime

import httpx
import jwt
import pytest

from app.db.pool import Pool
from tests.app.api.wire import assert_refused
from tests.factories import Environment

PATH = "/v1/subscribers/ada/tokens"


async def test_a_token_opens_the_inbox_by_itself(
    backend: httpx.AsyncClient, client: httpx.AsyncClient, environment: Environment
) -> None:
    answer = await backend.post("/v1/subscribers/a%2F%F0%9F%94%94/tokens")
    assert answer.status_code == 201
    assert list(answer.json()) == ["token", "expires_at"]
    assert answer.headers["cache-control"] == "no-store"
    token = answer.json()["token"]
    assert jwt.decode(token, environment.secret, ["HS256"])["sub"] == "a/🔔"
    headers = {"Authorization": f"Bearer {token}"}
    assert (await client.get("/v1/inbox/counts", headers=headers)).status_code == 200
    found = await backend.get("/v1/subscribers/a%2F%F0%9F%94%94")
    assert found.json()["subscriber_id"] == "a/🔔"


async def test_it_lasts_as_long_as_was_asked(backend: httpx.AsyncClient, subtests: pytest.Subtests) -> None:
    for body, seconds in (
        (b"", 3600),
        (b"{}", 3600),
        (b'{"ttl_seconds":null}', 3600),
        (b'{"ttl_seconds":60}', 60),
        (b'{"ttl_seconds":86400}', 86_400),
    ):
        with subtests.test(body=body):
            before = int(time.time())
            answer = await backend.post(PATH, content=body, headers={"Content-Type": "application/json"})
            assert answer.status_code == 201
            expires_at = answer.json()["expires_at"]
            assert expires_at.endswith(".000000Z")
            lasts = datetime.fromisoformat(expires_at).timestamp() - before
            assert seconds <= lasts <= seconds + 5


async def test_the_person_exists_from_then_on(backend: httpx.AsyncClient, pool: Pool) -> None:
    await backend.post(PATH)
    assert await pool.fetchval("SELECT subscriber_id FROM subscribers") == "ada"


async def test_bad_lifetimes_are_400(
    backend: httpx.AsyncClient, pool: Pool, subtests: pytest.Subtests
) -> None:
    for value in (59, 86_401, 0, -1, "60", 60.5, True, [], 10**30):
        with subtests.test(value=value):
            answer = await backend.post(PATH, json={"ttl_seconds": value})
            assert_refused(answer, 400, "invalid_request", "ttl_seconds")
    assert_refused(await backend.post(PATH, json={"ttl": 60}), 400, "invalid_request", "ttl")
    assert await pool.fetchval("SELECT count(*) FROM subscribers") == 0
