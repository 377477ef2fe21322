"""POST /v1/broadcasts: one row, seen by everyone who was there."""

from datetime import UTC, datetime, timedelta

import httpx

from app.contract import ids
from app.db.pool import Pool
from tests.app.api.wire import assert_refused

PATH = "/v1/broadcasts"


async def test_everyone_sees_it_from_one_row(
    backend: httpx.AsyncClient, ada: httpx.AsyncClient, pool: Pool
) -> None:
    await ada.get("/v1/inbox/counts")
    body = {"category": "news", "payload": {"title": "Hi"}, "idempotency_key": "hi"}
    answer = await backend.post(PATH, json=body)
    assert answer.status_code == 201
    sent = answer.json()
    assert sent == {
        "id": sent["id"],
        "category": "news",
        "payload": {"title": "Hi"},
        "created_at": sent["created_at"],
        "idempotency_key": "hi",
    }
    assert ids.decode("bcast", sent["id"]) is not None
    assert await pool.fetchval("SELECT count(*) FROM broadcasts") == 1
    [item] = (await ada.get("/v1/inbox/items")).json()["items"]
    assert item == {
        "id": sent["id"],
        "source": "broadcast",
        "category": "news",
        "payload": {"title": "Hi"},
        "occurred_at": sent["created_at"],
        "read": False,
        "archived": False,
    }


async def test_times_are_echoed_only_where_given(backend: httpx.AsyncClient) -> None:
    tomorrow = datetime.now(UTC).replace(microsecond=0) + timedelta(days=1)
    body = {"category": "news", "deliver_at": tomorrow.isoformat(), "payload": None}
    sent = (await backend.post(PATH, json=body)).json()
    assert sent["deliver_at"] == f"{tomorrow:%Y-%m-%dT%H:%M:%S}.000000Z"
    assert "expires_at" not in sent
    assert sent["payload"] == {}


async def test_the_same_request_again_answers_the_same_bytes(backend: httpx.AsyncClient) -> None:
    headers = {"Content-Type": "application/json"}
    body = b'{"category":"news","payload":{ "b":1, "a":1e400 },"idempotency_key":"k"}'
    first = await backend.post(PATH, content=body, headers=headers)
    again = await backend.post(PATH, content=body, headers=headers)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.content == again.content
    assert b'"payload":{ "b":1, "a":1e400 }' in first.content
    respelled = body.replace(b'{ "b":1, "a":1e400 }', b'{"b":1,"a":1e400}')
    answer = await backend.post(PATH, content=respelled, headers=headers)
    assert_refused(answer, 409, "conflict")


async def test_who_came_later_does_not_see_it(backend: httpx.AsyncClient, ada: httpx.AsyncClient) -> None:
    await backend.post(PATH, json={"category": "news"})
    assert (await ada.get("/v1/inbox/items")).json()["items"] == []


async def test_who_is_dated_back_does(backend: httpx.AsyncClient, ada: httpx.AsyncClient) -> None:
    await backend.post(PATH, json={"category": "news"})
    await backend.put("/v1/subscribers/ada", json={"created_at": "2020-01-01T00:00:00Z"})
    assert len((await ada.get("/v1/inbox/items")).json()["items"]) == 1
    assert (await ada.get("/v1/inbox/counts")).json()["unread"] == 1
