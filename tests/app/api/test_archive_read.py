"""POST /v1/inbox/archive-read: asked for at once, done by the worker."""

import httpx

from app import redis
from app.api.services import Services
from app.db.pool import Pool
from app.outbox.publisher import Publisher
from app.worker.archive_read import ArchiveReadJobs
from tests.app.api.test_items import broadcast, listed, send

PATH = "/v1/inbox/archive-read"


async def work(services: Services, pool: Pool) -> None:
    async with (
        redis.connect(services.settings.redis_url) as client,
        Publisher.open(pool, client) as publisher,
    ):
        while await ArchiveReadJobs(pool, publisher).run_once() == 0:
            pass


async def test_what_is_read_is_archived_and_what_comes_later_is_not(
    backend: httpx.AsyncClient, ada: httpx.AsyncClient, services: Services, pool: Pool
) -> None:
    await ada.get("/v1/inbox/counts")
    unread = await send(backend)
    read, announcement = await send(backend), await broadcast(backend)
    await ada.post(f"/v1/inbox/notifications/{read}/read")
    await ada.post(f"/v1/inbox/broadcasts/{announcement}/read")
    answer = await ada.post(PATH, content=b"ignored")
    assert (answer.status_code, answer.content) == (202, b"")
    assert answer.headers["content-length"] == "0"
    later = await send(backend)
    await ada.post(f"/v1/inbox/notifications/{later}/read")
    await work(services, pool)
    assert await listed(ada) == [later, unread]
    assert await listed(ada, filter="archived") == [announcement, read]


async def test_asking_again_adds_nothing(ada: httpx.AsyncClient, pool: Pool) -> None:
    """And whoever asks exists from then on."""
    for _ in range(3):
        assert (await ada.post(PATH)).status_code == 202
    assert await pool.fetchval("SELECT count(*) FROM outbox WHERE job_type = 'archive_read'") == 1
    assert await pool.fetchval("SELECT subscriber_id FROM subscribers") == "ada"
