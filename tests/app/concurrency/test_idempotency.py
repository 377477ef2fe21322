"""One key, one request: carried out once, and answered the same ever after."""

import asyncio
from datetime import datetime, timedelta

import msgspec
import pytest

from app.contract.errors import Conflict
from app.contract.requests import BroadcastRequest, NotificationRequest
from app.db import retention
from app.services.broadcasts import Reply as BroadcastReply
from app.services.notifications import Reply
from tests.app.concurrency.backend import Backend, source_of, uuid_of
from tests.app.concurrency.conftest import OpenBackend
from tests.app.concurrency.coverage import join, truth_about
from tests.app.concurrency.gates import Gates
from tests.app.concurrency.schedule import later, make_due

CALLERS = 32
WIDE = 8  # sessions of each of the backends below


def request(*people: str, key: str, deliver_at: datetime | None = None) -> NotificationRequest:
    return NotificationRequest(
        subscriber_ids=list(people), category="news", idempotency_key=key, deliver_at=deliver_at
    )


async def all_at_once(backends: list[Backend], *wanted: NotificationRequest) -> list[Reply | Conflict]:
    """The replies of CALLERS callers of several processes, each with one of the wanted requests."""

    async def send(nth: int) -> Reply | Conflict:
        backend = backends[nth % len(backends)]
        try:
            return await backend.notifications.send(backend.environment.id, wanted[nth % len(wanted)])
        except Conflict as conflict:
            return conflict

    return await asyncio.gather(*(send(nth) for nth in range(CALLERS)))


async def test_many_equal_requests_are_carried_out_once(open_backend: OpenBackend) -> None:
    """One is told that it was the first; all get the same bytes. For people who are new, too."""
    backends = [await open_backend(f"replica {nth}", WIDE) for nth in range(4)]
    for people in (["ada"], ["grace", "ada", "mary"]):
        wanted = request(*people, key=f"{len(people)} people")
        replies = [reply for reply in await all_at_once(backends, wanted) if isinstance(reply, Reply)]
        assert len(replies) == CALLERS
        assert sum(reply.created for reply in replies) == 1
        assert len({msgspec.json.encode(reply.sent) for reply in replies}) == 1
    assert [len((await truth_about(backends[0], person)).lines) for person in ("ada", "mary")] == [2, 1]


async def test_many_equal_broadcasts_are_carried_out_once(open_backend: OpenBackend) -> None:
    backends = [await open_backend(f"replica {nth}", WIDE) for nth in range(4)]
    await backends[0].counts("ada")
    wanted = BroadcastRequest(category="news", idempotency_key="k")
    replies: list[BroadcastReply] = await asyncio.gather(
        *(backends[nth % 4].broadcasts.send(backends[0].environment.id, wanted) for nth in range(CALLERS))
    )
    assert sum(reply.created for reply in replies) == 1
    assert len({msgspec.json.encode(reply.sent) for reply in replies}) == 1
    assert len((await truth_about(backends[0], "ada")).lines) == 1


async def test_of_two_requests_with_one_key_one_wins_and_the_other_is_a_conflict(
    open_backend: OpenBackend,
) -> None:
    """Whichever comes first: everybody who asked for the same is answered, everybody else refused."""
    backends = [await open_backend(f"replica {nth}", WIDE) for nth in range(4)]
    outcomes = await all_at_once(backends, request("ada", key="k"), request("grace", key="k"))
    replies = [outcome for outcome in outcomes if isinstance(outcome, Reply)]
    assert len(replies) == CALLERS // 2
    assert sum(reply.created for reply in replies) == 1
    [winner] = {reply.sent.notifications[0].subscriber_id for reply in replies}
    for person in ("ada", "grace"):
        assert len(await backends[0].view(person)) == (person == winner)


async def test_a_key_outlives_the_erasure_of_its_people(backend: Backend) -> None:
    """The first answer again, byte for byte, and nobody is sent anything."""
    first = await backend.notifications.send(backend.environment.id, request("ada", "grace", key="k"))
    await backend.erase("ada")
    again = await backend.notifications.send(backend.environment.id, request("ada", "grace", key="k"))
    assert (first.created, again.created) == (True, False)
    assert msgspec.json.encode(again.sent) == msgspec.json.encode(first.sent)
    assert (await truth_about(backend, "grace")).unread == 1
    assert await backend.view("ada") == []


async def test_a_replay_answers_whatever_the_clock_says_by_then(backend: Backend) -> None:
    """deliver_at has passed: while the item waits, once it is delivered, and once it is retracted."""
    deliver_at = later() - timedelta(minutes=59, seconds=58)
    wanted = request("ada", key="k", deliver_at=deliver_at)
    first = await backend.notifications.send(backend.environment.id, wanted)
    [sent] = first.sent.notifications
    await make_due(backend.pool, sent.id)
    await backend.pool.execute("SELECT pg_sleep_until($1)", deliver_at)

    async def replay() -> None:
        again = await backend.notifications.send(backend.environment.id, wanted)
        assert not again.created
        assert msgspec.json.encode(again.sent) == msgspec.json.encode(first.sent)

    await replay()
    await backend.deliveries.run_once()
    await replay()
    assert [item.id for item in await backend.view("ada")] == [sent.id]
    await backend.retract(sent.id)
    await replay()
    assert await backend.view("ada") == []


async def use_key(backend: Backend, kind: str) -> str:
    """Sends with the key `k`; the id answered."""
    if kind == "notification":
        return (await backend.send(["ada"], key="k"))[0]
    wanted = BroadcastRequest(category="news", idempotency_key="k")
    return (await backend.broadcasts.send(backend.environment.id, wanted)).sent.id


each_kind = pytest.mark.parametrize("kind", ["notification", "broadcast"])


@each_kind
async def test_a_request_that_waits_for_its_key_is_answered_by_who_held_it(
    backend: Backend, paused: Backend, gates: Gates, kind: str
) -> None:
    """The first has done everything but note its key and commit."""
    await join(backend, "ada")
    async with asyncio.TaskGroup() as tasks, gates.shut("INSERT", "idempotency"):
        first = tasks.create_task(use_key(paused, kind))
        await gates.arrived()
        second = tasks.create_task(use_key(backend, kind))
        await gates.blocked("other")
    assert await first == await second
    assert len(await backend.view("ada")) == 1


@each_kind
async def test_a_forgotten_key_that_is_used_anew_is_remembered_anew(
    backend: Backend, paused: Backend, gates: Gates, kind: str
) -> None:
    """Its record is a month old, and held, when the key comes back; a purge that comes by does not wait."""
    old = await use_key(backend, kind)
    await backend.pool.execute("UPDATE idempotency SET created_at = created_at - interval '31 days'")
    async with asyncio.TaskGroup() as tasks, backend.pool.acquire() as holder, holder.transaction():
        await holder.execute("SELECT FROM idempotency FOR UPDATE")
        using = tasks.create_task(use_key(paused, kind))
        await gates.blocked("paused")
        await forget(backend)
    new = await using
    assert new != old
    assert source_of(new) == source_of(old) == kind
    assert uuid_of(await use_key(backend, kind)) == uuid_of(new)


async def forget(backend: Backend) -> None:
    async with backend.pool.acquire() as connection:
        await retention.forget_requests(connection, 100)
