"""What the worker tells Prometheus: queues, dead letters, partitions, and whether the counters are right."""

from collections.abc import Sequence
from typing import Final

from prometheus_client import REGISTRY

from app.db import inbox, outbox
from app.db.inbox import Field, Mark, MarkAll
from app.db.migrate import PARTITIONS_AHEAD
from app.db.pool import Pool
from app.worker.gauges import Gauges
from tests.app.worker.history import TABLES
from tests.app.worker.test_dead_letters import add_job
from tests.app.worker.world import World

DECISIONS: Final[Sequence[tuple[Field, bool]]] = (("read", True), ("read", False), ("archived", True))


def value(name: str, **labels: str) -> float | None:
    return REGISTRY.get_sample_value(name, labels)


async def drift_of(gauges: Gauges) -> Sequence[float]:
    """How much of each kind was found, over enough samples to have met everybody."""
    before = [value("bellwire_counter_drift", kind=kind) or 0 for kind in ("unread", "unseen")]
    for _ in range(20):
        await gauges.measure()
    after = [value("bellwire_counter_drift", kind=kind) or 0 for kind in ("unread", "unseen")]
    return [now - then for now, then in zip(after, before, strict=True)]


async def test_what_waits_and_what_is_due_are_told_by_environment_and_type(pool: Pool, world: World) -> None:
    """And are taken off once they are gone."""
    gauges = Gauges(pool)
    await world.send("ann")
    await world.send("bob")
    await gauges.measure()
    labels = {"environment": "acme", "job_type": "hint"}
    assert value("bellwire_queue_depth", **labels) == 2
    assert value("bellwire_queue_due", **labels) == 0  # their leases run
    await world.leases_are_over()
    await gauges.measure()
    assert value("bellwire_queue_due", **labels) == 2
    await pool.execute("DELETE FROM outbox")
    await gauges.measure()
    assert value("bellwire_queue_depth", **labels) is None
    assert value("bellwire_queue_due", **labels) is None


async def test_dead_letters_are_counted_by_type(pool: Pool, world: World) -> None:
    gauges = Gauges(pool)
    async with pool.acquire() as connection:
        job_id = await add_job(connection, world.environment)
        for _ in range(10):
            await outbox.fail_job(connection, world.environment.id, job_id, "no")
    await gauges.measure()
    assert value("bellwire_dead_letters", job_type="hint") == 1


async def test_partitions_that_begin_after_now_are_counted(pool: Pool) -> None:
    gauges = Gauges(pool)
    await gauges.measure()
    for table in TABLES:
        assert value("bellwire_partitions_remaining", table=table) == PARTITIONS_AHEAD
    await pool.execute(
        "DO $$ DECLARE newest text; BEGIN SELECT max(inhrelid::regclass::text) INTO newest FROM pg_inherits"
        " WHERE inhparent = 'timeline'::regclass; EXECUTE 'DROP TABLE ' || newest; END $$"
    )
    await gauges.measure()
    assert value("bellwire_partitions_remaining", table="timeline") == PARTITIONS_AHEAD - 1


async def test_right_counters_do_not_drift(pool: Pool, world: World) -> None:
    """Whatever was read, archived, seen or muted: nothing is found that is not wrong."""
    for category in ("a", "b"):
        await world.send("ann", "bob", category=category)
    await world.mute("ann", "a")
    async with pool.acquire() as connection:
        await inbox.mark_alls(
            connection,
            [MarkAll(world.environment.id, "ann", "seen"), MarkAll(world.environment.id, "bob", "read")],
        )
        for field, wanted in DECISIONS:
            [item] = await world.send("ann", category="b")
            mark = Mark(world.environment.id, "ann", "notification", item, field=field, value=wanted)
            await inbox.mark_items(connection, [mark])
    assert await drift_of(Gauges(pool)) == [0, 0]


async def test_a_wrong_counter_is_found(pool: Pool, world: World) -> None:
    gauges = Gauges(pool)
    await world.send("ann", "bob")
    assert await drift_of(gauges) == [0, 0]
    await pool.execute("UPDATE inbox_categories SET unread = unread + 1")
    unread, unseen = await drift_of(gauges)
    assert unread > 0
    assert unseen == 0
    await pool.execute("UPDATE inbox_categories SET unread = unread - 1, unseen = 0")
    unread, unseen = await drift_of(gauges)
    assert unread == 0
    assert unseen > 0
