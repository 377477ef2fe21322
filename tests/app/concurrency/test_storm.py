"""Everything at once: when the storm is over, and at every instant of it, all that is told agrees.

Nobody is shown a deadlock or a fault on the way, PostgreSQL does not have to break one either, and what
the sends answered, less what was taken back, is there: no item lost, none twice.
"""

import pytest

from tests.app.concurrency.audit import check_inbox
from tests.app.concurrency.backend import Backend
from tests.app.concurrency.callers import CATEGORIES, NEW_PEOPLE, PEOPLE
from tests.app.concurrency.conftest import LONG
from tests.app.concurrency.deadlocks import count_deadlocks
from tests.app.concurrency.ledger import Ledger
from tests.app.concurrency.orphans import count_orphans
from tests.app.concurrency.storm import SEEDS, TIMEOUT_S, Storm
from tests.factories import Environment

OPERATIONS = 400 if LONG else 100  # of each caller

pytestmark = pytest.mark.timeout(TIMEOUT_S)
each_seed = pytest.mark.parametrize("seed", SEEDS)


async def check_at_rest(backend: Backend, ledger: Ledger) -> None:
    for person in PEOPLE + NEW_PEOPLE:
        truth = await check_inbox(
            backend.pool, backend.environment.id, person, limit=23, categories=CATEGORIES
        )
        if truth is None:
            assert not ledger.must_have(person)
            continue
        unread = [item.id for item in await backend.view(person, "unread")]
        counts = await backend.counts(person)
        assert counts.unread == len(unread) == len(set(unread)) == truth.unread
        assert counts.unseen == truth.unseen
        for category in CATEGORIES:
            await backend.mute(person, category, muted=False)
        shown = [item.id for view in ("default", "archived") for item in await backend.view(person, view)]
        assert len(shown) == len(set(shown)), "nothing twice"
        direct = {item for item in shown if item.startswith("notif_")}
        assert ledger.must_have(person) <= direct <= ledger.may_have(person)
        announced = {entry.id for entry in ledger.broadcasts() if not entry.going}
        assert set(shown) - direct <= announced
        if person in PEOPLE and person not in ledger.erasures:
            assert set(shown) - direct == announced
    async with backend.pool.acquire() as connection:
        assert await count_orphans(connection) == {}


@each_seed
async def test_everything_agrees_when_the_storm_is_over(
    database_url: str, redis_url: str, environment: Environment, seed: int
) -> None:
    storm = Storm(seed, callers=12, operations=OPERATIONS, readers=1, rounds=OPERATIONS // 2, erasing=False)
    ledger = await storm.run(database_url, redis_url, environment)
    assert await count_deadlocks(database_url) == 0
    async with Backend.open(database_url, redis_url, environment, name="after") as backend:
        await check_at_rest(backend, ledger)
    ledger.check_withdrawals()


@each_seed
async def test_people_come_and_go_in_the_storm(
    database_url: str, redis_url: str, environment: Environment, seed: int
) -> None:
    """No row outlives its person in any table, and who is erased in the end comes back to nothing."""
    storm = Storm(seed, callers=12, operations=OPERATIONS, readers=1, rounds=OPERATIONS // 2, erasing=True)
    ledger = await storm.run(database_url, redis_url, environment)
    assert ledger.erasures
    assert await count_deadlocks(database_url) == 0
    async with Backend.open(database_url, redis_url, environment, name="after") as backend:
        await check_at_rest(backend, ledger)
        for person in PEOPLE:
            await backend.counts(person)
            await backend.erase(person)
            await backend.counts(person)
            truth = await check_inbox(backend.pool, environment.id, person, limit=5, categories=CATEGORIES)
            assert truth is not None
            assert truth.lines == []
            assert (await backend.preferences.get(environment.id, person)).preferences == []
        async with backend.pool.acquire() as connection:
            assert await count_orphans(connection) == {}
