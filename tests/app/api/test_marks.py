"""Marks: one item, or all up to what was on screen."""

import httpx
import pytest

from app.api.services import Services
from app.contract import ids
from app.db.pool import Pool
from tests.app.api.test_items import broadcast, listed, send
from tests.app.api.test_notifications import later
from tests.app.api.test_records import deliver, schedule
from tests.app.api.wire import assert_refused
from tests.factories import Environment


async def numbers(person: httpx.AsyncClient) -> tuple[int, int]:
    """unread, unseen."""
    counts = (await person.get("/v1/inbox/counts")).json()
    return counts["unread"], counts["unseen"]


async def test_one_item_of_either_source(
    backend: httpx.AsyncClient, ada: httpx.AsyncClient, subtests: pytest.Subtests
) -> None:
    await ada.get("/v1/inbox/counts")
    for source, item in (("notifications", await send(backend)), ("broadcasts", await broadcast(backend))):
        for action, field, value in (
            ("read", "read", True),
            ("read", "read", True),
            ("unread", "read", False),
            ("archive", "archived", True),
            ("archive", "archived", True),
            ("unarchive", "archived", False),
        ):
            with subtests.test(source=source, action=action):
                answer = await ada.post(f"/v1/inbox/{source}/{item}/{action}")
                assert answer.status_code == 204
                assert answer.content == b""
                view = "?filter=archived" if (field, value) == ("archived", True) else ""
                items = (await ada.get(f"/v1/inbox/items{view}")).json()["items"]
                assert [found[field] for found in items if found["id"] == item] == [value]


async def test_what_is_not_this_persons_is_404(
    backend: httpx.AsyncClient, ada: httpx.AsyncClient, environment: Environment
) -> None:
    await backend.post("/v1/broadcasts", json={"category": "news"})
    item = await send(backend, subscriber_id="bob")
    later = environment.subscriber_headers("later")
    announcement = await broadcast(backend)
    assert_refused(await ada.post(f"/v1/inbox/notifications/{item}/read"), 404, "not_found")
    assert_refused(await ada.post(f"/v1/inbox/broadcasts/{item}/read"), 404, "not_found")
    answer = await ada.post(f"/v1/inbox/broadcasts/{announcement}/read", headers=later)
    assert_refused(answer, 404, "not_found")
    for up_to in (item, announcement, {"notification": item}, {"broadcast": announcement}):
        answer = await ada.post("/v1/inbox/read-all", json={"up_to": up_to}, headers=later)
        assert_refused(answer, 404, "not_found")


async def test_all_answers_the_counts_right_after(backend: httpx.AsyncClient, ada: httpx.AsyncClient) -> None:
    await ada.get("/v1/inbox/counts")
    await send(backend)
    await broadcast(backend)
    before = (await ada.get("/v1/inbox/counts")).json()
    assert (before["unread"], before["unseen"]) == (2, 2)
    seen = (await ada.post("/v1/inbox/seen-all")).json()
    assert (seen["unread"], seen["unseen"]) == (2, 0)
    read = (await ada.post("/v1/inbox/read-all")).json()
    assert (read["unread"], read["unseen"]) == (0, 0)
    assert before["version"] < seen["version"] < read["version"] < 2**53
    now = (await ada.get("/v1/inbox/counts")).json()
    assert (now["unread"], now["unseen"]) == (0, 0)
    assert read["version"] <= now["version"]
    assert len(await listed(ada)) == 2
    await ada.post("/v1/inbox/archive-all")
    assert await listed(ada) == []
    assert len(await listed(ada, filter="archived")) == 2


async def test_up_to_one_item_covers_what_is_not_newer(
    backend: httpx.AsyncClient, ada: httpx.AsyncClient
) -> None:
    await ada.get("/v1/inbox/counts")
    await send(backend)
    announcement = await broadcast(backend)
    await send(backend)
    counts = (await ada.post("/v1/inbox/read-all", json={"up_to": announcement})).json()
    assert counts["unread"] == 1


async def test_up_to_each_source_leaves_the_other_alone(
    backend: httpx.AsyncClient, ada: httpx.AsyncClient
) -> None:
    await ada.get("/v1/inbox/counts")
    first = await send(backend)
    announcement = await broadcast(backend)
    await send(backend)
    for up_to, unread in (
        ({"notification": None, "broadcast": None}, 3),
        ({}, 3),
        ({"notification": first}, 2),
        ({"broadcast": announcement}, 1),
    ):
        counts = (await ada.post("/v1/inbox/read-all", json={"up_to": up_to})).json()
        assert counts["unread"] == unread


async def test_null_and_nothing_mean_everything(backend: httpx.AsyncClient, ada: httpx.AsyncClient) -> None:
    for body in ({"up_to": None}, {}):
        await send(backend)
        assert (await ada.post("/v1/inbox/read-all", json=body)).json()["unread"] == 0
    assert await numbers(ada) == (0, 2)


async def test_a_delivered_item_answers_to_its_id_and_not_to_its_position(
    backend: httpx.AsyncClient, ada: httpx.AsyncClient, services: Services, pool: Pool
) -> None:
    """What was scheduled has both, and they differ."""
    item = await schedule(backend, later(days=1))
    await deliver(services, pool)
    position = ids.encode("notif", await pool.fetchval("SELECT position FROM notifications"))
    assert position != item
    for speaker, path in (
        (ada, f"/v1/inbox/notifications/{position}/read"),
        (backend, f"/v1/notifications/{position}/read"),
        (backend, f"/v1/notifications/{position}/archive"),
    ):
        assert_refused(await speaker.post(path), 404, "not_found")
    for up_to in (position, {"notification": position}):
        answer = await ada.post("/v1/inbox/read-all", json={"up_to": up_to})
        assert_refused(answer, 404, "not_found")
    for method, rest in (("GET", ""), ("GET", "/timeline"), ("DELETE", "")):
        answer = await backend.request(method, f"/v1/notifications/{position}{rest}")
        assert_refused(answer, 404, "not_found")
    assert (await ada.post(f"/v1/inbox/notifications/{item}/read")).status_code == 204
    assert await numbers(ada) == (0, 1)
