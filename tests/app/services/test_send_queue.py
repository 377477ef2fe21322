"""Sends travel together, and each fares as it would alone."""

import asyncio
from uuid import UUID

import asyncpg
import pytest

from app.contract.errors import Unavailable
from app.db.notifications import Draft, Outcome
from app.db.outbox import HintJob
from app.db.pool import Pool
from app.services import batches
from app.services.send_queue import SendQueue
from tests.factories import Environment
from tests.harness import eventually


def draft(environment_id: UUID, key: str, *recipients: str, payload: str = "{}") -> Draft:
    return Draft(environment_id, key, payload.encode(), list(recipients), "c", payload, None, None)


async def send(queue: SendQueue, *drafts: Draft) -> list[Outcome | BaseException]:
    return await asyncio.gather(*(queue.send(one) for one in drafts), return_exceptions=True)


async def commits(pool: Pool) -> int:
    """Transactions that inserted an idempotency record: each leaves one xmin."""
    return await pool.fetchval("SELECT count(DISTINCT xmin::text) FROM idempotency") or 0


async def waits_for_a_lock(pool: Pool) -> bool:
    return await pool.fetchval(
        "SELECT EXISTS (SELECT FROM pg_stat_activity"
        " WHERE datname = current_database() AND wait_event_type = 'Lock')"
    )


async def owners(pool: Pool, outcome: Outcome) -> list[str]:
    """Whose the items are, in the order of their ids."""
    rows = await pool.fetch(
        "SELECT s.subscriber_id FROM unnest($1::uuid[]) WITH ORDINALITY AS u (id, nth)"
        " JOIN notifications n USING (id) JOIN subscribers s ON s.id = n.inbox_id ORDER BY nth",
        outcome.ids,
    )
    return [row[0] for row in rows]


async def test_requests_at_the_same_time_share_transactions(pool: Pool, environment: Environment) -> None:
    queue = SendQueue(pool, [].append)
    drafts = [draft(environment.id, f"k{number}", f"p{number}") for number in range(100)]
    outcomes = await send(queue, *drafts)
    for one, outcome in zip(drafts, outcomes, strict=True):
        assert isinstance(outcome, Outcome)
        assert outcome.verdict == "created"
        assert await owners(pool, outcome) == one.recipients
    assert await pool.fetchval("SELECT count(*) FROM notifications") == 100
    assert await commits(pool) < 10


async def test_a_batch_owes_one_job_with_all_its_hints(pool: Pool, environment: Environment) -> None:
    jobs: list[HintJob] = []
    queue = SendQueue(pool, jobs.append)
    await send(queue, *(draft(environment.id, f"k{number}", f"p{number}") for number in range(100)))
    assert len(jobs) == await commits(pool)
    hinted = [hint.item_id for job in jobs for hint in job.to_hints()]
    made = await pool.fetch("SELECT id FROM notifications")
    assert sorted(map(str, hinted)) == sorted(str(row["id"]) for row in made)


async def test_hints_do_not_hang_on_who_still_waits(pool: Pool, environment: Environment) -> None:
    jobs: list[HintJob] = []
    queue = SendQueue(pool, jobs.append)
    sending = asyncio.create_task(queue.send(draft(environment.id, "k", "ada")))
    await asyncio.sleep(0)  # it has been queued
    sending.cancel()

    async def offered() -> int:
        return len(jobs)

    await eventually(offered)


async def test_one_at_fault_fails_alone(pool: Pool, environment: Environment) -> None:
    """A payload that PostgreSQL refuses takes none of its companions along."""
    queue = SendQueue(pool, [].append)
    drafts = [draft(environment.id, f"k{number}", f"p{number}") for number in range(20)]
    drafts[7] = draft(environment.id, "k7", "p7", payload="not json")
    outcomes = await send(queue, *drafts)
    assert isinstance(outcomes[7], asyncpg.PostgresError)
    assert [one.verdict for one in outcomes if isinstance(one, Outcome)] == ["created"] * 19
    assert await pool.fetchval("SELECT count(*) FROM notifications") == 19


async def test_the_same_key_at_the_same_time_is_created_once(pool: Pool, environment: Environment) -> None:
    """The others are replayed with the same ids; a different request is a conflict."""
    queue = SendQueue(pool, [].append)
    outcomes = await send(queue, *(draft(environment.id, "key", "ada") for _ in range(10)))
    verdicts = [one.verdict for one in outcomes if isinstance(one, Outcome)]
    assert sorted(verdicts) == ["created", *["replayed"] * 9]
    assert len({str(one.ids) for one in outcomes if isinstance(one, Outcome)}) == 1
    [other] = await send(queue, draft(environment.id, "key", "ada", payload='{"other":1}'))
    assert isinstance(other, Outcome)
    assert other.verdict == "conflict"


async def test_a_held_inbox_keeps_nobody_else_waiting(pool: Pool, environment: Environment) -> None:
    """While another transaction holds Ada's inbox, everybody else's sends are answered; then hers.

    Hers holds its key while it waits: those who ask for the same again keep nobody waiting either.
    """
    queue = SendQueue(pool, [].append)
    await send(queue, draft(environment.id, "first", "ada"))
    async with pool.acquire() as holder, holder.transaction():
        await holder.execute("SELECT FROM inboxes FOR UPDATE")
        held = asyncio.create_task(queue.send(draft(environment.id, "held", "grace", "ada")))
        await eventually(lambda: waits_for_a_lock(pool))
        again = [
            asyncio.create_task(queue.send(draft(environment.id, "held", "grace", "ada"))) for _ in range(3)
        ]
        for number in range(3):
            outcomes = await send(
                queue, *(draft(environment.id, f"k{number}-{at}", f"p{at}") for at in range(50))
            )
            assert all(isinstance(one, Outcome) and one.verdict == "created" for one in outcomes)
        assert not held.done()
    outcome = await held
    assert outcome.verdict == "created"
    assert await owners(pool, outcome) == ["grace", "ada"]
    replays = await asyncio.gather(*again)
    assert [(one.verdict, one.ids) for one in replays] == [("replayed", outcome.ids)] * 3


async def test_a_full_queue_says_so(
    pool: Pool, environment: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "MOST_WAITING", 10)
    queue = SendQueue(pool, [].append)
    outcomes = await send(queue, *(draft(environment.id, f"k{n}", f"p{n}") for n in range(15)))
    assert sum(isinstance(one, Unavailable) for one in outcomes) == 5
    assert sum(isinstance(one, Outcome) for one in outcomes) == 10


async def test_a_caller_that_leaves_harms_nobody(pool: Pool, environment: Environment) -> None:
    queue = SendQueue(pool, [].append)
    leaving = [asyncio.create_task(queue.send(draft(environment.id, f"gone{n}", "ada"))) for n in range(5)]
    await asyncio.sleep(0)
    for task in leaving:
        task.cancel()
    assert all(isinstance(one, Outcome) for one in await send(queue, draft(environment.id, "stays", "ada")))

    async def created() -> int:
        return await pool.fetchval("SELECT count(*) FROM idempotency") or 0

    await eventually(created, lambda number: number == 6)
