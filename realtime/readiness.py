"""Whether this process should get traffic. Redis is never asked: without it clients are only served later."""

import time
from typing import Final

from app.contract.errors import Unavailable
from app.db import migrate
from app.db.pool import MIGRATIONS_PENDING, Pool, acquire, check_writable

_KEPT_S: Final = 0.5


class Readiness:
    """PostgreSQL answers, takes writes, and its schema is this release's."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._kept: tuple[float, str | None] = (0.0, None)

    async def unready(self) -> str | None:
        """Why not ready, None where ready. The database is asked at most twice a second."""
        until, reason = self._kept
        if time.monotonic() >= until:
            reason = await self._ask()
            self._kept = (time.monotonic() + _KEPT_S, reason)
        return reason

    async def _ask(self) -> str | None:
        try:
            async with acquire(self._pool) as connection:
                await check_writable(connection)
                plan = await migrate.check(connection)
        except Unavailable as error:
            return error.message
        except migrate.MigrationError as error:
            return str(error)
        return None if plan.is_done else MIGRATIONS_PENDING
