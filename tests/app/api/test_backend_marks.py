"""Marks by a backend: as if the person had, and the person's devices are told."""

import httpx
import pytest
from redis.asyncio import Redis

from app import redis
from app.contract import ids
from app.db.pool import Pool
from tests.app.api.test_items import broadcast, listed, send
from tests.app.api.test_marks import numbers
from tests.app.api.test_notifications import later
from tests.app.api.test_records import PATH, schedule
from tests.app.api.wire import assert_refused
from tests.harness import eventually


async def test_the_person_sees_each_mark(
    backend: httpx.AsyncClient, ada: httpx.AsyncClient, subtests: pytest.Subtests
) -> None:
    item = await send(backend)
    for action, field, value, unread in (
        ("read", "read", True, 0),
        ("read", "read", True, 0),
        ("unread", "read", False, 1),
        ("archive", "archived", True, 0),
        ("unarchive", "archived", False, 1),
    ):
        with subtests.test(action=action):
            answer = await backend.post(f"{PATH}/{item}/{action}", content=b"ignored")
            assert (answer.status_code, answer.content) == (204, b"")
            assert (await ada.get(f"/v1/inbox/items/{item}")).json()[field] is value
            assert (await backend.get(f"{PATH}/{item}")).json()[field] is value
            assert (await numbers(ada))[0] == unread
    await ada.post("/v1/inbox/read-all")
    await backend.post(f"{PATH}/{item}/unread")
    assert await listed(ada, filter="unread") == [item]


async def test_a_mark_that_changes_nothing_writes_nothing(
    backend: httpx.AsyncClient, ada: httpx.AsyncClient
) -> None:
    item = await send(backend)
    await backend.post(f"{PATH}/{item}/read")
    before = (await ada.get("/v1/inbox/counts")).content
    await backend.post(f"{PATH}/{item}/read")
    await backend.post(f"{PATH}/{item}/unarchive")
    assert (await ada.get("/v1/inbox/counts")).content == before


async def test_the_persons_devices_get_a_hint_that_names_it(
    backend: httpx.AsyncClient, redis_url: str
) -> None:
    item = await send(backend)
    bare_id = ids.decode("notif", item)
    assert bare_id is not None
    heard: list[bytes] = []
    client: Redis
    async with redis.connect_subscriber(redis_url) as client, client.pubsub() as subscription:
        await subscription.psubscribe("*")

        async def hear() -> bool:
            message = await subscription.get_message(ignore_subscribe_messages=True, timeout=0.1)
            if message is not None and isinstance(message["data"], bytes):
                heard.append(message["data"])
            return any(
                b"archive_state" in data and (item.encode() in data or str(bare_id).encode() in data)
                for data in heard
            )

        await hear()
        assert (await backend.post(f"{PATH}/{item}/archive")).status_code == 204
        await eventually(hear)


async def test_what_waits_or_is_a_broadcast_cannot_be_marked(backend: httpx.AsyncClient, pool: Pool) -> None:
    for item in (await schedule(backend, later(days=1)), await broadcast(backend)):
        for action in ("read", "unread", "archive", "unarchive"):
            assert_refused(await backend.post(f"{PATH}/{item}/{action}"), 404, "not_found")
    assert await pool.fetchval("SELECT count(*) FROM timeline") == 0
