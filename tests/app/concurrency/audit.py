"""Holds what callers are told against the truth, at one instant: a snapshot serves both."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from typing import Final
from uuid import UUID

import msgspec

from app.contract import ids, timestamps
from app.db import inbox
from app.db.inbox import Page, Row, View
from app.db.pool import Connection, Pool
from tests.app.concurrency.truth import Line, Truth, select_truth

VIEWS: Final[tuple[View, ...]] = ("default", "unread", "archived")


@asynccontextmanager
async def snapshot(pool: Pool) -> AsyncGenerator[Connection]:
    """A connection whose statements all see the database as of one instant."""
    async with (
        pool.acquire() as connection,
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        await connection.execute("SELECT")  # takes the snapshot
        yield connection


async def select_page(
    connection: Connection,
    environment_id: UUID,
    person: str,
    *,
    view: View = "default",
    categories: Sequence[str] | None = None,
    after: Row | None = None,
    limit: int = 20,
    known_etags: Sequence[str] = (),
) -> Page | None:
    """The statement behind a page, with the parameters that its ETag depends on."""
    before = None if after is None else (timestamps.position_us(after.position), after.source)
    request = inbox.PageRequest(
        environment_id,
        person,
        view=view,
        categories=None if categories is None else tuple(categories),
        before=before,
        limit=limit,
        parameters=msgspec.json.encode((view, categories, before, limit)).decode(),
        known_etags=tuple(known_etags),
    )
    [page] = await inbox.select_pages(connection, [request])
    return page


async def select_view(
    connection: Connection,
    environment_id: UUID,
    person: str,
    view: View,
    *,
    categories: Sequence[str] | None = None,
    limit: int,
) -> list[Row]:
    """Every row of a view, page by page."""
    rows: list[Row] = []
    last = None
    while True:
        page = await select_page(
            connection, environment_id, person, view=view, categories=categories, after=last, limit=limit
        )
        assert page is not None
        rows += page.rows
        if len(page.rows) < limit:
            return rows
        last = page.rows[-1]


async def check_inbox(
    pool: Pool, environment_id: UUID, person: str, *, limit: int, categories: Sequence[str]
) -> Truth | None:
    """Counts, counts by category and every view, fully paged, are the truth of the same instant.

    categories: exact ones, paged on their own as well. None for an unknown person.
    """
    async with snapshot(pool) as connection:
        truth = await select_truth(connection, environment_id, person)
        counts = await inbox.select_counts_by_category(connection, environment_id, person)
        if truth is None or counts is None:
            assert truth is None
            assert counts is None
            return None
        truth.check_kept()
        told = {
            category: (unread, unseen)
            for category, unread, unseen in zip(counts.categories, counts.unread, counts.unseen, strict=True)
        }
        assert told == truth.by_category(), person
        assert (counts.counts.unread, counts.counts.unseen) == (truth.unread, truth.unseen), person
        [plain] = await inbox.select_counts(connection, environment_id, [truth.inbox_id])
        assert plain == counts.counts
        for view in VIEWS:
            rows = await select_view(connection, environment_id, person, view, limit=limit)
            assert [told_of(row) for row in rows] == [told_by(line) for line in truth.view(view)], view
        for category in categories:
            rows = await select_view(
                connection, environment_id, person, "default", categories=[category], limit=limit
            )
            assert [told_of(row) for row in rows] == [
                told_by(line) for line in truth.view("default") if line.category == category
            ], category
        return truth


Told = tuple[str, str, int, bool, bool]


def told_of(row: Row) -> Told:
    us = timestamps.position_us(row.position)
    return (ids.encode_item(row.source, row.id), row.category, us, row.read, row.archived)


def told_by(line: Line) -> Told:
    return (line.id, line.category, line.us, line.read, line.archived)
