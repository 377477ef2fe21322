"""Locks are taken in one order everywhere, so nobody ever has to be rolled back to free another.

The statements are run without the retries of app.db.pool.run(), which would hide a deadlock. Locks held
by the test decide who comes first.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final, TypeVar
from uuid import UUID

from app.db import delivery, notifications, outbox, subscribers
from app.db.notifications import Draft, Outcome
from app.db.outbox import Answered, HintJob
from app.db.pool import Connection, Pool
from tests.app.concurrency.backend import Backend, uuid_of
from tests.app.concurrency.conftest import OpenBackend
from tests.app.concurrency.coverage import join
from tests.app.concurrency.gates import Gates
from tests.app.concurrency.orphans import count_orphans
from tests.app.concurrency.schedule import later, make_due

T = TypeVar("T")

LOCK_INBOX_OF: Final = """
SELECT FROM inboxes WHERE id = (SELECT id FROM subscribers WHERE subscriber_id = $1) FOR UPDATE
"""

# With them in the table, jobs are looked up one by one, in the order in which they are named.
MANY_OTHER_JOBS: Final = """
INSERT INTO outbox (environment_id, id, job_type, payload, run_at)
SELECT gen_random_uuid(), gen_random_uuid(), 'other', '{}', now() FROM generate_series(1, 5000)
"""


@asynccontextmanager
async def held(pool: Pool, statement: str, *arguments: object) -> AsyncGenerator[None]:
    """The row locks that a statement takes, until the block ends."""
    async with pool.acquire() as connection, connection.transaction():
        assert await connection.fetch(statement, *arguments)
        yield


async def alone(pool: Pool, statement: Callable[[Connection], Awaitable[T]]) -> T:
    """One statement, once."""
    async with pool.acquire() as connection:
        return await statement(connection)


async def inbox_of(backend: Backend, person: str) -> UUID:
    return await backend.pool.fetchval("SELECT id FROM subscribers WHERE subscriber_id = $1", person)


async def test_an_erasure_and_an_archive_read_job_do_not_deadlock(
    backend: Backend, open_backend: OpenBackend, gates: Gates
) -> None:
    """The job ends with the person, though it was claimed before the erasure got the inbox."""
    eraser, worker = await open_backend("eraser"), await open_backend("worker")
    await backend.send(["ada"])
    await backend.mark_all("ada", "read")
    await backend.inbox.archive_read(backend.identity("ada"))
    inbox = await inbox_of(backend, "ada")
    environment = backend.environment.id
    inbox_lock = held(backend.pool, "SELECT FROM inboxes WHERE id = $1 FOR UPDATE", inbox)
    async with asyncio.TaskGroup() as tasks, inbox_lock:
        erasure = tasks.create_task(
            alone(eraser.pool, lambda c: subscribers.erase_subscriber(c, environment, "ada"))
        )
        await gates.blocked("eraser")
        job = tasks.create_task(
            alone(worker.pool, lambda c: outbox.run_archive_read(c, environment, inbox, 100))
        )
        await gates.blocked("worker")
    assert (await erasure) is not None
    assert (await job).done
    assert await alone(backend.pool, count_orphans) == {}


async def test_an_erasure_makes_way_for_a_delivery_that_holds_what_came_meanwhile(
    backend: Backend, open_backend: OpenBackend, gates: Gates
) -> None:
    """Something is scheduled after the erasure looked, and is due before the erasure has the inbox."""
    eraser, worker = await open_backend("eraser"), await open_backend("worker")
    [first] = await backend.send(["ada"], deliver_at=later())
    async with AsyncExitStack() as inbox_lock, asyncio.TaskGroup() as tasks:
        async with held(backend.pool, "SELECT FROM scheduled WHERE id = $1 FOR UPDATE", uuid_of(first)):
            erasure = tasks.create_task(eraser.erase("ada"))
            await gates.blocked("eraser")
            [second] = await backend.send(["ada"], deliver_at=later())
            await make_due(backend.pool, second)
            inbox = await inbox_of(backend, "ada")
            await inbox_lock.enter_async_context(
                held(backend.pool, "SELECT FROM inboxes WHERE id = $1 FOR UPDATE", inbox)
            )
        await gates.blocked("eraser")
        delivered = tasks.create_task(alone(worker.pool, lambda c: delivery.deliver_due(c, 100)))
        await gates.blocked("worker")
        await inbox_lock.aclose()
    await erasure
    assert len(await delivered) == 1
    assert await alone(backend.pool, count_orphans) == {}
    assert (await backend.counts("ada")).unread == 0


async def test_two_batches_name_the_same_people_in_opposite_orders(
    backend: Backend, open_backend: OpenBackend, gates: Gates
) -> None:
    """Each would have the inbox that the other waits for, if they took them in the order given."""
    first, second = await open_backend("first"), await open_backend("second")
    await join(backend, "ada", "grace")
    rows = await backend.pool.fetch("SELECT subscriber_id FROM subscribers ORDER BY id")
    names = [row["subscriber_id"] for row in rows]
    async with asyncio.TaskGroup() as tasks, AsyncExitStack() as lower, AsyncExitStack() as higher:
        await lower.enter_async_context(held(backend.pool, LOCK_INBOX_OF, names[0]))
        await higher.enter_async_context(held(backend.pool, LOCK_INBOX_OF, names[1]))
        tasks.create_task(alone(first.pool, send_statement(backend, "first", names)))
        await gates.blocked("first")
        tasks.create_task(alone(second.pool, send_statement(backend, "second", names[::-1])))
        await gates.blocked("second")
        await higher.aclose()
        await gates.blocked("second")
    for name in names:
        assert len(await backend.view(name)) == 2


async def test_two_batches_create_the_same_people_in_opposite_orders(
    backend: Backend, open_backend: OpenBackend, gates: Gates
) -> None:
    """The first has created ada, and is about to create grace; the second has not gone ahead with grace.

    Somebody else is about to create each of them as well, and changes their mind just in time.
    """
    first, second = await open_backend("paused"), await open_backend("second")
    await gates.put("INSERT", "subscribers")
    async with asyncio.TaskGroup() as tasks, AsyncExitStack() as ada, AsyncExitStack() as grace:
        await ada.enter_async_context(reserved(backend, "ada"))
        await grace.enter_async_context(reserved(backend, "grace"))
        tasks.create_task(alone(first.pool, send_statement(backend, "first", ["ada", "grace"])))
        await gates.blocked("paused")
        async with gates.all_shut():
            await ada.aclose()
            await gates.arrived()
            tasks.create_task(alone(second.pool, send_statement(backend, "second", ["grace", "ada"])))
            await gates.blocked("second")
            await grace.aclose()
            await gates.blocked("second")
    for name in ("ada", "grace"):
        assert len(await backend.view(name)) == 2


async def test_two_processes_finish_the_same_hint_jobs_in_opposite_orders(
    backend: Backend, open_backend: OpenBackend, gates: Gates
) -> None:
    """A lease ran out while its own process was about to delete the jobs: both delete them now."""
    first, second = await open_backend("first"), await open_backend("second")
    environment = backend.environment.id
    jobs = [await owe_hint(backend.pool, environment) for _ in range(2)]
    jobs.sort(key=lambda job: job.id)
    await backend.pool.execute(MANY_OTHER_JOBS)
    await backend.pool.execute("ANALYZE outbox")
    lock = "SELECT FROM outbox WHERE id = $1 FOR UPDATE"
    async with asyncio.TaskGroup() as tasks, AsyncExitStack() as lower, AsyncExitStack() as higher:
        await lower.enter_async_context(held(backend.pool, lock, jobs[0].id))
        await higher.enter_async_context(held(backend.pool, lock, jobs[1].id))
        tasks.create_task(alone(first.pool, lambda c: outbox.finish_hint_jobs(c, jobs, [])))
        await gates.blocked("first")
        tasks.create_task(alone(second.pool, lambda c: outbox.finish_hint_jobs(c, jobs[::-1], [])))
        await gates.blocked("second")
        await higher.aclose()
        await gates.blocked("second")
    assert await backend.pool.fetchval("SELECT count(*) FROM outbox WHERE job_type = 'hint'") == 0


@asynccontextmanager
async def reserved(backend: Backend, name: str) -> AsyncGenerator[None]:
    """Somebody is about to create a person of this name, and changes their mind when the block ends."""
    async with backend.pool.acquire() as connection:
        creation = connection.transaction()
        await creation.start()
        await subscribers.insert_subscribers(connection, backend.environment.id, [(name, None)])
        yield
        await creation.rollback()


def send_statement(
    backend: Backend, key: str, people: list[str]
) -> Callable[[Connection], Awaitable[Answered[Outcome]]]:
    draft = Draft(backend.environment.id, key, b"", people, "news", "{}", None, None)
    return lambda connection: notifications.send_notifications(connection, [draft])


async def owe_hint(pool: Pool, environment_id: UUID) -> HintJob:
    row = await pool.fetchrow(
        "SELECT job_id, job FROM owe_hint($1, 'read_state', gen_random_uuid(), 'notification', NULL)",
        environment_id,
    )
    assert row is not None
    job = HintJob.owed(environment_id, row["job_id"], row["job"])
    assert job is not None
    return job
