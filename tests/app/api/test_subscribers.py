"""/v1/subscribers: created once, listed, erased; ids are any bytes of UTF-8."""

import httpx
import pytest

from app.api.services import Services
from app.db.pool import Pool
from app.settings import Address
from tests.app.api.test_items import broadcast, send
from tests.app.api.test_notifications import later
from tests.app.api.test_records import deliver, paged, schedule
from tests.app.api.wire import assert_refused, exchange, request
from tests.factories import Environment


async def test_a_created_at_past_the_years_by_its_offset_is_400(backend: httpx.AsyncClient) -> None:
    """As a position it would be past what a cursor may hold."""
    for late in ("9998-12-31T23:59:59.999999-23:59", "9999-01-01T00:00:00Z"):
        refused = await backend.put("/v1/subscribers/ada", json={"created_at": late})
        assert_refused(refused, 400, "invalid_request", "created_at")
    assert (await backend.get("/v1/subscribers/ada")).status_code == 404


async def test_created_at_applies_on_first_create_only(backend: httpx.AsyncClient) -> None:
    first = await backend.put("/v1/subscribers/ada", json={"created_at": "2020-02-03T04:05:06.7+02:00"})
    assert first.status_code == 200
    assert first.json() == {"subscriber_id": "ada", "created_at": "2020-02-03T02:05:06.700000Z"}
    for body in ({"created_at": "2021-01-01T00:00:00Z"}, {"created_at": None}, {}):
        again = await backend.put("/v1/subscribers/ada", json=body)
        assert again.content == first.content


async def test_ids_are_decoded_once_and_kept_apart(
    address: Address, environment: Environment, pool: Pool, subtests: pytest.Subtests
) -> None:
    wanted = {
        b"a%2Fb": "a/b",
        b"a%3Fb": "a?b",
        b"a%252Fb": "a%2Fb",
        b"%C3%A9": "é",
        b"%F0%9F%94%94": "🔔",
        b"%20": " ",
        b"a+b": "a+b",
        b"a%2Bc": "a+c",
        b"%2E": ".",
        b"..": "..",
        b"%2e%2e%2f": "../",
        b"a:b@c;d=e,f!$&'()*": "a:b@c;d=e,f!$&'()*",
        b"%7Bx%7D": "{x}",
        b"import": "import",
        b"x" * 255: "x" * 255,
        b"%C3%A9" * 127: "é" * 127,
    }
    for target, subscriber_id in wanted.items():
        with subtests.test(target=target[:40]):
            answer = await exchange(
                address, request("PUT", b"/v1/subscribers/" + target, environment.management_headers)
            )
            assert answer.status_code == 200
            body = answer.json()
            assert isinstance(body, dict)
            assert body["subscriber_id"] == subscriber_id
    found = {row[0] for row in await pool.fetch("SELECT subscriber_id FROM subscribers")}
    assert found == set(wanted.values())


async def test_an_id_over_255_bytes_is_400(backend: httpx.AsyncClient, subtests: pytest.Subtests) -> None:
    for target in ("x" * 256, "%C3%A9" * 128):
        for method, rest in (
            ("PUT", ""),
            ("GET", ""),
            ("DELETE", ""),
            ("POST", "/tokens"),
            ("GET", "/preferences"),
        ):
            with subtests.test(method=method, rest=rest):
                answer = await backend.request(method, f"/v1/subscribers/{target}{rest}")
                assert_refused(answer, 400, "invalid_request", "subscriber_id")


async def test_every_route_takes_every_id(
    address: Address, environment: Environment, subtests: pytest.Subtests
) -> None:
    """The one that is called like the import too."""
    headers = {**environment.management_headers, "Content-Type": "application/json"}
    mute = b'{"preferences":[{"category":"a","channel":"in_app","enabled":false}]}'
    for target in (b"a%2Fb", b"a%3Fb%23", b"%25", b"..", b"%F0%9F%94%94", b"import", b"%69mport", b"tokens"):
        for method, rest, body, status in (
            (b"GET", b"", b"", 404),
            (b"PUT", b"", b"", 200),
            (b"GET", b"", b"", 200),
            (b"POST", b"/tokens", b"", 201),
            (b"PUT", b"/preferences", mute, 200),
            (b"GET", b"/preferences", b"", 200),
            (b"DELETE", b"", b"", 204),
            (b"GET", b"", b"", 404),
            (b"GET", b"/preferences", b"", 404),
            (b"DELETE", b"", b"", 404),
        ):
            with subtests.test(target=target, method=method, rest=rest):
                path = b"/v1/subscribers/" + target + rest
                answer = await exchange(address, request(method.decode(), path, headers, body))
                assert answer.status_code == status


async def test_one_has_its_counts(backend: httpx.AsyncClient, ada: httpx.AsyncClient) -> None:
    created = (await backend.put("/v1/subscribers/ada")).json()
    await send(backend)
    answer = await backend.get("/v1/subscribers/ada")
    counts = (await ada.get("/v1/inbox/counts")).content
    assert answer.content == (
        b'{"subscriber_id":"ada","created_at":"%b","counts":%b}' % (created["created_at"].encode(), counts)
    )
    assert answer.json()["counts"]["unread"] == 1


async def test_getting_one_creates_nobody(backend: httpx.AsyncClient, pool: Pool) -> None:
    assert_refused(await backend.get("/v1/subscribers/ada"), 404, "not_found")
    assert_refused(await backend.get("/v1/subscribers/ada/preferences"), 404, "not_found")
    assert await pool.fetchval("SELECT count(*) FROM subscribers") == 0


async def test_the_list_is_newest_first_and_its_pages_are_complete(
    backend: httpx.AsyncClient, subtests: pytest.Subtests
) -> None:
    """Also where many joined at the same time."""
    for number in range(9):
        body = {"created_at": f"2020-01-0{number % 3 + 1}T00:00:00Z"}
        await backend.put(f"/v1/subscribers/{number}", json=body)
    await backend.put("/v1/subscribers/today")
    whole = await paged(backend, "/v1/subscribers", limit=200)
    assert [list(one) for one in whole] == [["subscriber_id", "created_at"]] * 10
    assert {one["subscriber_id"] for one in whole} == {"today", *map(str, range(9))}
    times = [one["created_at"] for one in whole]
    assert times == sorted(times, reverse=True)
    for limit in (1, 3, 4, 10):
        with subtests.test(limit=limit):
            assert await paged(backend, "/v1/subscribers", limit=limit) == whole


async def test_erasing_leaves_nothing_and_frees_the_id_at_once(
    backend: httpx.AsyncClient, ada: httpx.AsyncClient, services: Services, pool: Pool
) -> None:
    created = (await backend.put("/v1/subscribers/ada", json={"created_at": "2020-01-01T00:00:00Z"})).json()
    announcement = await broadcast(backend, "old")
    body = {"subscriber_id": "ada", "category": "news", "idempotency_key": "k"}
    sent = await backend.post("/v1/notifications", json=body)
    item = sent.json()["notifications"][0]["id"]
    waiting = await schedule(backend, later(days=1))
    mute = {"preferences": [{"category": "loud", "channel": "in_app", "enabled": False}]}
    await ada.put("/v1/inbox/preferences", json=mute)
    await ada.post(f"/v1/inbox/broadcasts/{announcement}/archive")
    await ada.post("/v1/inbox/seen-all")

    assert (await backend.delete("/v1/subscribers/ada")).status_code == 204
    assert_refused(await backend.delete("/v1/subscribers/ada"), 404, "not_found")
    assert_refused(await backend.get("/v1/subscribers/ada"), 404, "not_found")
    for gone in (item, waiting):
        assert_refused(await backend.get(f"/v1/notifications/{gone}"), 404, "not_found")
        assert_refused(await backend.get(f"/v1/notifications/{gone}/timeline"), 404, "not_found")
        assert_refused(await backend.post(f"/v1/notifications/{gone}/read"), 404, "not_found")
        assert_refused(await backend.delete(f"/v1/notifications/{gone}"), 404, "not_found")
    assert await paged(backend, "/v1/notifications", limit=200) == []
    await deliver(services, pool)

    assert (await ada.get("/v1/inbox/items")).json() == {"items": [], "next_cursor": None}
    assert (await ada.get("/v1/inbox/items?filter=archived")).json()["items"] == []
    assert (await ada.get("/v1/inbox/preferences")).json() == {"preferences": []}
    assert_refused(await ada.get(f"/v1/inbox/items/{item}"), 404, "not_found")
    assert_refused(await ada.get(f"/v1/inbox/items/{announcement}"), 404, "not_found")
    assert (await backend.get("/v1/subscribers/ada")).json()["created_at"] > created["created_at"]
    replay = await backend.post("/v1/notifications", json=body)
    assert (replay.status_code, replay.content) == (200, sent.content)
    fresh = await send(backend)
    assert [one["id"] for one in (await ada.get("/v1/inbox/items")).json()["items"]] == [fresh]
