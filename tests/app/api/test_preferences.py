"""Preferences of both planes: a partial update in order, and what is muted leaves lists and counts."""

import json

import httpx
import pytest

from app.db.pool import Pool
from tests.app.api.test_items import broadcast, listed, send
from tests.app.api.test_marks import numbers
from tests.app.api.wire import assert_refused
from tests.factories import Environment, make_environment

OWN = "/v1/inbox/preferences"
BY_BACKEND = "/v1/subscribers/ada/preferences"


def entry(category: str, *, enabled: bool) -> dict[str, object]:
    return {"category": category, "channel": "in_app", "enabled": enabled}


def mute(*categories: str) -> dict[str, object]:
    return {"preferences": [entry(category, enabled=False) for category in categories]}


async def test_nothing_is_set_at_first_and_the_person_is_created(ada: httpx.AsyncClient, pool: Pool) -> None:
    answer = await ada.get(OWN)
    assert (answer.status_code, answer.content) == (200, b'{"preferences":[]}')
    assert await pool.fetchval("SELECT subscriber_id FROM subscribers") == "ada"


async def test_the_reply_is_the_whole_list_by_category(
    backend: httpx.AsyncClient, ada: httpx.AsyncClient
) -> None:
    first = await ada.put(OWN, json=mute("b", "é", "B", "a.*"))
    assert first.status_code == 200
    assert first.content.startswith(b'{"preferences":[{"category":"B","channel":"in_app","enabled":false},')
    assert first.json() == mute("B", "a.*", "b", "é")
    second = await backend.put(
        BY_BACKEND,
        json={"preferences": [entry("b", enabled=True), entry("c", enabled=True), entry("d", enabled=False)]},
    )
    assert second.json() == mute("B", "a.*", "d", "é")
    assert (await ada.get(OWN)).content == second.content
    assert (await backend.get(BY_BACKEND)).content == second.content


async def test_entries_apply_in_order(ada: httpx.AsyncClient) -> None:
    entries = [entry("a", enabled=False), entry("a", enabled=True), entry("b", enabled=True)]
    answer = await ada.put(OWN, json={"preferences": [*entries, entry("b", enabled=False)]})
    assert answer.json() == mute("b")


async def test_a_backend_creates_the_person(backend: httpx.AsyncClient, pool: Pool) -> None:
    assert_refused(await backend.get(BY_BACKEND), 404, "not_found")
    assert (await backend.put(BY_BACKEND, json=mute("a"))).json() == mute("a")
    assert await pool.fetchval("SELECT subscriber_id FROM subscribers") == "ada"


async def test_what_is_muted_leaves_lists_and_counts_and_comes_back(
    backend: httpx.AsyncClient, ada: httpx.AsyncClient
) -> None:
    await ada.get(OWN)
    loud, calm = await send(backend, "loud"), await send(backend, "calm")
    announcement = await broadcast(backend, "loud")
    await ada.put(OWN, json=mute("loud"))
    assert await listed(ada) == [calm]
    assert await numbers(ada) == (1, 1)
    item = (await ada.get(f"/v1/inbox/items/{loud}")).json()
    assert item["category"] == "loud"
    assert (await ada.get(f"/v1/inbox/items/{announcement}")).status_code == 200
    await ada.put(OWN, json={"preferences": [entry("loud", enabled=True)]})
    assert await listed(ada) == [announcement, calm, loud]
    assert await numbers(ada) == (3, 3)


async def test_bad_bodies_are_400_and_named_and_change_nothing(
    backend: httpx.AsyncClient, ada: httpx.AsyncClient, subtests: pytest.Subtests
) -> None:
    await ada.put(OWN, json=mute("a"))
    good = entry("b", enabled=False)
    for body, named in (
        ({}, "preferences"),
        ({"preferences": None}, "preferences"),
        ({"preferences": []}, "preferences"),
        ({"preferences": {}}, "preferences"),
        ({"preferences": [good] * 101}, "preferences"),
        ({"preferences": [good], "more": 1}, "more"),
        ({"preferences": [good, {**good, "category": ""}]}, "category"),
        ({"preferences": [{**good, "category": "x" * 256}]}, "category"),
        ({"preferences": [{**good, "category": None}]}, "category"),
        ({"preferences": [{**good, "channel": "email"}]}, "channel"),
        ({"preferences": [{**good, "enabled": "false"}]}, "enabled"),
        ({"preferences": [{**good, "enabled": 0}]}, "enabled"),
        ({"preferences": [{**good, "muted": True}]}, "muted"),
        ({"preferences": [{"category": "b", "channel": "in_app"}]}, "enabled"),
        ({"preferences": ["b"]}, "preferences"),
        ([], "object"),
    ):
        for speaker, path in ((ada, OWN), (backend, BY_BACKEND)):
            with subtests.test(path=path, body=json.dumps(body)[:80]):
                assert_refused(await speaker.put(path, json=body), 400, "invalid_request", named)
    for speaker, path in ((ada, OWN), (backend, BY_BACKEND)):
        assert_refused(await speaker.put(path), 400, "invalid_request", "body")
    assert (await ada.get(OWN)).json() == mute("a")


async def test_a_hundred_entries_are_not_too_many(ada: httpx.AsyncClient) -> None:
    answer = await ada.put(OWN, json=mute(*(f"c{number:03}" for number in range(100))))
    assert len(answer.json()["preferences"]) == 100


async def test_categories_are_those_of_the_environment_sorted(
    backend: httpx.AsyncClient, ada: httpx.AsyncClient, pool: Pool
) -> None:
    assert (await ada.get("/v1/inbox/categories")).content == b'{"categories":[]}'
    assert await pool.fetchval("SELECT subscriber_id FROM subscribers") == "ada"
    await send(backend, "b", "bob")
    await broadcast(backend, "é")
    await send(backend, "B")
    other = await make_environment(pool, "other")
    await backend.post("/v1/broadcasts", json={"category": "elsewhere"}, headers=other.management_headers)
    answer = await ada.get("/v1/inbox/categories")
    assert answer.json() == {"categories": ["B", "b", "é"]}


async def test_at_most_a_thousand_categories(
    ada: httpx.AsyncClient, environment: Environment, pool: Pool
) -> None:
    await pool.execute(
        "INSERT INTO categories SELECT $1, n::text FROM generate_series(1, 1100) n",
        environment.id,
    )
    assert len((await ada.get("/v1/inbox/categories")).json()["categories"]) == 1000
