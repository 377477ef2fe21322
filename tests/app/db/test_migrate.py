"""Migrations: racing replicas apply each once, what was applied is not edited, functions follow."""

import asyncio
from pathlib import Path

import asyncpg
import pytest

from app.db import migrate


@pytest.fixture
async def empty_url(database_url: str) -> str:
    connection = await asyncpg.connect(database_url)
    await connection.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    await connection.close()
    return database_url


async def test_racing_replicas_apply_each_migration_once(empty_url: str) -> None:
    plans = await asyncio.gather(*(migrate.migrate(empty_url) for _ in range(6)))
    files = len(list(migrate.DIRECTORY.glob("*.sql")))
    assert sorted(len(plan.pending) for plan in plans) == [0, 0, 0, 0, 0, files]
    connection = await asyncpg.connect(empty_url)
    assert (await migrate.check(connection)).is_done
    await connection.close()


async def test_an_edited_migration_stops_the_boot(database_url: str) -> None:
    connection = await asyncpg.connect(database_url)
    await connection.execute("UPDATE schema_migrations SET checksum = 'other' WHERE name LIKE '0001%'")
    await connection.close()
    with pytest.raises(migrate.MigrationError, match=r"another build: 0001_initial\.sql.*bin/dev --fresh"):
        await migrate.migrate(database_url)


async def test_functions_are_applied_again_when_they_changed(database_url: str) -> None:
    connection = await asyncpg.connect(database_url)
    await connection.execute("UPDATE schema_migrations SET checksum = 'older' WHERE name = 'functions'")
    await connection.execute(
        "CREATE OR REPLACE FUNCTION next_us(last_us bigint, now_us bigint) RETURNS bigint"
        " LANGUAGE sql IMMUTABLE AS 'SELECT 1::bigint'"
    )
    plan = await migrate.migrate(database_url)
    assert plan == migrate.Plan(pending=[], functions_changed=True)
    assert await connection.fetchval("SELECT next_us(5, 5)") == 6
    assert (await migrate.migrate(database_url)).is_done
    await connection.close()


async def test_a_failing_migration_changes_nothing(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for path in migrate.DIRECTORY.rglob("*.sql"):
        copy = tmp_path / path.relative_to(migrate.DIRECTORY)
        copy.parent.mkdir(exist_ok=True)
        copy.write_text(path.read_text())
    (tmp_path / "0002_broken.sql").write_text("CREATE TABLE half (id int); SELECT nonsense")
    monkeypatch.setattr(migrate, "DIRECTORY", tmp_path)
    with pytest.raises(migrate.MigrationError, match=r"0002_broken\.sql failed"):
        await migrate.migrate(database_url)
    connection = await asyncpg.connect(database_url)
    assert await connection.fetchval("SELECT to_regclass('half')") is None
    await connection.close()
