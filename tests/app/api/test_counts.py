"""GET /v1/inbox/counts: the numbers for the bell, and those of each category."""

import httpx
import pytest

from app.db.pool import Pool
from tests.app.api.test_items import broadcast, send
from tests.app.api.test_preferences import OWN, mute
from tests.app.api.wire import assert_refused

PATH = "/v1/inbox/counts"


async def test_a_new_person_has_nothing_to_count(ada: httpx.AsyncClient, pool: Pool) -> None:
    answer = await ada.get(PATH, params={"by": "category"})
    assert list(answer.json()) == ["unread", "unseen", "version", "categories"]
    assert answer.content.startswith(b'{"unread":0,"unseen":0,"version":')
    assert answer.content.endswith(b',"categories":{}}')
    assert await pool.fetchval("SELECT subscriber_id FROM subscribers") == "ada"


async def test_by_category_both_sources_and_the_unmuted_with_a_number_only(
    backend: httpx.AsyncClient, ada: httpx.AsyncClient
) -> None:
    await ada.get(PATH)
    for category in ("a", "a", "quiet", "loud"):
        await send(backend, category)
    announcement = await broadcast(backend, "a")
    await broadcast(backend, "b")
    await ada.put(OWN, json=mute("loud"))
    read = await send(backend, "read")
    await ada.post("/v1/inbox/seen-all")
    await ada.post(f"/v1/inbox/notifications/{read}/read")
    await ada.post(f"/v1/inbox/broadcasts/{announcement}/archive")
    last = await send(backend, "last")
    found = (await ada.get(PATH, params={"by": "category"})).json()
    assert found["categories"] == {
        "a": {"unread": 2, "unseen": 0},
        "b": {"unread": 1, "unseen": 0},
        "last": {"unread": 1, "unseen": 1},
        "quiet": {"unread": 1, "unseen": 0},
    }
    plain = (await ada.get(PATH)).json()
    assert {name: found[name] for name in plain} == plain
    for name in ("unread", "unseen"):
        assert plain[name] == sum(one[name] for one in found["categories"].values())
    await backend.delete(f"/v1/notifications/{last}")
    assert "last" not in (await ada.get(PATH, params={"by": "category"})).json()["categories"]


async def test_another_by_is_400(ada: httpx.AsyncClient, subtests: pytest.Subtests) -> None:
    for query in ("by=", "by", "by=Category", "by=source", "by=category&by=category", "by=%ff"):
        with subtests.test(query=query):
            assert_refused(await ada.get(f"{PATH}?{query}"), 400, "invalid_request", "by")
