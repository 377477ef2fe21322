"""Plans are made once and kept, so they must not depend on how much there was when they were made."""

from uuid import UUID

import asyncpg
import pytest

from app.db.pool import Connection, create_pool
from bench import growth_world
from tests.app.cost.calls import ALLS, COUNTS, CREATES, MARKS, READS, STEPS
from tests.app.cost.people import History, Person, find_person

CALLS = READS | COUNTS | MARKS | ALLS | CREATES | STEPS


async def _find_ada(connection: Connection, environment: UUID, crowd: int) -> Person:
    """Somebody with one item among `crowd` others, everything analyzed. Without a crowd: nobody, nothing."""
    if crowd == 0:
        none = UUID(int=0)
        return Person(environment, "ada", none, [none] * 10, none, 0, none, none)
    await growth_world.create_inbox(connection, environment, "ada", 1)
    await growth_world.create_broadcasts(connection, environment, 10)
    await growth_world.create_crowd(connection, environment, crowd)
    await growth_world.analyze(connection)
    return await find_person(connection, "busy", "ada")


@pytest.mark.parametrize("crowd", [0, 1, 100])
@pytest.mark.timeout(300)
async def test_plans_made_while_there_was_little_serve_when_there_is_much(
    database_url: str, crowd: int
) -> None:
    """Against plans made with statistics of the full tables.

    What is made later may keep the person of one record for the next, so it may touch a third.
    """
    seeding = await asyncpg.connect(database_url)
    try:
        await growth_world.open_months(seeding)
        environment = await growth_world.create_environment(seeding, "busy")
        async with (
            create_pool(database_url, size=1, name="early") as early_pool,
            create_pool(database_url, size=1, name="late") as late_pool,
            early_pool.acquire() as early,
            late_pool.acquire() as late,
        ):
            ada = await _find_ada(seeding, environment, crowd)
            for statement, arguments in CALLS.values():
                await History(early).cost(statement, *arguments(ada))
            await growth_world.create_crowd(seeding, environment, 10_000, first=crowd + 1)
            await growth_world.create_broadcasts(seeding, environment, 1_000)
            await growth_world.create_jobs(seeding, environment, 1_000)
            await growth_world.create_dead_letters(seeding, environment, 5_000)
            inbox_id = await growth_world.create_inbox(seeding, environment, "long", 10_000)
            await growth_world.decide_broadcasts(seeding, environment, inbox_id)
            await growth_world.create_backlog(seeding, environment, ada.inbox_id, 2_000)
            long = await find_person(seeding, "busy", "long")
            kept = {
                name: await History(early).cost(statement, *arguments(long))
                for name, (statement, arguments) in CALLS.items()
            }
            await growth_world.analyze(seeding)
            for name, (statement, arguments) in CALLS.items():
                made = await History(late).cost(statement, *arguments(long))
                assert not kept[name].scanned, name
                assert kept[name].buffers <= 3 * made.buffers + 40, (name, kept[name], made)
    finally:
        await seeding.close()
