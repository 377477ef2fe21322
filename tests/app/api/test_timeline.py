"""What happened to a notification, as a backend reads it back: the earliest of each, oldest first."""

import json

import httpx

from app.api.services import Services
from app.db.pool import Pool
from tests.app.api.test_items import send
from tests.app.api.test_notifications import later
from tests.app.api.test_records import PATH, deliver, schedule
from tests.harness import eventually


async def timeline(backend: httpx.AsyncClient, item: str, person: str = "ada") -> list[str]:
    """The statuses; their times never go back."""
    answer = await backend.get(f"{PATH}/{item}/timeline")
    assert answer.status_code == 200
    body = json.loads(answer.content)
    assert list(body) == ["id", "subscriber_id", "timeline"]
    assert (body["id"], body["subscriber_id"]) == (item, person)
    times = [entry["occurred_at"] for entry in body["timeline"]]
    assert times == sorted(times)
    assert all(list(entry) == ["status", "occurred_at"] for entry in body["timeline"])
    return [entry["status"] for entry in body["timeline"]]


async def hinted(backend: httpx.AsyncClient, item: str, person: str = "ada") -> None:
    """Waits until its hint was published."""
    await eventually(lambda: timeline(backend, item, person), lambda found: "delivered_hint" in found)


async def test_the_timeline_has_the_earliest_of_each(
    backend: httpx.AsyncClient, ada: httpx.AsyncClient
) -> None:
    item = await send(backend)
    await hinted(backend, item)
    assert await timeline(backend, item) == ["created", "delivered_hint"]
    created_at = (await backend.get(f"{PATH}/{item}")).json()["created_at"]
    await ada.post("/v1/inbox/seen-all")
    assert await timeline(backend, item) == ["created", "delivered_hint", "seen"]
    await ada.post(f"/v1/inbox/notifications/{item}/read")
    first = (await backend.get(f"{PATH}/{item}/timeline")).content
    assert await timeline(backend, item) == ["created", "delivered_hint", "seen", "read"]
    assert json.loads(first)["timeline"][0]["occurred_at"] == created_at
    for action in (f"notifications/{item}/unread", f"notifications/{item}/read", "read-all", "seen-all"):
        await ada.post(f"/v1/inbox/{action}")
    await backend.post(f"{PATH}/{item}/unread")
    await send(backend)
    await ada.post("/v1/inbox/read-all")
    await ada.post("/v1/inbox/seen-all")
    assert (await backend.get(f"{PATH}/{item}/timeline")).content == first


async def test_read_all_counts_as_read_and_covers_only_what_was_there(
    backend: httpx.AsyncClient, ada: httpx.AsyncClient
) -> None:
    item = await send(backend)
    await hinted(backend, item)
    await ada.post("/v1/inbox/read-all")
    assert await timeline(backend, item) == ["created", "delivered_hint", "read"]
    newer = await send(backend)
    await hinted(backend, newer)
    assert await timeline(backend, newer) == ["created", "delivered_hint"]


async def test_the_timeline_of_what_waits_is_that_it_was_created(
    backend: httpx.AsyncClient, ada: httpx.AsyncClient, services: Services, pool: Pool
) -> None:
    item = await schedule(backend, later(days=1))
    assert await timeline(backend, item) == ["created"]
    await ada.post("/v1/inbox/seen-all")
    await ada.post("/v1/inbox/read-all")
    assert await timeline(backend, item) == ["created"]
    await deliver(services, pool)
    await hinted(backend, item)
    assert await timeline(backend, item) == ["created", "delivered_hint"]


async def test_a_muted_item_has_no_hint_in_its_timeline(
    backend: httpx.AsyncClient, ada: httpx.AsyncClient
) -> None:
    mute = {"preferences": [{"category": "loud", "channel": "in_app", "enabled": False}]}
    await ada.put("/v1/inbox/preferences", json=mute)
    item = await send(backend, "loud")
    await hinted(backend, await send(backend))  # jobs are finished in order, so the other's would have been
    assert await timeline(backend, item) == ["created"]


async def test_a_hint_job_is_noted_once_for_all_whom_it_hinted(
    backend: httpx.AsyncClient, ada: httpx.AsyncClient, pool: Pool
) -> None:
    """Of three recipients one had muted it. The others' timelines live on one row, and outlive each other."""
    mute = {"preferences": [{"category": "loud", "channel": "in_app", "enabled": False}]}
    await ada.put("/v1/inbox/preferences", json=mute)
    people = {"subscriber_ids": ["ada", "grace", "alan"], "category": "loud"}
    sent = (await backend.post(PATH, json=people)).json()["notifications"]
    muted, graces, alans = (one["id"] for one in sent)
    await hinted(backend, graces, "grace")
    await hinted(backend, alans, "alan")
    assert await timeline(backend, muted) == ["created"]
    assert await pool.fetchval("SELECT count(*) FROM published_hint_jobs") == 1
    assert await pool.fetchval("SELECT count(*) FROM timeline") == 0
    assert (await backend.delete(f"{PATH}/{graces}")).status_code == 204
    assert await timeline(backend, alans, "alan") == ["created", "delivered_hint"]
