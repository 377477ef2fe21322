"""Readers of every kind of page, who remember what each ETag and each version stood for."""

import random
from collections import defaultdict
from typing import Final
from uuid import UUID

from app.contract.resources import Counts
from app.db import inbox
from app.db.inbox import CategoryCounts, Row, View
from tests.app.concurrency.audit import VIEWS, select_page, select_view, snapshot
from tests.app.concurrency.backend import Backend
from tests.app.concurrency.callers import PEOPLE

FILTERS: Final[tuple[tuple[str, ...] | None, ...]] = (
    None,
    None,
    ("news",),
    ("news.*",),
    ("chat", "alerts"),
    ("alerts", "chat"),
)
LIMITS: Final = (2, 3, 20)

# What makes a page the page it is: person, view, categories, the row before it, limit.
Which = tuple[str, View, tuple[str, ...] | None, UUID | None, int]
State = tuple[CategoryCounts, dict[View, list[Row]]]


class Memory:
    """Shared by all readers of a test. Asserts at once that nothing contradicts what was told before."""

    def __init__(self) -> None:
        self.pages: dict[str, tuple[Which, list[Row]]] = {}
        self.tags: defaultdict[Which, list[str]] = defaultdict(list)
        self.states: dict[tuple[str, int], State] = {}
        self.newest: defaultdict[str, int] = defaultdict(int)  # highest version told so far

    def remember_page(self, which: Which, etag: str, rows: list[Row]) -> None:
        """An equal ETag is an equal page, of the same person with the same parameters."""
        assert self.pages.setdefault(etag, (which, rows)) == (which, rows)
        if etag not in self.tags[which]:
            self.tags[which].append(etag)

    def remember_state(self, person: str, not_before: int, state: State) -> None:
        """An equal version is an equal state; a later reader is not told an earlier version."""
        version = state[0].counts.version
        assert version >= not_before
        self.newest[person] = max(self.newest[person], version)
        assert self.states.setdefault((person, version), state) == state

    def check_reply(self, person: str, reply: Counts) -> None:
        """What an "all" answered is no other state than the one of that version, where somebody saw it."""
        state = self.states.get((person, reply.version))
        if state is not None:
            assert (state[0].counts.unread, state[0].counts.unseen) == (reply.unread, reply.unseen)


class Reader:
    def __init__(self, backend: Backend, memory: Memory, rng: random.Random) -> None:
        self._backend = backend
        self._environment_id = backend.environment.id
        self._memory = memory
        self._rng = rng

    async def run(self, rounds: int) -> None:
        for _ in range(rounds):
            await self._read_pages(self._rng.choice(PEOPLE))
            await self._read_state(self._rng.choice(PEOPLE))

    async def _read_pages(self, person: str) -> None:
        """Two pages of one view, each again and again, as somebody does who polls."""
        view, limit = self._rng.choice(VIEWS), self._rng.choice(LIMITS)
        categories, after = self._rng.choice(FILTERS), None
        for _ in range(2):
            rows: list[Row] = []
            for _ in range(4):
                rows = await self._read_page(person, view, categories, after, limit)
            if len(rows) < limit:
                return
            after = rows[-1]

    async def _read_page(
        self, person: str, view: View, categories: tuple[str, ...] | None, after: Row | None, limit: int
    ) -> list[Row]:
        """A page, and the answer to who knows earlier ones: not_modified exactly if it is among them."""
        which = (person, view, categories, None if after is None else after.position, limit)
        earlier = self._memory.tags[which]
        known = self._rng.sample(earlier, min(len(earlier), 3))
        async with snapshot(self._backend.pool) as connection:
            page, conditional = [
                await select_page(
                    connection,
                    self._environment_id,
                    person,
                    view=view,
                    categories=categories,
                    after=after,
                    limit=limit,
                    known_etags=etags,
                )
                for etags in ([], known)
            ]
        if page is None or conditional is None:
            assert page is conditional is None, "erased, and not back yet"
            return []
        self._memory.remember_page(which, page.etag, page.rows)
        assert conditional.etag == page.etag
        assert conditional.not_modified == (page.etag in known)
        if not conditional.not_modified:
            assert conditional.rows == page.rows
        return page.rows

    async def _read_state(self, person: str) -> None:
        not_before = self._memory.newest[person]
        async with snapshot(self._backend.pool) as connection:
            counts = await inbox.select_counts_by_category(connection, self._environment_id, person)
            if counts is None:
                return
            views: dict[View, list[Row]] = {
                view: await select_view(connection, self._environment_id, person, view, limit=100)
                for view in VIEWS
            }
        self._memory.remember_state(person, not_before, (counts, views))
