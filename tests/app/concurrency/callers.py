"""Callers that do everything there is to do to the same few inboxes, at random, at the same time."""

import asyncio
import math
import random
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Final

from app.contract.errors import InvalidRequest, NotFound
from app.db.inbox import Field, Watermark
from tests.app.concurrency.audit import check_inbox
from tests.app.concurrency.backend import Backend, up_to_item, up_to_items
from tests.app.concurrency.ledger import Entry, Erasure, Ledger, Request
from tests.app.concurrency.schedule import MAKE_DUE, later, make_due

PEOPLE: Final = ("ada", "grace", "mary", "joan")  # there from the start
NEW_PEOPLE: Final = tuple(f"new {number}" for number in range(8))  # created by whoever names them first
CATEGORIES: Final = ("news", "news.local", "chat", "alerts")
FIELDS: Final[tuple[Field, ...]] = ("read", "archived")
WATERMARKS: Final[tuple[Watermark, ...]] = ("read", "seen", "archived")
_EXPIRES_IN: Final = timedelta(seconds=1)


class Caller:
    """erasing: people are erased, and come back under the same id, while all else goes on."""

    def __init__(self, backend: Backend, ledger: Ledger, rng: random.Random, *, erasing: bool) -> None:
        self._backend = backend
        self._environment_id = backend.environment.id
        self._ledger = ledger
        self._rng = rng
        self._erasing = erasing
        weights: dict[Callable[[], Awaitable[None]], int] = {
            self._send: 8,
            self._send_again: 1,
            self._schedule: 4,
            self._broadcast: 2,
            self._mark: 14,
            self._mark_from_outside: 2,
            self._mark_all: 6,
            self._mute: 3,
            self._retract: 3,
            self._retract_batch: 1,
            self._archive_read: 1,
            self._work: 8,
            self._look: 3,
            self._erase: 4 if erasing else 0,
        }
        self._operations = list(weights)
        self._weights = list(weights.values())

    async def run(self, operations: int) -> None:
        """Raises what a caller must never see: everything but the refusals that the rules explain."""
        for operation in self._rng.choices(self._operations, self._weights, k=operations):
            await operation()

    def _person(self) -> str:
        return self._rng.choice(PEOPLE + NEW_PEOPLE if self._rng.random() < 0.2 else PEOPLE)

    def _crowd(self) -> list[str]:
        """One person, or several in any order: others name the same ones in another."""
        if self._rng.random() < 0.5:
            return [self._person()]
        people = [*self._rng.sample(PEOPLE, 3), *self._rng.sample(NEW_PEOPLE, 1)]
        return self._rng.sample(people, len(people))

    def _item_for(self, person: str) -> Entry | None:
        mine = self._ledger.addressed_to(person) + self._ledger.broadcasts()
        return self._rng.choice(mine) if mine else None

    def _may_be_missing(self, person: str, entry: Entry) -> bool:
        """Whether the rules explain that a person does not find an item."""
        announced_before = entry.person is None and person not in PEOPLE
        return entry.going or entry.waits or entry.expires or announced_before or self._erasing

    async def _send(self) -> None:
        expires = self._rng.random() < 0.1
        await self._send_to(self._crowd(), expires_at=datetime.now(UTC) + _EXPIRES_IN if expires else None)

    async def _schedule(self) -> None:
        people = self._crowd()
        sent = await self._send_to(people, deliver_at=later())
        if self._rng.random() < 0.9:
            await make_due(self._backend.pool, *sent)

    async def _send_to(
        self, people: list[str], *, deliver_at: datetime | None = None, expires_at: datetime | None = None
    ) -> list[str]:
        asked = self._ledger.now()
        category, key = self._rng.choice(CATEGORIES), f"key {asked}"
        try:
            sent = await self._backend.send(
                people, category, key=key, deliver_at=deliver_at, expires_at=expires_at
            )
        except InvalidRequest:
            assert expires_at is not None, "only a busy machine explains it"
            return []
        answered = self._ledger.now()
        for person, item in zip(people, sent, strict=True):
            self._ledger.entries.append(
                Entry(
                    id=item,
                    person=person,
                    key=key,
                    asked=asked,
                    answered=answered,
                    waits=deliver_at is not None,
                    expires=expires_at is not None,
                )
            )
        if deliver_at is None and expires_at is None:
            self._ledger.requests.append(Request(people, category, key, sent))
        return sent

    async def _send_again(self) -> None:
        if self._ledger.requests:
            known = self._rng.choice(self._ledger.requests)
            assert await self._backend.send(known.people, known.category, key=known.key) == known.ids

    async def _broadcast(self) -> None:
        asked, waits = self._ledger.now(), self._rng.random() < 0.3
        category = self._rng.choice(CATEGORIES)
        item = await self._backend.broadcast(category, deliver_at=later() if waits else None)
        self._ledger.entries.append(
            Entry(
                id=item,
                person=None,
                key=item,
                asked=asked,
                answered=self._ledger.now(),
                waits=waits,
                expires=False,
            )
        )
        if waits:
            await make_due(self._backend.pool, item)

    async def _mark(self) -> None:
        person = self._person()
        entry = self._item_for(person)
        if entry is None:
            return
        try:
            await self._backend.mark(
                person, entry.id, self._rng.choice(FIELDS), value=self._rng.random() < 0.6
            )
        except NotFound:
            assert self._may_be_missing(person, entry)

    async def _mark_from_outside(self) -> None:
        entry = self._item_for(self._rng.choice(PEOPLE))
        if entry is None or entry.person is None:
            return
        status = await self._backend.mark_from_outside(
            entry.id, self._rng.choice(FIELDS), value=self._rng.random() < 0.6
        )
        assert status in ("changed", "unchanged") or self._may_be_missing(entry.person, entry)

    async def _mark_all(self) -> None:
        person, watermark = self._person(), self._rng.choice(WATERMARKS)
        named = [entry for entry in (self._item_for(person), self._item_for(person)) if entry is not None]
        match self._rng.randrange(3), named:
            case 1, [entry, _]:
                up_to, named = up_to_item(entry.id), [entry]
            case 2, [*_] if named:
                of_source = {entry.person is None: entry.id for entry in named}
                up_to = up_to_items(of_source.get(False), of_source.get(True))
            case _:
                up_to, named = None, []
        try:
            reply = await self._backend.mark_all(person, watermark, up_to)
        except NotFound:
            assert any(self._may_be_missing(person, entry) for entry in named)
        else:
            self._ledger.replies.append((person, reply))

    async def _mute(self) -> None:
        await self._backend.mute(self._person(), self._rng.choice(CATEGORIES), muted=self._rng.random() < 0.4)

    async def _retract(self) -> None:
        entry = self._item_for(self._person())
        if entry is None:
            return
        entry.retractions += 1
        try:
            await self._backend.retract(entry.id)
        except NotFound:
            assert entry.retractions > 1 or entry.expires or self._erasing
        else:
            self._ledger.withdraw(entry.key, 1)

    async def _retract_batch(self) -> None:
        entry = self._item_for(self._person())
        if entry is None or entry.person is None:
            return
        for one in self._ledger.entries:
            if one.key == entry.key:
                one.retractions += 1
        withdrawn = await self._backend.retractions.batch(self._environment_id, entry.key)
        self._ledger.withdraw(entry.key, withdrawn)

    async def _archive_read(self) -> None:
        await self._backend.inbox.archive_read(self._backend.identity(self._person()))

    async def _work(self) -> None:
        """A step of a worker."""
        steps = [self._backend.deliveries, self._backend.expiries, self._backend.archive_read_jobs]
        await self._rng.choice([*steps, self._backend.deliveries, self._backend.hint_jobs]).run_once()

    async def _look(self) -> None:
        """Not only in the end: at every instant everything told agrees."""
        await check_inbox(
            self._backend.pool,
            self._environment_id,
            self._person(),
            limit=self._rng.choice((7, 50)),
            categories=[self._rng.choice(CATEGORIES)],
        )

    async def _erase(self) -> None:
        person = self._person()
        erasure = Erasure(self._ledger.now())
        try:
            await self._backend.erase(person)
        except NotFound:
            return
        erasure.answered = self._ledger.now()
        self._ledger.erasures.setdefault(person, []).append(erasure)


async def come_to_rest(backend: Backend) -> None:
    """Everything that is due, or will be, is done."""
    waiting = await backend.pool.fetch("SELECT id FROM scheduled")
    await backend.pool.execute(MAKE_DUE, [row["id"] for row in waiting])
    for worker in (backend.deliveries, backend.archive_read_jobs, backend.expiries):
        while True:
            delay = await worker.run_once()
            if delay == math.inf:
                break
            await asyncio.sleep(delay)
