"""Broadcasts by the console: as a backend's, seen by the same people."""

import httpx
import pytest

from app.db.pool import Pool
from tests.app.api.wire import assert_refused
from tests.factories import Environment

PATH = "/admin/api/environments/acme/broadcasts"
AUDIENCE = "/admin/api/environments/acme/audience"


async def test_it_is_as_a_backends(
    console: httpx.AsyncClient, backend: httpx.AsyncClient, ada: httpx.AsyncClient
) -> None:
    """In the inbox, in both lists, and gone from all when it is taken back, by either."""
    await ada.get("/v1/inbox/counts")
    body = {"category": "news", "payload": {"title": "Hi"}, "idempotency_key": "hi"}
    composed = await console.post(PATH, json=body)
    assert composed.status_code == 201
    assert (await console.post(PATH, json=body)).content == composed.content
    assert (await backend.post("/v1/broadcasts", json=body)).content == composed.content
    assert_refused(await console.post(PATH, json={**body, "payload": {}}), 409, "conflict")
    broadcast_id = composed.json()["id"]
    assert [item["id"] for item in (await ada.get("/v1/inbox/items")).json()["items"]] == [broadcast_id]
    assert (await console.get(PATH)).content == (await backend.get("/v1/broadcasts")).content
    one = await console.get(f"{PATH}/{broadcast_id}")
    assert one.content == (await backend.get(f"/v1/broadcasts/{broadcast_id}")).content
    assert (await console.delete(f"{PATH}/{broadcast_id}")).status_code == 204
    assert (await ada.get("/v1/inbox/items")).json()["items"] == []
    assert_refused(await console.delete(f"{PATH}/{broadcast_id}"), 404, "not_found")
    entries = (await console.get("/admin/api/audit")).json()["items"]
    assert [(entry["action"], entry["target"]) for entry in entries] == [
        ("broadcast.delete", broadcast_id),
        ("broadcast.send", broadcast_id),
    ]
    assert entries[1]["details"] == {"category": "news", "title": "Hi", "idempotency_key": "hi"}
    assert entries[0]["details"] == {"category": "news", "title": "Hi"}


@pytest.mark.parametrize(
    ("payload", "told"),
    [
        ("{}", None),
        ('{"title": 1e400}', None),
        ('{"title": {"title": "inner"}, "body": "secret"}', None),
        ('{"title": "\\u00fc\\n", "n": 1e400}', "ü\n"),
        (f'{{"title": "{"ü" * 201}"}}', "ü" * 200),
    ],
)
async def test_the_audit_tells_what_one_that_is_gone_was_called(
    payload: str, told: str | None, console: httpx.AsyncClient, backend: httpx.AsyncClient
) -> None:
    """Whoever sent it."""
    content = f'{{"category": "news", "payload": {payload}}}'.encode()
    for client, path in ((console, PATH), (backend, "/v1/broadcasts")):
        sent = await client.post(path, content=content, headers={"Content-Type": "application/json"})
        assert sent.status_code == 201, sent.text
        assert (await console.delete(f"{PATH}/{sent.json()['id']}")).status_code == 204
    entries = (await console.get("/admin/api/audit")).json()["items"]
    assert [entry["action"] for entry in entries] == [
        "broadcast.delete",
        "broadcast.delete",
        "broadcast.send",
    ]
    assert [entry["details"].get("title") for entry in entries] == [told] * 3
    assert [entry["details"]["category"] for entry in entries] == ["news"] * 3


async def test_one_that_is_not_recorded_is_not_sent(
    console: httpx.AsyncClient, ada: httpx.AsyncClient, environment: Environment, pool: Pool
) -> None:
    await ada.get("/v1/inbox/counts")
    await pool.execute("ALTER TABLE audit_log ADD CHECK (action <> 'broadcast.send')")
    assert (await console.post(PATH, json={"category": "news"})).status_code == 500
    assert (await ada.get("/v1/inbox/items")).json()["items"] == []
    assert await pool.fetchval("SELECT count(*) FROM outbox") == 0


async def test_the_audience_is_everybody_and_who_has_muted_it(
    console: httpx.AsyncClient, backend: httpx.AsyncClient
) -> None:
    assert (await console.get(AUDIENCE)).json() == {"subscribers": 0, "muted": 0, "is_exact": True}
    muted = {"preferences": [{"category": "ads", "channel": "in_app", "enabled": False}]}
    for person in ("ada", "bob", "cyd"):
        await backend.put(f"/v1/subscribers/{person}")
    await backend.put("/v1/subscribers/bob/preferences", json=muted)
    for category, number in ((None, 0), ("news", 0), ("ads", 1)):
        params = {} if category is None else {"category": category}
        answer = await console.get(AUDIENCE, params=params)
        assert answer.json() == {"subscribers": 3, "muted": number, "is_exact": True}


async def test_a_large_audience_is_not_counted_to_its_end(
    console: httpx.AsyncClient, environment: Environment, pool: Pool
) -> None:
    await pool.execute(
        "INSERT INTO subscribers (environment_id, id, subscriber_id, created_at)"
        " SELECT $1, gen_random_uuid(), n::text, now() FROM generate_series(1, 100001) AS n",
        environment.id,
    )
    found = (await console.get(AUDIENCE)).json()
    assert found == {"subscribers": 100_000, "muted": 0, "is_exact": False}
    await pool.execute("DELETE FROM subscribers WHERE subscriber_id = '1'")
    found = (await console.get(AUDIENCE)).json()
    assert found == {"subscribers": 100_000, "muted": 0, "is_exact": True}
