"""GET /v1/inbox/items/{id}: one item as the list has it, whatever its state."""

import httpx
import pytest

from app.db.pool import Pool
from tests.app.api.test_items import broadcast, send
from tests.app.api.wire import assert_refused
from tests.factories import Environment, make_environment

PATH = "/v1/inbox/items"


async def test_it_is_byte_for_byte_what_the_list_has(
    backend: httpx.AsyncClient, ada: httpx.AsyncClient
) -> None:
    await ada.get("/v1/inbox/counts")
    body = b'{"subscriber_id":"ada","category":"news","payload":{ "b":1e400,"a":[1.0] }}'
    headers = {"Content-Type": "application/json"}
    sent = await backend.post("/v1/notifications", content=body, headers=headers)
    item, announcement = sent.json()["notifications"][0]["id"], await broadcast(backend)
    of_broadcast, of_notification = [
        (await ada.get(f"{PATH}/{wanted}")).content for wanted in (announcement, item)
    ]
    assert b'"payload":{ "b":1e400,"a":[1.0] }' in of_notification
    page = b'{"items":[' + of_broadcast + b"," + of_notification + b'],"next_cursor":null}'
    assert (await ada.get(PATH)).content == page


async def test_its_state_is_that_of_the_moment(backend: httpx.AsyncClient, ada: httpx.AsyncClient) -> None:
    await ada.get("/v1/inbox/counts")
    for source, item in (("notifications", await send(backend)), ("broadcasts", await broadcast(backend))):
        for action, expected in (
            ("read-all", (True, False)),
            (f"{source}/{item}/unread", (False, False)),
            (f"{source}/{item}/archive", (False, True)),
            (f"{source}/{item}/read", (True, True)),
            (f"{source}/{item}/unarchive", (True, False)),
        ):
            await ada.post(f"/v1/inbox/{action}")
            found = (await ada.get(f"{PATH}/{item}")).json()
            assert (found["read"], found["archived"]) == expected


async def test_what_is_not_this_persons_is_404(
    backend: httpx.AsyncClient,
    ada: httpx.AsyncClient,
    environment: Environment,
    pool: Pool,
    subtests: pytest.Subtests,
) -> None:
    await ada.get("/v1/inbox/counts")
    mine, announcement = await send(backend), await broadcast(backend)
    other = await make_environment(pool, "other")
    for who, headers, items in (
        ("another person", environment.subscriber_headers("bob"), (mine, announcement)),
        ("the same id elsewhere", other.subscriber_headers("ada"), (mine, announcement)),
        ("she herself", {}, ("notif_00000000000000000000000000", "bcast_00000000000000000000000000")),
        ("she herself", {}, (mine.replace("notif", "bcast"), announcement.replace("bcast", "notif"))),
        (
            "she herself",
            {},
            ("x", "notif_", "key_" + mine[6:], mine.upper(), mine + "0", "%2F", "%F0%9F%94%94"),
        ),
    ):
        for item in items:
            with subtests.test(who=who, item=item):
                assert_refused(await ada.get(f"{PATH}/{item}", headers=headers), 404, "not_found")


async def test_asking_creates_the_person(ada: httpx.AsyncClient, pool: Pool) -> None:
    for item in ("notif_00000000000000000000000000", "x"):
        assert_refused(await ada.get(f"{PATH}/{item}"), 404, "not_found")
        assert await pool.fetchval("DELETE FROM subscribers RETURNING subscriber_id") == "ada"
