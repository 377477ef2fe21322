"""An item that cannot be delivered or removed keeps no other waiting, and is tried again until it can."""

import math

import asyncpg
import pytest
from redis.asyncio import Redis
from structlog.testing import capture_logs

from app.contract import ids
from app.contract.requests import BroadcastRequest
from app.db.pool import Pool
from app.outbox.publisher import Publisher
from app.services.broadcasts import Broadcasts
from app.worker import set_aside
from app.worker.deliveries import Deliveries, Expiries
from app.worker.hints import HintJobs
from app.worker.retention import Retention
from tests.app.worker.history import write_history
from tests.app.worker.world import World, from_now
from tests.factories import Environment, make_environment
from tests.harness import Stack, eventually

POISON = """
CREATE FUNCTION poison() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'poisoned'; END $$;
"""
HEALED = "DROP FUNCTION poison() CASCADE"


async def poison_inbox(pool: Pool, person: str) -> None:
    """Whatever would change this inbox fails."""
    inbox = await pool.fetchval("SELECT id FROM subscribers WHERE subscriber_id = $1", person)
    await pool.execute(
        f"{POISON} CREATE TRIGGER poison BEFORE UPDATE ON inboxes FOR EACH ROW"
        f" WHEN (NEW.id = '{inbox}') EXECUTE FUNCTION poison()"
    )


async def receivers(pool: Pool) -> set[str]:
    """Who has an item."""
    rows = await pool.fetch(
        "SELECT DISTINCT s.subscriber_id FROM notifications n"
        " JOIN subscribers s ON s.environment_id = n.environment_id AND s.id = n.inbox_id"
    )
    return {row[0] for row in rows}


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tried again after some 100 ms."""
    monkeypatch.setattr(set_aside, "FIRST_S", 0.1)


async def test_a_delivery_that_fails_keeps_no_other_waiting(world: World, publisher: Publisher) -> None:
    """The other people of its batch have theirs at once; what becomes due later, too, its own person's
    included, once that can be; and there is no try before its time.
    """
    await world.send("ada", "grace", "linus", deliver_at=from_now(60))
    await poison_inbox(world.pool, "ada")
    await world.due_now()
    deliveries = Deliveries(world.pool, publisher)
    with capture_logs() as said:
        assert await deliveries.run_once() == 0
    assert await receivers(world.pool) == {"grace", "linus"}
    assert await world.count("scheduled") == 1
    [failure] = [line for line in said if line["log_level"] == "error"]
    assert (failure["kind"], failure["error"]) == ("delivery", "RaiseError: poisoned")
    assert 2 < await deliveries.run_once() <= 5

    await world.send("alan", deliver_at=from_now(60))
    await world.due_now()
    assert await deliveries.run_once() == 0
    assert await receivers(world.pool) == {"grace", "linus", "alan"}
    assert 2 < await deliveries.run_once() <= 5


async def test_the_worker_lives_on(stack: Stack, environment: Environment, pool: Pool) -> None:
    """The whole process, with something scheduled that fails as soon as it is due."""
    async with stack.client() as client:

        async def send(**request: str | list[str]) -> None:
            sent = await client.post(
                "/v1/notifications",
                json={"category": "c", "subscriber_ids": ["ada", "grace"], **request},
                headers=environment.management_headers,
            )
            assert sent.status_code == 201

        await send(deliver_at=from_now(1).isoformat())
        await poison_inbox(pool, "ada")
        await eventually(lambda: receivers(pool), lambda found: found == {"grace"})
        await send(subscriber_ids=["linus"], deliver_at=from_now(0.5).isoformat())
        await eventually(lambda: receivers(pool), lambda found: found == {"grace", "linus"})
    assert stack.worker.running
    assert sum("an item failed and is set aside" in line for line in stack.worker.output) == 1
    assert "Traceback" not in "".join(stack.worker.output)


@pytest.mark.usefixtures("soon")
async def test_it_is_delivered_once_it_can_be(world: World, publisher: Publisher) -> None:
    """Tried again after growing times until then, and once is enough."""
    [item] = await world.send("ada", deliver_at=from_now(60))
    await poison_inbox(world.pool, "ada")
    await world.due_now()
    deliveries = Deliveries(world.pool, publisher)

    async def failed_thrice() -> bool:
        return await deliveries.run_once() > 0.2  # between half of 0.4 s and all of it

    await eventually(failed_thrice)
    await world.pool.execute(HEALED)

    async def nothing_waits() -> bool:
        return await deliveries.run_once() == math.inf

    await eventually(nothing_waits)
    assert await world.pool.fetchval("SELECT id FROM notifications") == item
    assert await world.pool.fetchval("SELECT unread FROM inbox_categories") == 1


async def test_a_cancelled_one_is_forgotten(world: World, publisher: Publisher) -> None:
    await world.send("ada", deliver_at=from_now(60))
    await poison_inbox(world.pool, "ada")
    await world.due_now()
    deliveries = Deliveries(world.pool, publisher)
    assert await deliveries.run_once() == 0
    await world.pool.execute("DELETE FROM scheduled")
    assert await deliveries.run_once() > 0


async def test_when_more_fail_than_can_be_set_aside_the_pass_fails(
    world: World, publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Still, those that can be delivered are."""
    monkeypatch.setattr(set_aside, "MOST", 1)
    for person in ("ada", "ada", "grace"):
        await world.send(person, deliver_at=from_now(60))
    await poison_inbox(world.pool, "ada")
    await world.due_now()
    with pytest.raises(asyncpg.RaiseError):
        await Deliveries(world.pool, publisher).run_once()
    assert await receivers(world.pool) == {"grace"}
    assert await world.count("scheduled") == 2


async def test_a_broadcast_that_fails_keeps_no_other_waiting(world: World, publisher: Publisher) -> None:
    """A later one, and another environment's, are delivered; likewise when they expire."""
    broadcasts = Broadcasts(world.pool, publisher)
    other = await make_environment(world.pool, "other")
    sent = [
        await broadcasts.send(
            environment, BroadcastRequest(category=category, deliver_at=from_now(60), expires_at=from_now(90))
        )
        for environment, category in (
            (world.environment.id, "bad"),
            (world.environment.id, "c"),
            (other.id, "c"),
        )
    ]
    await world.pool.execute(
        f"{POISON} CREATE TRIGGER poison BEFORE INSERT ON broadcasts FOR EACH ROW"
        " WHEN (NEW.category = 'bad') EXECUTE FUNCTION poison()"
    )
    await world.due_now()
    deliveries, expiries = Deliveries(world.pool, publisher), Expiries(world.pool, publisher)
    while await deliveries.run_once() == 0:
        pass
    bad, *healthy = [ids.decode("bcast", one.sent.id) for one in sent]
    assert {row["id"] for row in await world.pool.fetch("SELECT id FROM broadcasts")} == set(healthy)
    assert [row["id"] for row in await world.pool.fetch("SELECT id FROM scheduled")] == [bad]

    await world.pool.execute(
        "CREATE TRIGGER poison_delete BEFORE DELETE ON broadcasts FOR EACH ROW"
        f" WHEN (OLD.id = '{healthy[0]}') EXECUTE FUNCTION poison()"
    )
    await world.due_now()
    while await expiries.run_once() == 0:
        pass
    assert [row["id"] for row in await world.pool.fetch("SELECT id FROM broadcasts")] == [healthy[0]]


async def test_an_expiry_that_fails_keeps_no_other_waiting(world: World, publisher: Publisher) -> None:
    await world.send("ada", "grace", expires_at=from_now(60))
    await poison_inbox(world.pool, "ada")
    await world.due_now()
    expiries = Expiries(world.pool, publisher)
    assert await expiries.run_once() == 0
    assert await receivers(world.pool) == {"ada"}
    assert 2 < await expiries.run_once() <= 5


async def test_retention_goes_past_what_it_cannot_remove(world: World, publisher: Publisher) -> None:
    """And past whole parts of its work; what is left is tried again in minutes, not tomorrow."""
    old = from_now(-15 * 31 * 24 * 3600)
    async with world.pool.acquire() as connection:
        await write_history(connection, world.environment.id, [old])
    await poison_inbox(world.pool, "person-1")
    await world.pool.execute(
        "INSERT INTO idempotency (environment_id, kind, key, fingerprint, ids, created_at)"
        " SELECT $1, 'notification', 'k', '', '{}', now() - interval '40 days'",
        world.environment.id,
    )
    await world.pool.execute(
        "CREATE OR REPLACE FUNCTION forget_moves(oldest uuid, batch integer) RETURNS bigint"
        " LANGUAGE plpgsql AS $$ BEGIN RAISE 'poisoned'; END $$"
    )
    retention = Retention(world.pool, publisher, months=12)
    assert await retention.run_once() == 0
    assert await receivers(world.pool) == {"person-1"}
    assert await world.count("idempotency") == 0
    assert 0 < await retention.run_once() <= 600


async def test_a_hint_job_that_cannot_end_keeps_no_other(world: World, client: Redis) -> None:
    """Those published with it are done; it waits for its next attempt."""
    for person in ("ada", "grace", "linus"):
        await world.send(person)
    await world.pool.execute(
        f"{POISON} CREATE TRIGGER poison BEFORE DELETE ON outbox FOR EACH ROW"
        " WHEN (OLD.attempts = 7) EXECUTE FUNCTION poison()"
    )
    await world.pool.execute(
        "UPDATE outbox SET attempts = 7 WHERE id = (SELECT id FROM outbox ORDER BY id LIMIT 1)"
    )
    await world.leases_are_over()
    await HintJobs(world.pool, client).run_once()
    [job] = await world.pool.fetch(
        "SELECT attempts, run_at > now() + interval '1 second' AS waits FROM outbox"
    )
    assert (job["attempts"], job["waits"]) == (8, True)
    assert len(await world.hinted()) == 2
