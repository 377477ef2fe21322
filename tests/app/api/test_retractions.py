"""Taking back: one, a batch by its key, a broadcast. Gone is gone everywhere, and the counts follow."""

import asyncio

import httpx
import pytest

from app.api.services import Services
from app.db.pool import Pool
from app.worker.deliveries import Expiries
from tests.app.api.test_items import broadcast, listed, send
from tests.app.api.test_marks import numbers
from tests.app.api.test_notifications import later
from tests.app.api.test_records import PATH, deliver, ids, paged, schedule, work
from tests.app.api.wire import assert_refused


async def assert_gone(backend: httpx.AsyncClient, ada: httpx.AsyncClient, item: str) -> None:
    """404 on every path that could name it."""
    source = "notifications" if item.startswith("notif_") else "broadcasts"
    paths = [("GET", ""), ("DELETE", "")]
    if source == "notifications":
        actions = ("read", "unread", "archive", "unarchive")
        paths += [("GET", "/timeline"), *(("POST", f"/{action}") for action in actions)]
    for method, rest in paths:
        answer = await backend.request(method, f"/v1/{source}/{item}{rest}")
        assert_refused(answer, 404, "not_found")
    assert_refused(await ada.get(f"/v1/inbox/items/{item}"), 404, "not_found")
    assert_refused(await ada.post(f"/v1/inbox/{source}/{item}/read"), 404, "not_found")
    assert_refused(await ada.post("/v1/inbox/read-all", json={"up_to": item}), 404, "not_found")
    assert item not in ids(await paged(backend, f"/v1/{source}", limit=200))
    for view in ({}, {"filter": "unread"}, {"filter": "archived"}):
        assert item not in await listed(ada, **view)


async def test_a_delivered_one_is_retracted_and_the_counts_follow(
    backend: httpx.AsyncClient, ada: httpx.AsyncClient
) -> None:
    kept, item = await send(backend), await send(backend)
    assert await numbers(ada) == (2, 2)
    version = (await ada.get("/v1/inbox/counts")).json()["version"]
    answer = await backend.delete(f"{PATH}/{item}")
    assert (answer.status_code, answer.content) == (204, b"")
    assert await numbers(ada) == (1, 1)
    assert (await ada.get("/v1/inbox/counts")).json()["version"] > version
    await assert_gone(backend, ada, item)
    assert await listed(ada) == [kept]


async def test_a_waiting_one_is_cancelled_and_never_seen(
    backend: httpx.AsyncClient, ada: httpx.AsyncClient, services: Services, pool: Pool
) -> None:
    item = await schedule(backend, later(days=1))
    assert (await backend.delete(f"{PATH}/{item}")).status_code == 204
    await deliver(services, pool)
    assert await listed(ada) == []
    await assert_gone(backend, ada, item)


async def test_one_that_was_scheduled_is_retracted_after_its_delivery(
    backend: httpx.AsyncClient, ada: httpx.AsyncClient, services: Services, pool: Pool
) -> None:
    item = await schedule(backend, later(days=1))
    await deliver(services, pool)
    assert await listed(ada) == [item]
    assert (await backend.delete(f"{PATH}/{item}")).status_code == 204
    await assert_gone(backend, ada, item)
    assert await numbers(ada) == (0, 0)


async def test_of_many_who_take_it_back_one_does(backend: httpx.AsyncClient, ada: httpx.AsyncClient) -> None:
    for item in (await send(backend), await schedule(backend, later(days=1))):
        answers = await asyncio.gather(*(backend.delete(f"{PATH}/{item}") for _ in range(8)))
        assert sorted(answer.status_code for answer in answers) == [204, *[404] * 7]
    assert await numbers(ada) == (0, 0)


async def test_a_batch_goes_by_its_key_and_its_key_stays_known(
    backend: httpx.AsyncClient, ada: httpx.AsyncClient, pool: Pool, subtests: pytest.Subtests
) -> None:
    for name, times in (("at once", {}), ("later", {"deliver_at": later(days=1)})):
        with subtests.test(name):
            body = {"subscriber_ids": ["ada", "bob", "eve"], "category": "news", "idempotency_key": name}
            first = await backend.post(PATH, json={**body, **times})
            sent = ids(first.json()["notifications"])
            assert (await backend.delete(f"{PATH}/{sent[1]}")).status_code == 204
            by_key = {"idempotency_key": name}
            answer = await backend.delete(PATH, params=by_key)
            assert (answer.status_code, answer.content) == (200, b'{"deleted":2}')
            again = await backend.delete(PATH, params=by_key)
            assert (again.status_code, again.content) == (200, b'{"deleted":0}')
            for item in sent:
                await assert_gone(backend, ada, item)
            replay = await backend.post(PATH, json={**body, **times})
            assert (replay.status_code, replay.content) == (200, first.content)
            different = {**body, **times, "category": "other"}
            assert_refused(await backend.post(PATH, json=different), 409, "conflict")
    assert await pool.fetchval("SELECT count(*) FROM notifications") == 0
    assert await pool.fetchval("SELECT count(*) FROM scheduled") == 0


async def test_a_key_that_names_no_batch(backend: httpx.AsyncClient, subtests: pytest.Subtests) -> None:
    await backend.post("/v1/broadcasts", json={"category": "news", "idempotency_key": "of a broadcast"})
    for key in ("unknown", "of a broadcast", "x" * 255):
        with subtests.test(key=key):
            answer = await backend.delete(PATH, params={"idempotency_key": key})
            assert_refused(answer, 404, "not_found", "idempotency_key")
    for query in (
        "",
        "?idempotency_key=",
        "?idempotency_key=" + "x" * 256,
        "?idempotency_key=%ff",
        "?idempotency_key=%00",
        "?idempotency_key=a&idempotency_key=b",
        "?Idempotency_key=a",
    ):
        with subtests.test(query=query[:40]):
            assert_refused(await backend.delete(f"{PATH}{query}"), 400, "invalid_request", "idempotency_key")


async def test_a_broadcast_is_gone_for_everyone_at_once(
    backend: httpx.AsyncClient, ada: httpx.AsyncClient
) -> None:
    await ada.get("/v1/inbox/counts")
    item = await broadcast(backend)
    await ada.post(f"/v1/inbox/broadcasts/{item}/archive")
    kept = await broadcast(backend)
    assert await numbers(ada) == (1, 2)
    answer = await backend.delete(f"/v1/broadcasts/{item}")
    assert (answer.status_code, answer.content) == (204, b"")
    assert await numbers(ada) == (1, 1)
    await assert_gone(backend, ada, item)
    assert await listed(ada) == [kept]


async def test_a_waiting_broadcast_is_cancelled(
    backend: httpx.AsyncClient, ada: httpx.AsyncClient, services: Services, pool: Pool
) -> None:
    await ada.get("/v1/inbox/counts")
    sent = await backend.post("/v1/broadcasts", json={"category": "news", "deliver_at": later(days=1)})
    item = sent.json()["id"]
    assert_refused(await backend.delete(f"{PATH}/{item}"), 404, "not_found")
    assert (await backend.delete(f"/v1/broadcasts/{item}")).status_code == 204
    await deliver(services, pool)
    await assert_gone(backend, ada, item)


async def test_what_expires_is_wholly_there_until_then_and_gone_after(
    backend: httpx.AsyncClient, ada: httpx.AsyncClient, services: Services, pool: Pool
) -> None:
    await ada.get("/v1/inbox/counts")
    ends = {"category": "news", "expires_at": later(days=1)}
    sent = await backend.post(PATH, json={"subscriber_id": "ada", **ends})
    item = sent.json()["notifications"][0]["id"]
    announcement = (await backend.post("/v1/broadcasts", json=ends)).json()["id"]
    assert await listed(ada) == [announcement, item]
    assert await numbers(ada) == (2, 2)
    for table in ("notifications", "broadcasts"):
        await pool.execute(f"UPDATE {table} SET expires_at = clock_timestamp()")  # noqa: S608
    await work(Expiries, services, pool)
    assert await numbers(ada) == (0, 0)
    await assert_gone(backend, ada, item)
    await assert_gone(backend, ada, announcement)


async def test_a_body_of_a_deletion_is_ignored(backend: httpx.AsyncClient) -> None:
    item = await send(backend)
    answer = await backend.request("DELETE", f"{PATH}/{item}", content=b"not json" * 10_000)
    assert answer.status_code == 204
    assert (await backend.get("/healthz")).status_code == 200
