"""Migrations: numbered SQL files applied once each, then the functions, re-applied when they change.

Racing replicas queue on an advisory lock. A file that was applied and has changed since stops the boot:
migrations go forward only.
"""

import hashlib
from pathlib import Path
from typing import Final

import asyncpg
import msgspec

from app.db.pool import Connection

DIRECTORY: Final = Path(__file__).parent.parent.parent / "migrations"
_LOCK: Final = 0x62656C6C77697265  # "bellwire"
_FUNCTIONS: Final = "functions"
PARTITIONS_AHEAD: Final = 3

_CREATE_LEDGER: Final = """
CREATE TABLE IF NOT EXISTS schema_migrations (
    name       text PRIMARY KEY,
    checksum   text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT clock_timestamp()
)
"""


class MigrationError(Exception):
    """The database cannot be brought to, or is not at, this release's schema; one line says why."""


class Plan(msgspec.Struct, frozen=True):
    """What is still to do: names of migration files, and whether the functions differ."""

    pending: list[str]
    functions_changed: bool

    @property
    def is_done(self) -> bool:
        return not self.pending and not self.functions_changed


async def migrate(database_url: str) -> Plan:
    """Applies what is pending; returns what that was. Each file is one transaction.

    Raises MigrationError.
    """
    connection = await asyncpg.connect(database_url)
    try:
        await connection.execute("SELECT pg_advisory_lock($1)", _LOCK)
        await connection.execute(_CREATE_LEDGER)
        plan = await _plan(connection)
        for name in plan.pending:
            await _apply(connection, name, (DIRECTORY / name).read_text(), replace=False)
        if plan.functions_changed:
            await _apply(connection, _FUNCTIONS, _functions_sql(), replace=True)
        await connection.execute("SELECT ensure_partitions($1)", PARTITIONS_AHEAD)
        return plan
    finally:
        await connection.close()


async def check(connection: Connection) -> Plan:
    """What `migrate` would do, without doing it. Raises MigrationError."""
    if await connection.fetchval("SELECT to_regclass('schema_migrations')") is None:
        return Plan(pending=[path.name for path in _files()], functions_changed=True)
    return await _plan(connection)


async def _plan(connection: Connection) -> Plan:
    applied = {
        row["name"]: row["checksum"]
        for row in await connection.fetch("SELECT name, checksum FROM schema_migrations")
    }
    pending: list[str] = []
    for path in _files():
        checksum = applied.get(path.name)
        if checksum is None:
            pending.append(path.name)
        elif checksum != _checksum(path.read_text()):
            raise MigrationError(
                f"this database was made by another build: {path.name} has changed since it was applied;"
                " in development, bin/dev --fresh starts over (and loses the data)"
            )
    return Plan(pending=pending, functions_changed=applied.get(_FUNCTIONS) != _checksum(_functions_sql()))


async def _apply(connection: Connection, name: str, sql: str, *, replace: bool) -> None:
    try:
        async with connection.transaction():
            await connection.execute(sql)
            await connection.execute(
                "INSERT INTO schema_migrations (name, checksum) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE"
                " SET checksum = excluded.checksum, applied_at = clock_timestamp()"
                if replace
                else "INSERT INTO schema_migrations (name, checksum) VALUES ($1, $2)",
                name,
                _checksum(sql),
            )
    except asyncpg.PostgresError as error:
        raise MigrationError(f"{name} failed: {error}") from error


def _files() -> list[Path]:
    return sorted(DIRECTORY.glob("[0-9][0-9][0-9][0-9]_*.sql"))


def _functions_sql() -> str:
    return "\n".join(path.read_text() for path in sorted((DIRECTORY / _FUNCTIONS).glob("*.sql")))


def _checksum(sql: str) -> str:
    return hashlib.sha256(sql.encode()).hexdigest()
