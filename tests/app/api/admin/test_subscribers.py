"""A look-up shows what the person sees, whatever was read, archived, seen or muted; and creates nobody."""

from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from app.db.pool import Pool
from tests.app.api.wire import assert_refused
from tests.factories import Environment

PATH = "/admin/api/environments/acme/subscribers"
INBOX = "/v1/inbox"
State = Callable[[httpx.AsyncClient, httpx.AsyncClient], Awaitable[object]]


async def send(backend: httpx.AsyncClient, number: int, category: str = "news") -> None:
    for _ in range(number):
        await backend.post("/v1/notifications", json={"subscriber_id": "ada", "category": category})
    await backend.post("/v1/broadcasts", json={"category": category, "payload": {"a": 1e3}})


async def nothing(backend: httpx.AsyncClient, ada: httpx.AsyncClient) -> None:
    pass


async def read_before(backend: httpx.AsyncClient, ada: httpx.AsyncClient) -> None:
    await send(backend, 2)
    await ada.post(f"{INBOX}/read-all")
    await send(backend, 2)


async def archived_before(backend: httpx.AsyncClient, ada: httpx.AsyncClient) -> None:
    await send(backend, 2)
    await ada.post(f"{INBOX}/seen-all")
    await ada.post(f"{INBOX}/archive-all")
    await send(backend, 1)


async def muted(backend: httpx.AsyncClient, ada: httpx.AsyncClient) -> None:
    await send(backend, 2, "ads")
    await send(backend, 1)
    change = {"category": "ads", "channel": "in_app", "enabled": False}
    await ada.put(f"{INBOX}/preferences", json={"preferences": [change]})


async def decided_one_by_one(backend: httpx.AsyncClient, ada: httpx.AsyncClient) -> None:
    await send(backend, 3)
    await ada.post(f"{INBOX}/read-all")
    await send(backend, 2)
    items = (await ada.get(f"{INBOX}/items")).json()["items"]
    for item, action in zip(items, ("read", "archive", "read", "unread", "archive", "unread"), strict=False):
        await ada.post(f"{INBOX}/items/{item['id']}/{action}")


async def more_than_a_page(backend: httpx.AsyncClient, ada: httpx.AsyncClient) -> None:
    await send(backend, 25)


STATES = (nothing, read_before, archived_before, muted, decided_one_by_one, more_than_a_page)


@pytest.mark.parametrize("state", STATES)
async def test_it_is_what_the_person_sees(
    state: State, console: httpx.AsyncClient, backend: httpx.AsyncClient, ada: httpx.AsyncClient
) -> None:
    await ada.get(f"{INBOX}/counts")
    await state(backend, ada)
    found = (await console.get(f"{PATH}/ada")).json()
    assert set(found) == {"subscriber_id", "created_at", "counts", "watermarks", "preferences", "inbox"}
    assert found["inbox"] == (await ada.get(f"{INBOX}/items")).json()["items"]
    assert found["counts"] == (await ada.get(f"{INBOX}/counts")).json()
    assert found["preferences"] == (await ada.get(f"{INBOX}/preferences")).json()["preferences"]
    person = (await backend.get("/v1/subscribers/ada")).json()
    assert (found["subscriber_id"], found["created_at"]) == ("ada", person["created_at"])


async def test_payloads_are_verbatim(
    console: httpx.AsyncClient, backend: httpx.AsyncClient, ada: httpx.AsyncClient
) -> None:
    body = b'{"subscriber_id":"ada","category":"c","payload":{ "b":1, "a":1e400 }}'
    await backend.post("/v1/notifications", content=body, headers={"Content-Type": "application/json"})
    assert b'"payload":{ "b":1, "a":1e400 }' in (await console.get(f"{PATH}/ada")).content


async def test_watermarks_are_the_times_of_the_newest_items_they_cover(
    console: httpx.AsyncClient, backend: httpx.AsyncClient, ada: httpx.AsyncClient
) -> None:
    none = {"notification": None, "broadcast": None}
    await ada.get(f"{INBOX}/counts")
    found = (await console.get(f"{PATH}/ada")).json()
    assert found["watermarks"] == {"read": none, "seen": none, "archive": none}
    await send(backend, 2)
    broadcast, notification, _ = (await ada.get(f"{INBOX}/items")).json()["items"]
    newest = {"notification": notification["occurred_at"], "broadcast": broadcast["occurred_at"]}
    await ada.post(f"{INBOX}/seen-all")
    await ada.post(f"{INBOX}/read-all", json={"up_to": {"notification": notification["id"]}})
    found = (await console.get(f"{PATH}/ada")).json()
    assert found["watermarks"] == {
        "read": {**newest, "broadcast": None},
        "seen": newest,
        "archive": none,
    }


@pytest.mark.parametrize("earlier", [0, 1])
async def test_a_watermark_that_covers_nothing_has_no_time(
    earlier: int, console: httpx.AsyncClient, backend: httpx.AsyncClient, ada: httpx.AsyncClient
) -> None:
    """Though the empty inbox was marked, and whatever was sent earlier; each source by itself."""
    none = {"notification": None, "broadcast": None}
    for _ in range(earlier):
        await backend.post("/v1/broadcasts", json={"category": "too.early.for.ada"})
    for what in ("seen", "read", "archive"):
        assert (await ada.post(f"{INBOX}/{what}-all")).status_code == 200
    found = (await console.get(f"{PATH}/ada")).json()
    assert found["watermarks"] == {"read": none, "seen": none, "archive": none}
    await backend.post("/v1/notifications", json={"subscriber_id": "ada", "category": "news"})
    [item] = (await ada.get(f"{INBOX}/items")).json()["items"]
    await ada.post(f"{INBOX}/read-all")
    found = (await console.get(f"{PATH}/ada")).json()
    only = {"notification": item["occurred_at"], "broadcast": None}
    assert found["watermarks"] == {"read": only, "seen": none, "archive": none}


async def test_looking_creates_nobody(
    console: httpx.AsyncClient, environment: Environment, pool: Pool
) -> None:
    assert_refused(await console.get(f"{PATH}/nobody"), 404, "not_found")
    assert await pool.fetchval("SELECT count(*) FROM subscribers") == 0
    assert_refused(await console.get(f"{PATH}/{'x' * 256}"), 400, "invalid_request", "subscriber_id")


async def test_ids_of_any_bytes_are_found_and_listed(
    console: httpx.AsyncClient, backend: httpx.AsyncClient
) -> None:
    for subscriber_id in ("a/b", "import", "ü ?%"):
        await backend.post("/v1/notifications", json={"subscriber_id": subscriber_id, "category": "c"})
    listed: list[Any] = []
    params: dict[str, Any] = {"limit": 1}
    while True:
        page = (await console.get(PATH, params=params)).json()
        listed += page["items"]
        params["cursor"] = page["next_cursor"]
        if page["next_cursor"] is None:
            break
    assert [one["subscriber_id"] for one in listed] == ["ü ?%", "import", "a/b"]
    for escaped, subscriber_id in (("a%2Fb", "a/b"), ("import", "import"), ("%C3%BC%20%3F%25", "ü ?%")):
        assert (await console.get(f"{PATH}/{escaped}")).json()["subscriber_id"] == subscriber_id
