"""Stops the real code where a test wants it, and lets it go on: no sleeping, no retyped SQL.

A gate is a trigger in the test's own database. Sessions of a backend named `paused` wait at it, on an
advisory lock that the test holds while the gate is shut; all others pass.
"""

import asyncio
import itertools
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Final, Literal, TypeVar

import asyncpg

from tests.harness import eventually

T = TypeVar("T")

PAUSED: Final = "paused"
_LOCK: Final = 4711

Operation = Literal["INSERT", "UPDATE", "DELETE"]

_CREATE_GATE: Final = f"""
CREATE FUNCTION stop_at_gate() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('application_name') = 'bellwire {PAUSED}' THEN
        PERFORM pg_advisory_lock_shared({_LOCK});
        PERFORM pg_advisory_unlock_shared({_LOCK});
    END IF;
    IF TG_OP = 'DELETE' THEN
        RETURN OLD;
    END IF;
    RETURN NEW;
END
$$
"""

_AT_GATE: Final = """
SELECT count(*) FROM pg_locks
WHERE locktype = 'advisory' AND objid = $1 AND NOT granted
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""

_BLOCKED: Final = """
SELECT count(*) FROM pg_stat_activity a
WHERE a.datname = current_database() AND a.application_name = $1
  AND cardinality(pg_blocking_pids(a.pid)) > 0
"""


class Gates:
    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection = connection
        self._numbers = itertools.count(1)

    @classmethod
    @asynccontextmanager
    async def open(cls, database_url: str) -> AsyncGenerator["Gates"]:
        connection = await asyncpg.connect(database_url)
        try:
            await connection.execute(_CREATE_GATE)
            yield cls(connection)
        finally:
            await connection.close()

    async def put(self, operation: Operation, table: str) -> None:
        """A gate in front of each row of this operation, open."""
        await self._connection.execute(
            f"CREATE TRIGGER gate_{next(self._numbers)} BEFORE {operation} ON {table}"
            " FOR EACH ROW EXECUTE FUNCTION stop_at_gate()"
        )

    @asynccontextmanager
    async def all_shut(self) -> AsyncGenerator[None]:
        """Until the block ends."""
        await self._connection.execute(f"SELECT pg_advisory_lock({_LOCK})")
        try:
            yield
        finally:
            await self._connection.execute(f"SELECT pg_advisory_unlock({_LOCK})")

    @asynccontextmanager
    async def shut(self, operation: Operation, table: str) -> AsyncGenerator[None]:
        """A new gate, shut until the block ends."""
        await self.put(operation, table)
        async with self.all_shut():
            yield

    async def arrived(self, sessions: int = 1) -> None:
        """Returns once so many sessions stand at the gate."""

        async def waiting() -> int:
            return await self._connection.fetchval(_AT_GATE, _LOCK) or 0

        await eventually(waiting, lambda count: count == sessions)

    async def blocked(self, name: str, sessions: int = 1) -> None:
        """Returns once so many sessions of the backend `name` wait for a lock that somebody else holds."""

        async def waiting() -> int:
            return await self._connection.fetchval(_BLOCKED, f"bellwire {name}") or 0

        await eventually(waiting, lambda count: count == sessions)

    async def done_or_blocked(self, task: asyncio.Task[T], name: str) -> None:
        """Returns once the task has ended, or waits for a lock as a session of the backend `name`."""

        async def waiting() -> bool:
            return task.done() or bool(await self._connection.fetchval(_BLOCKED, f"bellwire {name}"))

        await eventually(waiting)


_GIVE_CLOCK: Final = """
CREATE TABLE given_clock (us bigint NOT NULL);
INSERT INTO given_clock SELECT clock_us();
CREATE OR REPLACE FUNCTION clock_us() RETURNS bigint LANGUAGE sql VOLATILE AS 'SELECT us FROM given_clock';
"""


class Clock:
    """The database's clock, in the test's hands: it stands still until it is set."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection = connection

    @classmethod
    @asynccontextmanager
    async def take(cls, database_url: str) -> AsyncGenerator["Clock"]:
        connection = await asyncpg.connect(database_url)
        try:
            await connection.execute(_GIVE_CLOCK)
            yield cls(connection)
        finally:
            await connection.close()

    async def move(self, us: int) -> None:
        """Forward, or with a negative number back."""
        await self._connection.execute("UPDATE given_clock SET us = us + $1", us)
