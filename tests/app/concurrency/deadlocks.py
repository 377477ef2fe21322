"""How often PostgreSQL had to break a deadlock, whether or not somebody tried again and hid it."""

from typing import Final

import asyncpg

from tests.harness import eventually

# A session reports what it met at the latest when it ends.
_OTHERS: Final = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND backend_type = 'client backend'
  AND pid <> pg_backend_pid() AND application_name <> 'bellwire test' -- which is the fixtures'
"""
_DEADLOCKS: Final = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"


async def count_deadlocks(database_url: str) -> int:
    """Of the test's database so far. Every backend has been closed by now."""
    connection = await asyncpg.connect(database_url)
    try:

        async def others() -> int:
            return await connection.fetchval(_OTHERS)

        await eventually(others, lambda count: count == 0)
        return await connection.fetchval(_DEADLOCKS)
    finally:
        await connection.close()
