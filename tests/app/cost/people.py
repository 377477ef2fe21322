"""Who is in the seeded database, and what a call for them costs."""

import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any, Final, TypeAlias
from uuid import UUID

import asyncpg
import msgspec

from app.db.pool import Connection, fetch_one

MOST: Final = 1.5  # times more that a call may touch when what it does not ask for is a hundred times more


class Person(msgspec.Struct, frozen=True):
    """oldest: the ids of the ten oldest items, oldest first. middle: of one half-way. newest: of the last."""

    environment_id: UUID
    subscriber_id: str
    inbox_id: UUID
    oldest: list[UUID]
    middle: UUID
    middle_us: int
    newest: UUID
    broadcast: UUID


SELECT_PERSON: Final = """
SELECT s.environment_id, s.id,
       ARRAY(SELECT n.id FROM notifications_by_state n
             WHERE n.environment_id = s.environment_id AND n.inbox_id = s.id
               AND n.override_state IN (0, 4)
             ORDER BY n.position LIMIT 10),
       (SELECT n.id FROM notifications n WHERE n.environment_id = s.environment_id AND n.inbox_id = s.id
        ORDER BY n.position OFFSET (SELECT count(*) / 2 FROM notifications c
                                    WHERE c.environment_id = s.environment_id AND c.inbox_id = s.id) LIMIT 1),
       (SELECT n.id FROM notifications n WHERE n.environment_id = s.environment_id AND n.inbox_id = s.id
        ORDER BY n.position DESC LIMIT 1),
       (SELECT b.id FROM broadcasts b WHERE b.environment_id = s.environment_id
        ORDER BY b.position LIMIT 1)
FROM subscribers s JOIN environments e ON e.id = s.environment_id
WHERE e.slug = $1 AND s.subscriber_id = $2
"""


async def find_person(connection: Connection, slug: str, subscriber_id: str) -> Person:
    environment_id, inbox_id, oldest, middle, newest, broadcast = await fetch_one(
        connection, SELECT_PERSON, slug, subscriber_id
    )
    middle_us: int = (await fetch_one(connection, "SELECT position_us($1)", middle))[0]
    return Person(environment_id, subscriber_id, inbox_id, oldest, middle, middle_us, newest, broadcast)


class Cost(msgspec.Struct, frozen=True):
    """buffers: pages touched, cached or not. scanned: tables that were read from end to end."""

    buffers: int
    scanned: set[str]


# What auto_explain says of a statement comes to the client as a notice: of the plan that was kept, where
# EXPLAIN would make a new one.
SHOW_PLANS: Final = """
LOAD 'auto_explain';
SET LOCAL auto_explain.log_min_duration = 0;
SET LOCAL auto_explain.log_analyze = on;
SET LOCAL auto_explain.log_buffers = on;
SET LOCAL auto_explain.log_timing = off;
SET LOCAL auto_explain.log_format = json;
SET LOCAL auto_explain.log_level = notice;
"""
SHOW_NESTED: Final = "SET LOCAL auto_explain.log_nested_statements = on"
Plan: TypeAlias = dict[str, Any]


def _passed_over(plan: Plan) -> int:
    kinds = ("Rows Removed by Filter", "Rows Removed by Join Filter", "Rows Removed by Index Recheck")
    here = plan["Actual Loops"] * sum(plan.get(kind, 0) for kind in kinds)
    return here + sum(map(_passed_over, plan.get("Plans", [])))


# These do not grow with use.
SMALL_TABLES: Final = {"environments", "schema_migrations"}


class History:
    """Measures calls; each is undone, so that the next finds the same."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    async def cost(self, statement: str, *arguments: object) -> Cost:
        """Of a call whose plans are made. The lesser of a few: what the server does meanwhile is no cost."""
        async with self.undone():
            await self.connection.fetch(statement, *arguments)
        scanned = await self._scans()
        found = [await self._buffers(statement, *arguments) for _ in range(3)]
        new = {table for table, scans in (await self._scans()).items() if scans > scanned.get(table, 0)}
        return Cost(min(found), new - SMALL_TABLES)

    @asynccontextmanager
    async def undone(self) -> AsyncGenerator[None]:
        transaction = self.connection.transaction()
        await transaction.start()
        try:
            yield
        finally:
            await transaction.rollback()

    async def passed_over(self, statement: str, *arguments: object) -> int:
        """Rows that a call looks at in vain: rejected by a filter or by a join, in its functions too."""
        return sum(map(_passed_over, await self._plans(statement, *arguments, nested=True)))

    async def _buffers(self, statement: str, *arguments: object) -> int:
        plans = await self._plans(statement, *arguments, nested=False)
        return sum(plan["Shared Hit Blocks"] + plan["Shared Read Blocks"] for plan in plans)

    async def _plans(self, statement: str, *arguments: object, nested: bool) -> list[Plan]:
        """As they ran: of the statement, of what picked its partitions, and where nested of its functions."""
        plans: list[Plan] = []

        def note(_: object, log: asyncpg.PostgresLogMessage) -> None:
            head, _, plan = str(getattr(log, "message", "")).partition("plan:\n")
            if head.startswith("duration:"):
                plans.append(json.loads(plan)["Plan"])

        await self.connection.prepare(statement)  # the driver asks for the types that it meets first
        self.connection.add_log_listener(note)
        async with self.undone():
            await self.connection.execute(SHOW_PLANS)
            if nested:
                await self.connection.execute(SHOW_NESTED)
            await self.connection.fetch(statement, *arguments)
        self.connection.remove_log_listener(note)
        assert plans
        return plans

    async def _scans(self) -> dict[str, int]:
        return dict(await self.connection.fetch("SELECT relname, seq_scan FROM pg_stat_xact_user_tables"))
