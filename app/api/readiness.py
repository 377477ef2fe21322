"""Whether this process should be sent requests. Redis is never asked: the API works without it."""

import asyncio
from typing import Final

import asyncpg

from app.contract.errors import Unavailable
from app.db import migrate
from app.db.migrate import MigrationError
from app.db.pool import MIGRATIONS_PENDING, Pool, acquire, check_writable

TIMEOUT_S: Final = 2.0


class Readiness:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._is_migrated = False  # once true it stays true: migrations only go forward
        self._is_draining = False

    def drain(self) -> None:
        """From now on this process is not ready."""
        self._is_draining = True

    async def check(self) -> None:
        """Raises Unavailable, saying why."""
        if self._is_draining:
            raise Unavailable("shutting down")
        try:
            async with asyncio.timeout(TIMEOUT_S), acquire(self._pool) as connection:
                if not self._is_migrated:
                    self._is_migrated = (await migrate.check(connection)).is_done
                await check_writable(connection)
        except (asyncpg.PostgresError, TimeoutError) as error:
            raise Unavailable("the database does not answer") from error
        except MigrationError as error:
            raise Unavailable(str(error)) from None
        if not self._is_migrated:
            raise Unavailable(MIGRATIONS_PENDING)
