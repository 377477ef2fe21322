"""/v1/broadcasts: one row, seen by everyone who was there."""

from datetime import UTC, datetime, timedelta

import httpx
import pytest

from app.api.services import Services
from app.contract import ids as type_ids
from app.db.pool import Pool
from tests.app.api.test_items import send
from tests.app.api.test_notifications import later
from tests.app.api.test_records import deliver, ids, paged
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
    assert type_ids.decode("bcast", sent["id"]) is not None
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


async def test_one_has_every_field_in_the_contracts_order(backend: httpx.AsyncClient) -> None:
    body = b'{"category":"news","payload":{ "b":1e400 },"idempotency_key":"k"}'
    sent = await backend.post(PATH, content=body, headers={"Content-Type": "application/json"})
    answer = await backend.get(f"{PATH}/{sent.json()['id']}")
    created_at = sent.json()["created_at"].encode()
    assert answer.content == (
        b'{"id":"%b","category":"news","payload":{ "b":1e400 },"status":"delivered","created_at":"%b",'
        b'"deliver_at":null,"visible_at":"%b","expires_at":null,"idempotency_key":"k"}'
        % (sent.json()["id"].encode(), created_at, created_at)
    )
    assert (await backend.get(PATH)).content == b'{"items":[' + answer.content + b'],"next_cursor":null}'


async def test_one_that_waits_is_delivered_to_everyone_who_is_there_by_then(
    backend: httpx.AsyncClient, ada: httpx.AsyncClient, services: Services, pool: Pool
) -> None:
    sent = (await backend.post(PATH, json={"category": "news", "deliver_at": later(days=1)})).json()
    waiting = (await backend.get(f"{PATH}/{sent['id']}")).json()
    assert (waiting["status"], waiting["visible_at"]) == ("scheduled", None)
    assert waiting["deliver_at"] == sent["deliver_at"]
    assert waiting["idempotency_key"] == sent["idempotency_key"]
    await ada.get("/v1/inbox/counts")  # she came after it was created, and before its delivery
    assert_refused(await ada.get(f"/v1/inbox/items/{sent['id']}"), 404, "not_found")
    await deliver(services, pool)
    delivered = (await backend.get(f"{PATH}/{sent['id']}")).json()
    assert (delivered["status"], delivered["created_at"]) == ("delivered", sent["created_at"])
    item = (await ada.get(f"/v1/inbox/items/{sent['id']}")).json()
    assert item["occurred_at"] == delivered["visible_at"] > delivered["created_at"]


async def test_pages_are_complete_under_each_status(
    backend: httpx.AsyncClient, services: Services, pool: Pool, subtests: pytest.Subtests
) -> None:
    sent: list[str] = []
    for number in range(9):
        times = {"deliver_at": later(hours=9 - number)} if number % 3 == 0 else {}
        sent.append((await backend.post(PATH, json={"category": "news", **times})).json()["id"])
        if number == 4:
            await deliver(services, pool)
    whole = await paged(backend, PATH, limit=200)
    assert sorted(ids(whole)) == sorted(sent)
    times = [item["visible_at"] or item["deliver_at"] for item in whole]
    assert times == sorted(times, reverse=True)
    for status in ({}, {"status": "scheduled"}, {"status": "delivered"}):
        wanted = [item["id"] for item in whole if status.get("status", item["status"]) == item["status"]]
        for limit in (1, 2, 200):
            with subtests.test(status=status, limit=limit):
                assert ids(await paged(backend, PATH, limit=limit, **status)) == wanted
    assert len(await paged(backend, PATH, limit=1, status="scheduled")) == 1


async def test_ids_that_name_no_broadcast_are_404(
    backend: httpx.AsyncClient, subtests: pytest.Subtests
) -> None:
    item = await send(backend)
    for unknown in (item, "bcast_00000000000000000000000000", "x", "%2F", "bcast_"):
        for method in ("GET", "DELETE"):
            with subtests.test(method=method, id=unknown):
                assert_refused(await backend.request(method, f"{PATH}/{unknown}"), 404, "not_found")
    assert_refused(await backend.get(f"{PATH}/{item}/timeline"), 404, "not_found")
