"""Becoming visible in time, and ceasing to be."""

import math

from app.contract import ids
from app.contract.requests import BroadcastRequest
from app.outbox.publisher import Publisher
from app.services.broadcasts import Broadcasts
from app.worker.deliveries import Deliveries, Expiries
from tests.app.worker.world import Heard, World, from_now


async def test_nothing_waits(world: World, publisher: Publisher) -> None:
    """Then a step asks to be woken, and not before."""
    assert await Deliveries(world.pool, publisher).run_once() == math.inf
    assert await Expiries(world.pool, publisher).run_once() == math.inf


async def test_a_step_sleeps_to_the_next_due_time(world: World, publisher: Publisher) -> None:
    await world.send("ada", deliver_at=from_now(60), expires_at=from_now(90))
    await world.send("ada", deliver_at=from_now(5))
    await world.send("ada", expires_at=from_now(30))
    assert 4 < await Deliveries(world.pool, publisher).run_once() <= 5
    assert 29 < await Expiries(world.pool, publisher).run_once() <= 30


async def test_a_delivery_counts_and_hints(world: World, publisher: Publisher, heard: Heard) -> None:
    """Whatever is due becomes visible once; whoever muted the category is told nothing, but has the item."""
    await world.send("ada", "grace", category="other")
    await world.mute("grace", "c")
    adas, graces = await world.send("ada", "grace", deliver_at=from_now(60))
    await world.due_now()
    deliveries = Deliveries(world.pool, publisher)
    assert await deliveries.run_once() == 0
    assert await deliveries.run_once() == math.inf
    assert await heard.reasons(1) == ["notification"]
    assert await world.count("scheduled") == 0
    counted = await world.pool.fetch("SELECT unread, unseen FROM inbox_categories WHERE category = 'c'")
    assert [tuple(row) for row in counted] == [(1, 1), (1, 1)]
    stored = await world.pool.fetch("SELECT id FROM notifications WHERE category = 'c'")
    assert {row["id"] for row in stored} == {adas, graces}


async def test_what_expired_while_it_waited_is_never_delivered(
    world: World, publisher: Publisher, heard: Heard
) -> None:
    """The worker was away past both times: the item is gone, and nobody hears of it."""
    await world.send("ada", deliver_at=from_now(60), expires_at=from_now(90))
    await world.due_now()
    await world.pool.execute("UPDATE scheduled SET expires_at = clock_timestamp()")
    await Deliveries(world.pool, publisher).run_once()
    for table in ("scheduled", "notifications", "outbox", "inbox_categories", "scheduled_positions"):
        assert await world.count(table) == 0, table
    assert not heard.envelopes


async def test_an_expired_item_leaves_with_its_counts(
    world: World, publisher: Publisher, heard: Heard
) -> None:
    """Like a retraction: its rows, its counts and its timeline go; its person is told which; others stay."""
    [gone] = await world.send("ada", deliver_at=from_now(60), expires_at=from_now(90))
    await world.due_now()
    await Deliveries(world.pool, publisher).run_once()
    [kept] = await world.send("ada")
    await heard.reasons(1)
    version = await world.pool.fetchval("SELECT version FROM inboxes")
    expiries = Expiries(world.pool, publisher)
    assert await expiries.run_once() > 0
    await world.due_now()
    assert await expiries.run_once() == 0
    assert await expiries.run_once() == math.inf
    assert await heard.reasons(2) == ["notification", "expired"]
    assert ids.encode("notif", gone).encode() in heard.envelopes[1].frame
    assert [row["id"] for row in await world.pool.fetch("SELECT id FROM notifications")] == [kept]
    assert await world.count("scheduled_positions") == 0
    counted = await world.pool.fetch("SELECT unread, unseen FROM inbox_categories")
    assert [tuple(row) for row in counted] == [(1, 1)]
    assert await world.pool.fetchval("SELECT version FROM inboxes") == version + 1


async def test_a_scheduled_broadcast_comes_and_goes(world: World, publisher: Publisher, heard: Heard) -> None:
    """Delivered once, at its time, under the id its sender was given; expired for everyone at once."""
    broadcasts = Broadcasts(world.pool, publisher)
    reply = await broadcasts.send(
        world.environment.id,
        BroadcastRequest(category="news", deliver_at=from_now(60), expires_at=from_now(90)),
    )
    deliveries, expiries = Deliveries(world.pool, publisher), Expiries(world.pool, publisher)
    assert await deliveries.run_once() > 50
    assert await world.count("broadcasts") == 0
    await world.due_now()
    assert await deliveries.run_once() == 0
    assert await deliveries.run_once() == math.inf
    assert await world.pool.fetchval("SELECT id FROM broadcasts") == ids.decode("bcast", reply.sent.id)
    assert await world.pool.fetchval("SELECT version FROM broadcast_heads") == 1
    await world.due_now()
    assert await expiries.run_once() == 0
    assert await heard.reasons(2) == ["broadcast", "expired"]
    assert await world.count("broadcasts") == 0
    assert await world.pool.fetchval("SELECT version FROM broadcast_heads") == 2


async def test_two_workers_share_what_is_due(world: World, publisher: Publisher) -> None:
    """One has a row in hand: the other passes it over, and comes back for it if it is given up."""
    await world.send("ada", "grace", deliver_at=from_now(60))
    await world.due_now()
    deliveries = Deliveries(world.pool, publisher)
    async with world.pool.acquire() as other:
        transaction = other.transaction()
        await transaction.start()
        await other.fetch("SELECT FROM scheduled ORDER BY place LIMIT 1 FOR UPDATE")
        await deliveries.run_once()
        assert await world.count("notifications") == 1
        assert 0 < await deliveries.run_once() < 1
        await transaction.rollback()
    await deliveries.run_once()
    assert await world.count("notifications") == 2
