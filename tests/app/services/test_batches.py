"""What many ask for travels together, and each is answered as it would be alone."""

import asyncio
import itertools
from collections import Counter
from collections.abc import Sequence

import pytest

from app.contract import ids
from app.contract.errors import NotFound, Unavailable
from app.contract.requests import BroadcastRequest, NotificationRequest
from app.db.pool import Pool
from app.outbox.publisher import Publisher
from app.services import batches
from app.services.auth import Identity
from app.services.batches import Batches, distinct
from app.services.broadcasts import Broadcasts
from app.services.inbox import Inbox, once_each
from app.services.notifications import Notifications
from tests.app.services.conftest import who
from tests.factories import Environment, page_of
from tests.harness import eventually


class Statement:
    """Answers each number by itself, once it is let; notes what travelled together."""

    def __init__(self) -> None:
        self.carried: list[list[int]] = []
        self.gate = asyncio.Event()

    async def count(self) -> int:
        return len(self.carried)

    async def carry(self, numbers: Sequence[int]) -> list[int]:
        self.carried.append(list(numbers))
        await self.gate.wait()
        if len(numbers) > 1 and -1 in numbers:
            raise ValueError("one at fault spoils the whole")
        if numbers[0] == -1:
            raise ValueError("it is at fault")
        return list(numbers)


async def ask(asked: Batches[int, int], numbers: Sequence[int]) -> list[int | BaseException]:
    return await asyncio.gather(*(asked.ask(number) for number in numbers), return_exceptions=True)


async def test_what_is_asked_for_meanwhile_goes_together() -> None:
    """The first goes at once, alone; the rest in order, as soon as a whole batch waits or that is back."""
    statement = Statement()
    asked = Batches(statement.carry)
    first = asyncio.create_task(asked.ask(1))
    await eventually(statement.count)
    rest = asyncio.create_task(ask(asked, range(2, 70)))
    await eventually(statement.count, lambda count: count == batches.UNDER_WAY)
    statement.gate.set()
    assert await rest == list(range(2, 70))
    assert await first == 1
    assert [*itertools.chain(*statement.carried)] == list(range(1, 70))
    assert [*map(len, statement.carried)] == [1, batches.BATCH, 4]


async def test_one_at_fault_fails_alone() -> None:
    statement = Statement()
    statement.gate.set()
    answers = await ask(Batches(statement.carry), [1, 2, 3, -1, 4, 5])
    assert [answer for answer in answers if answer not in (1, 2, 3, 4, 5)] == [answers[3]]
    assert isinstance(answers[3], ValueError)


async def test_what_is_busy_goes_alone() -> None:
    """And keeps nobody waiting who travelled with it."""
    gate = asyncio.Event()

    async def alone(numbers: Sequence[int]) -> list[int]:
        await gate.wait()
        return list(numbers)

    async def together(numbers: Sequence[int]) -> list[int]:
        return [0 if number == 3 else number for number in numbers]

    asked = Batches(together, carry_alone=alone, is_busy=lambda answer: answer == 0)
    busy = asyncio.create_task(asked.ask(3))
    assert await ask(asked, [1, 2, 4]) == [1, 2, 4]
    assert not busy.done()
    gate.set()
    assert await busy == 3


async def test_too_many_are_told_to_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "MOST_WAITING", 10)
    statement = Statement()
    asked = Batches(statement.carry)
    asking = asyncio.create_task(ask(asked, range(15)))
    await asyncio.sleep(0)
    statement.gate.set()
    assert Counter(type(answer) for answer in await asking) == {int: 10, Unavailable: 5}
    assert await asked.ask(7) == 7


async def test_no_two_of_a_kind_travel_together() -> None:
    statement = Statement()
    statement.gate.set()
    asked = Batches(statement.carry, choose=distinct(lambda number: number % 10))
    assert await ask(asked, range(40)) == list(range(40))
    for numbers in statement.carried:
        assert len({number % 10 for number in numbers}) == len(numbers)


async def test_who_leaves_harms_nobody() -> None:
    statement = Statement()
    asked = Batches(statement.carry)
    leaving = [asyncio.create_task(asked.ask(number)) for number in range(5)]
    staying = asyncio.create_task(asked.ask(5))
    await asyncio.sleep(0)
    for one in leaving:
        one.cancel()
    statement.gate.set()
    assert await staying == 5


async def test_everybody_reads_their_own(
    pool: Pool, publisher: Publisher, inbox: Inbox, environment: Environment
) -> None:
    """Pages, counts and marks of many people at a time, new ones among them: none gets another's."""
    notifications = Notifications(pool, publisher)
    people = [f"p{number}" for number in range(30)]
    for number, person in enumerate(people):
        for _ in range(number % 4):
            await notifications.send(
                environment.id, NotificationRequest(subscriber_id=person, category=person)
            )
    counts = await asyncio.gather(*(inbox.counts(who(environment, person)) for person in people))
    assert [one.unread for one in counts] == [number % 4 for number in range(30)]
    pages = await asyncio.gather(
        *(inbox.page(who(environment, person), limit=2, categories=[person]) for person in people)
    )
    for number, (person, reply) in enumerate(zip(people, pages, strict=True)):
        page = page_of(reply)
        assert [item.category for item in page.items] == [person] * min(number % 4, 2)
        assert (page.next_cursor is not None) == (number % 4 == 3)
    again = await asyncio.gather(
        *(
            inbox.page(
                who(environment, person), limit=2, categories=[person], known_etags=["other", reply.etag]
            )
            for person, reply in zip(people, pages, strict=True)
        )
    )
    assert all(reply.page is None for reply in again)
    alls = await asyncio.gather(
        *(inbox.mark_all(who(environment, person), watermark="read") for person in people)
    )
    assert {one.unread for one in alls} == {0}


async def test_equal_requests_of_a_batch_are_carried_once() -> None:
    """Each has its answer, in its place; what is asked later is carried again."""
    statement = Statement()
    asked = Batches(once_each(statement.carry))
    answers = asyncio.create_task(ask(asked, [1, 2, 1, 1, 3, 2]))
    await asyncio.sleep(0)
    statement.gate.set()
    assert await answers == [1, 2, 1, 1, 3, 2]
    assert await asked.ask(1) == 1
    carried = [number for numbers in statement.carried for number in numbers]
    assert carried[-1] == 1
    assert sorted(carried[:-1]) == [1, 2, 3]


async def test_marks_of_one_inbox_at_a_time_all_count(
    pool: Pool, publisher: Publisher, inbox: Inbox, environment: Environment
) -> None:
    """Of several items, and of the same one more than once; one that is not there is refused alone."""
    ada = who(environment, "ada")
    notifications = Notifications(pool, publisher)
    items = [
        ids.decode("notif", reply.sent.notifications[0].id)
        for reply in [
            await notifications.send(environment.id, NotificationRequest(subscriber_id="ada", category="c"))
            for _ in range(6)
        ]
    ]
    wanted = [item for item in items if item is not None]

    async def mark(at: int, person: Identity = ada) -> None:
        await inbox.mark(person, source="notification", item_id=wanted[at], field="read", value=True)

    outcomes = await asyncio.gather(
        *(mark(at) for at in range(5)),
        mark(5, who(environment, "grace")),
        mark(0),
        mark(1),
        return_exceptions=True,
    )
    assert [type(outcome) for outcome in outcomes if outcome is not None] == [NotFound]
    assert (await inbox.counts(ada)).unread == 1
    page = page_of(await inbox.page(ada))
    assert [item.read for item in page.items] == [False, True, True, True, True, True]


async def test_a_held_inbox_keeps_nobody_elses_marks_waiting(
    pool: Pool, publisher: Publisher, inbox: Inbox, environment: Environment
) -> None:
    people = ["ada", "grace", "joan"]
    await Notifications(pool, publisher).send(
        environment.id, NotificationRequest(subscriber_ids=people, category="c")
    )
    async with pool.acquire() as holder, holder.transaction():
        await holder.execute(
            "SELECT FROM inboxes i JOIN subscribers s ON s.id = i.id WHERE s.subscriber_id = 'ada'"
            " FOR UPDATE OF i"
        )
        held = asyncio.create_task(inbox.mark_all(who(environment, "ada"), watermark="read"))
        others = await asyncio.gather(
            *(inbox.mark_all(who(environment, person), watermark="read") for person in people[1:])
        )
        assert [one.unread for one in others] == [0, 0]
        assert not held.done()
    assert (await held).unread == 0


async def test_a_crowd_that_reads_one_broadcast_shares_transactions(
    pool: Pool, publisher: Publisher, inbox: Inbox, environment: Environment
) -> None:
    people = [f"p{number}" for number in range(100)]
    await asyncio.gather(*(inbox.counts(who(environment, person)) for person in people))
    broadcasts = Broadcasts(pool, publisher)
    sent = (await broadcasts.send(environment.id, BroadcastRequest(category="news"))).sent.id
    item_id = ids.decode_item("broadcast", sent)
    assert item_id is not None
    await asyncio.gather(
        *(
            inbox.mark(
                who(environment, person), source="broadcast", item_id=item_id, field="read", value=True
            )
            for person in people
        )
    )
    decided, commits = (
        await pool.fetch("SELECT count(*), count(DISTINCT xmin::text) FROM broadcast_overrides WHERE read")
    )[0]
    assert decided == 100
    assert commits < 10
    counts = await asyncio.gather(*(inbox.counts(who(environment, person)) for person in people))
    assert {(one.unread, one.unseen) for one in counts} == {(0, 1)}
