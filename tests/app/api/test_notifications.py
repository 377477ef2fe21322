"""POST /v1/notifications: all or nothing, once per key, in request order."""

import asyncio
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from app.contract import ids
from app.db.pool import Pool
from app.settings import Address
from tests.app.api.wire import assert_refused
from tests.factories import Environment

PATH = "/v1/notifications"


def later(**delta: float) -> str:
    return (datetime.now(UTC) + timedelta(**delta)).isoformat()


async def test_one_recipient(backend: httpx.AsyncClient, ada: httpx.AsyncClient) -> None:
    body = {
        "subscriber_id": "ada",
        "category": "billing.invoice",
        "payload": {"title": "Paid"},
        "idempotency_key": "invoice-1",
    }
    answer = await backend.post(PATH, json=body)
    assert answer.status_code == 201
    assert answer.headers["content-type"] == "application/json"
    sent = answer.json()
    assert sent == {
        "idempotency_key": "invoice-1",
        "notifications": [{"id": sent["notifications"][0]["id"], "subscriber_id": "ada"}],
    }
    assert ids.decode("notif", sent["notifications"][0]["id"]) is not None
    [item] = (await ada.get("/v1/inbox/items")).json()["items"]
    assert item == {
        "id": sent["notifications"][0]["id"],
        "source": "notification",
        "category": "billing.invoice",
        "payload": {"title": "Paid"},
        "occurred_at": item["occurred_at"],
        "read": False,
        "archived": False,
    }
    assert len(item["occurred_at"]) == len("2026-01-01T00:00:00.000000Z")


async def test_recipients_keep_their_order_and_duplicates_collapse(backend: httpx.AsyncClient) -> None:
    body = {"subscriber_ids": ["c", "a", "b", "a", "c"], "category": "news"}
    sent = (await backend.post(PATH, json=body)).json()["notifications"]
    assert [one["subscriber_id"] for one in sent] == ["c", "a", "b"]
    assert len({one["id"] for one in sent}) == 3


async def test_a_hundred_recipients_with_ids_of_every_kind(backend: httpx.AsyncClient, pool: Pool) -> None:
    recipients = [
        "/",
        "?",
        "%",
        "a b",
        "é",
        "🔔",
        " ",
        "\n",
        "x" * 255,
        "é" * 127,
        *(f"u{n}" for n in range(90)),
    ]
    answer = await backend.post(PATH, json={"subscriber_ids": recipients, "category": "news"})
    assert answer.status_code == 201
    assert [one["subscriber_id"] for one in answer.json()["notifications"]] == recipients
    assert await pool.fetchval("SELECT count(*) FROM notifications") == 100


async def test_a_key_is_generated_where_none_is_given(backend: httpx.AsyncClient) -> None:
    body = {"subscriber_id": "ada", "category": "news"}
    keys = [(await backend.post(PATH, json=body)).json()["idempotency_key"] for _ in range(2)]
    assert all(key.startswith("idem_") for key in keys)
    assert keys[0] != keys[1]
    again = await backend.post(PATH, json={**body, "idempotency_key": keys[0]})
    assert again.status_code == 200


async def test_the_same_request_again_answers_the_same_bytes(
    backend: httpx.AsyncClient, pool: Pool, subtests: pytest.Subtests
) -> None:
    body = {"subscriber_ids": ["ada", "bob"], "category": "news", "idempotency_key": "k"}
    first = await backend.post(PATH, json=body)
    assert first.status_code == 201
    for same in (
        body,
        {**body, "payload": {}},
        {**body, "payload": None},
        {**body, "subscriber_ids": ["ada", "bob", "ada"]},
        dict(reversed(body.items())),
    ):
        with subtests.test(same=same):
            again = await backend.post(PATH, json=same)
            assert again.status_code == 200
            assert again.content == first.content
    for different in (
        {**body, "subscriber_ids": ["bob", "ada"]},
        {**body, "subscriber_ids": ["ada"]},
        {**body, "category": "other"},
        {**body, "payload": {"a": 1}},
        {**body, "deliver_at": later(days=1)},
        {**body, "expires_at": later(days=1)},
    ):
        with subtests.test(different=different):
            assert_refused(await backend.post(PATH, json=different), 409, "conflict", "idempotency_key")
    assert await pool.fetchval("SELECT count(*) FROM notifications") == 2


async def test_thirty_two_at_once_with_one_key_send_once(
    address: Address, environment: Environment, pool: Pool
) -> None:
    body = {"subscriber_id": "ada", "category": "news", "payload": {"n": 1}, "idempotency_key": "once"}
    limits = httpx.Limits(max_connections=32)
    async with httpx.AsyncClient(
        base_url=f"http://{address}",
        headers=environment.management_headers,
        limits=limits,
        timeout=30,
        trust_env=False,
    ) as many:
        answers = await asyncio.gather(*(many.post(PATH, json=body) for _ in range(32)))
    assert sorted(answer.status_code for answer in answers) == [200] * 31 + [201]
    assert len({answer.content for answer in answers}) == 1
    assert await pool.fetchval("SELECT count(*) FROM notifications") == 1


async def test_keys_of_notifications_and_broadcasts_and_environments_are_apart(
    backend: httpx.AsyncClient,
) -> None:
    body = {"category": "news", "idempotency_key": "k"}
    assert (await backend.post(PATH, json={**body, "subscriber_id": "ada"})).status_code == 201
    assert (await backend.post("/v1/broadcasts", json=body)).status_code == 201


async def test_times_are_judged_by_the_database_clock(
    backend: httpx.AsyncClient, subtests: pytest.Subtests
) -> None:
    body = {"subscriber_id": "ada", "category": "news"}
    for times, named in (
        ({"deliver_at": later(seconds=-1)}, "deliver_at"),
        ({"deliver_at": later(days=400)}, "deliver_at"),
        ({"expires_at": later(seconds=-1)}, "expires_at"),
        ({"deliver_at": later(days=2), "expires_at": later(days=1)}, "expires_at"),
    ):
        with subtests.test(times=times):
            assert_refused(await backend.post(PATH, json={**body, **times}), 400, "invalid_request", named)
    for times in (
        {"deliver_at": later(days=390)},
        {"expires_at": later(days=1)},
        {"expires_at": "9998-12-31T23:59:59.999999+12:00"},
        {"deliver_at": later(days=1), "expires_at": later(days=2)},
        {"deliver_at": later(days=1).replace("+00:00", "123456789Z"[6:])},
    ):
        with subtests.test(times=times):
            assert (await backend.post(PATH, json={**body, **times})).status_code == 201


async def test_what_is_scheduled_is_not_shown(backend: httpx.AsyncClient, ada: httpx.AsyncClient) -> None:
    body = {"subscriber_id": "ada", "category": "news", "deliver_at": later(days=1)}
    assert (await backend.post(PATH, json=body)).status_code == 201
    assert (await ada.get("/v1/inbox/items")).json()["items"] == []
    assert (await ada.get("/v1/inbox/counts")).json()["unread"] == 0
