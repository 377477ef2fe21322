"""What a backend reads back of notifications: one, all under filters, and what happened to it."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from app import redis
from app.api.services import Services
from app.db.pool import Pool
from app.outbox.publisher import Publisher
from app.worker.deliveries import Deliveries, Expiries
from tests.app.api.test_items import broadcast, send
from tests.app.api.test_notifications import later
from tests.app.api.wire import assert_refused
from tests.factories import make_environment

PATH = "/v1/notifications"
UNKNOWN = "notif_00000000000000000000000000"


async def schedule(backend: httpx.AsyncClient, deliver_at: str, **fields: object) -> str:
    """The id of what waits."""
    body = {"subscriber_id": "ada", "category": "news", "deliver_at": deliver_at, **fields}
    answer = await backend.post(PATH, json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()["notifications"][0]["id"]


async def deliver(services: Services, pool: Pool) -> None:
    """Lets what waits be due, and the worker's step deliver it."""
    await pool.execute("UPDATE scheduled SET deliver_at = clock_timestamp() - interval '1 ms'")
    await pool.execute("UPDATE scheduled SET place = waiting_place(deliver_at, id)")
    await work(Deliveries, services, pool)


async def work(step: type[Deliveries | Expiries], services: Services, pool: Pool) -> None:
    """What a worker does until nothing is due."""
    async with (
        redis.connect(services.settings.redis_url) as client,
        Publisher.open(pool, client) as publisher,
    ):
        while await step(pool, publisher).run_once() == 0:
            pass


async def paged(backend: httpx.AsyncClient, path: str, **params: str | int) -> list[dict[str, Any]]:
    """Everything under these filters, page by page; each page but the last is full."""
    found: list[dict[str, Any]] = []
    cursor: str | None = None
    while True:
        query: Mapping[str, str | int] = {**params, **({"cursor": cursor} if cursor else {})}
        answer = await backend.get(path, params=query)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        assert list(page) == ["items", "next_cursor"]
        found += page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            return found
        assert len(page["items"]) == params["limit"]


def ids(items: list[dict[str, Any]]) -> list[str]:
    return [item["id"] for item in items]


async def test_one_that_was_delivered_has_every_field_in_the_contracts_order(
    backend: httpx.AsyncClient, ada: httpx.AsyncClient
) -> None:
    body = b'{"subscriber_id":"ada","category":"news","payload":{ "b":1e400,\n"a":[12345678901234567890] }}'
    sent = await backend.post(PATH, content=body, headers={"Content-Type": "application/json"})
    item = sent.json()["notifications"][0]["id"]
    occurred_at = (await ada.get("/v1/inbox/items")).json()["items"][0]["occurred_at"]
    answer = await backend.get(f"{PATH}/{item}")
    assert answer.headers["content-type"] == "application/json"
    assert answer.content == (
        b'{"id":"%b","subscriber_id":"ada","category":"news",'
        b'"payload":{ "b":1e400,\n"a":[12345678901234567890] },"status":"delivered",'
        b'"created_at":"%b","deliver_at":null,"visible_at":"%b","expires_at":null,'
        b'"read":false,"archived":false}' % (item.encode(), *[occurred_at.encode()] * 2)
    )
    listed = await backend.get(PATH)
    assert listed.content == b'{"items":[' + answer.content + b'],"next_cursor":null}'


async def test_one_that_waits_says_so_until_it_is_delivered(
    backend: httpx.AsyncClient, ada: httpx.AsyncClient, services: Services, pool: Pool
) -> None:
    tomorrow = datetime.now(UTC).replace(microsecond=5) + timedelta(days=1)
    ends = tomorrow + timedelta(hours=1)
    item = await schedule(backend, tomorrow.isoformat(), expires_at=ends.isoformat())
    waiting = (await backend.get(f"{PATH}/{item}")).json()
    assert waiting == {
        "id": item,
        "subscriber_id": "ada",
        "category": "news",
        "payload": {},
        "status": "scheduled",
        "created_at": waiting["created_at"],
        "deliver_at": f"{tomorrow:%Y-%m-%dT%H:%M:%S}.000005Z",
        "visible_at": None,
        "expires_at": f"{ends:%Y-%m-%dT%H:%M:%S}.000005Z",
        "read": False,
        "archived": False,
    }
    assert_refused(await ada.get(f"/v1/inbox/items/{item}"), 404, "not_found")
    await deliver(services, pool)
    delivered = (await backend.get(f"{PATH}/{item}")).json()
    assert delivered["status"] == "delivered"
    assert delivered["created_at"] == waiting["created_at"]
    assert delivered["created_at"] < delivered["visible_at"]
    seen = (await ada.get(f"/v1/inbox/items/{item}")).json()
    assert seen["occurred_at"] == delivered["visible_at"]
    assert (await ada.get("/v1/inbox/counts")).json()["unread"] == 1


async def test_the_state_is_the_persons(backend: httpx.AsyncClient, ada: httpx.AsyncClient) -> None:
    item = await send(backend)

    async def state() -> tuple[bool, bool]:
        found = (await backend.get(f"{PATH}/{item}")).json()
        return found["read"], found["archived"]

    assert await state() == (False, False)
    for action, expected in (
        (f"notifications/{item}/archive", (False, True)),
        ("read-all", (True, True)),
        (f"notifications/{item}/unread", (False, True)),
        (f"notifications/{item}/unarchive", (False, False)),
        ("archive-all", (False, True)),
    ):
        await ada.post(f"/v1/inbox/{action}")
        assert await state() == expected


async def test_filters_narrow_the_list_and_pages_are_complete_under_each(
    backend: httpx.AsyncClient, services: Services, pool: Pool, subtests: pytest.Subtests
) -> None:
    """Delivered and waiting, of three people and two categories."""
    everything: list[dict[str, str]] = []
    for number in range(24):
        person, category = ("ada", "bob", "eve")[number % 3], ("news", "billing")[number % 2]
        if number % 4 == 3:
            at = later(hours=number)
            item = await schedule(backend, at, subscriber_id=person, category=category)
        else:
            item = await send(backend, category, person)
        if number == 11:
            await deliver(services, pool)
        everything.append({"id": item, "subscriber_id": person, "category": category})
    await backend.post(f"{PATH}/{everything[4]['id']}/read")
    await backend.post(f"{PATH}/{everything[8]['id']}/archive")

    whole = await paged(backend, PATH, limit=200)
    assert sorted(ids(whole)) == sorted(one["id"] for one in everything)
    times = [item["visible_at"] or item["deliver_at"] for item in whole]
    assert times == sorted(times, reverse=True)
    assert {item["status"] for item in whole} == {"delivered", "scheduled"}
    after, before = times[-4], times[2]
    for filters in (
        {},
        {"subscriber_id": "ada"},
        {"subscriber_id": "nobody"},
        {"category": "news"},
        {"category": "new"},
        {"status": "scheduled"},
        {"status": "delivered"},
        {"subscriber_id": "ada", "category": "news"},
        {"subscriber_id": "bob", "status": "scheduled"},
        {"subscriber_id": "eve", "category": "billing", "status": "delivered"},
        {"category": "billing", "status": "scheduled"},
        {"after": after},
        {"before": before},
        {"after": after, "before": before},
        {"after": before, "before": after},
        {"subscriber_id": "ada", "after": after, "before": before, "status": "delivered"},
    ):
        wanted = [
            item["id"]
            for item, time in zip(whole, times, strict=True)
            if all(item.get(name, value) == value for name, value in filters.items())
            and filters.get("after", "") <= time < filters.get("before", "a")
        ]
        for limit in (1, 5, 200):
            with subtests.test(filters=filters, limit=limit):
                assert ids(await paged(backend, PATH, limit=limit, **filters)) == wanted


async def test_pages_are_stable_while_more_arrive(backend: httpx.AsyncClient) -> None:
    sent = [await send(backend) for _ in range(5)]
    first = (await backend.get(PATH, params={"limit": 3})).json()
    await send(backend)
    rest = (await backend.get(PATH, params={"limit": 3, "cursor": first["next_cursor"]})).json()
    assert ids(first["items"]) + ids(rest["items"]) == sent[::-1]
    assert rest["next_cursor"] is None


async def test_fifty_by_default_and_two_hundred_at_most(backend: httpx.AsyncClient) -> None:
    people = [f"person {number}" for number in range(51)]
    await backend.post(PATH, json={"subscriber_ids": people, "category": "news"})
    page = (await backend.get(PATH)).json()
    assert len(page["items"]) == 50
    assert page["next_cursor"] is not None
    assert len((await backend.get(PATH, params={"limit": 200})).json()["items"]) == 51


async def test_bad_parameters_are_400_and_named(
    backend: httpx.AsyncClient, subtests: pytest.Subtests
) -> None:
    of_pages = (
        ("limit=", "limit"),
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("limit=1&limit=1", "limit"),
        ("limit=x", "limit"),
        ("cursor=", "cursor"),
        ("cursor=x", "cursor"),
        ("cursor=%00", "cursor"),
        ("cursor=" + "A" * 500, "cursor"),
        ("cursor=a&cursor=b", "cursor"),
        ("anything=%zz", "anything"),
        ("%ff=1", "name"),
    )
    of_status = (
        ("status=", "status"),
        ("status=Scheduled", "status"),
        ("status=read", "status"),
        ("status=scheduled&status=delivered", "status"),
    )
    of_notifications = (
        ("subscriber_id=", "subscriber_id"),
        ("subscriber_id=" + "x" * 256, "subscriber_id"),
        ("subscriber_id=%ff", "subscriber_id"),
        ("subscriber_id=a&subscriber_id=b", "subscriber_id"),
        ("category=", "category"),
        ("category=" + "%C3%A9" * 128, "category"),
        ("category=a%00", "category"),
        ("category=a&category=b", "category"),
        ("after=", "after"),
        ("after=yesterday", "after"),
        ("after=2026-01-01", "after"),
        ("after=2026-01-01T00:00:00", "after"),
        ("after=1969-12-31T23:59:59Z", "after"),
        ("before=9999-01-01T00:00:00Z", "before"),
        ("before=1790000000", "before"),
        ("before=2026-01-01T00:00:00+02:00", "%2B"),
        ("before=2026-01-01T00:00:00Z&before=2026-01-01T00:00:00Z", "before"),
    )
    for path, queries in (
        (PATH, (*of_pages, *of_status, *of_notifications)),
        ("/v1/broadcasts", (*of_pages, *of_status)),
        ("/v1/subscribers", of_pages),
    ):
        for query, named in queries:
            with subtests.test(path=path, query=query[:60]):
                assert_refused(await backend.get(f"{path}?{query}"), 400, "invalid_request", named)


async def test_good_parameters_are_good(backend: httpx.AsyncClient, subtests: pytest.Subtests) -> None:
    for query in (
        "limit=200",
        "after=1970-01-01T00:00:00Z&before=9998-12-31T23:59:59.999999Z",
        "after=2026-01-01T00:00:00%2B02:00",
        "before=2026-01-01T00:00:00-02:00",
        "subscriber_id=%2F%3F%F0%9F%94%94&category=a+b",
        "unknown=1&unknown=2",
    ):
        with subtests.test(query=query):
            assert (await backend.get(f"{PATH}?{query}")).status_code == 200


async def test_ids_that_name_nothing_are_404(backend: httpx.AsyncClient, subtests: pytest.Subtests) -> None:
    announcement = await broadcast(backend)
    for item in (UNKNOWN, "x", UNKNOWN.upper(), announcement, "%2F", "%E2%82%AC", "notif_"):
        for method, path in (
            ("GET", f"{PATH}/{item}"),
            ("GET", f"{PATH}/{item}/timeline"),
            ("DELETE", f"{PATH}/{item}"),
            ("POST", f"{PATH}/{item}/read"),
            ("POST", f"{PATH}/{item}/unarchive"),
        ):
            with subtests.test(method=method, path=path):
                assert_refused(await backend.request(method, path), 404, "not_found")


async def test_another_environments_key_sees_and_changes_nothing(
    backend: httpx.AsyncClient, ada: httpx.AsyncClient, pool: Pool, subtests: pytest.Subtests
) -> None:
    await ada.get("/v1/inbox/counts")
    body = {"subscriber_id": "ada", "category": "news", "idempotency_key": "k"}
    item = (await backend.post(PATH, json=body)).json()["notifications"][0]["id"]
    waiting = await schedule(backend, later(days=1))
    announcement = await broadcast(backend)
    other = (await make_environment(pool, "other")).management_headers
    for method, path in (
        *((method, f"{PATH}/{one}") for method in ("GET", "DELETE") for one in (item, waiting)),
        *((method, f"/v1/broadcasts/{announcement}") for method in ("GET", "DELETE")),
        ("GET", f"{PATH}/{item}/timeline"),
        *(("POST", f"{PATH}/{item}/{action}") for action in ("read", "unread", "archive", "unarchive")),
        ("DELETE", f"{PATH}?idempotency_key=k"),
        ("GET", "/v1/subscribers/ada"),
        ("DELETE", "/v1/subscribers/ada"),
        ("GET", "/v1/subscribers/ada/preferences"),
    ):
        with subtests.test(method=method, path=path):
            assert_refused(await backend.request(method, path, headers=other), 404, "not_found")
    for path in (PATH, f"{PATH}?subscriber_id=ada", "/v1/broadcasts", "/v1/subscribers"):
        with subtests.test(path=path):
            answer = await backend.get(path, headers=other)
            assert answer.content == b'{"items":[],"next_cursor":null}'
    assert ids((await ada.get("/v1/inbox/items")).json()["items"]) == [announcement, item]
