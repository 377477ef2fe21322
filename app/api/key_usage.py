"""When an API key was last used: written off the request's path, at most once a minute per key."""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Final
from uuid import UUID

import structlog

from app.db import api_keys
from app.db.api_keys import ApiKey
from app.db.pool import Pool, acquire

log = structlog.stdlib.get_logger()

EVERY_S: Final = 60.0


class KeyUsage:
    """Only keys that exist are noted, so there are never more entries than keys."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._noted: dict[UUID, float] = {}
        self._waiting: list[ApiKey] = []
        self._to_write = asyncio.Event()

    @classmethod
    @asynccontextmanager
    async def open(cls, pool: Pool) -> AsyncGenerator["KeyUsage"]:
        """Runs until the block ends; what is not written by then is lost, and no harm done."""
        usage = cls(pool)
        async with asyncio.TaskGroup() as tasks:
            writer = tasks.create_task(usage._write())
            try:
                yield usage
            finally:
                writer.cancel()

    def note(self, key: ApiKey) -> None:
        """Never waits."""
        now = time.monotonic()
        if now - self._noted.get(key.id, -EVERY_S) >= EVERY_S:
            self._noted[key.id] = now
            self._waiting.append(key)
            self._to_write.set()

    async def _write(self) -> None:
        while True:
            await self._to_write.wait()
            self._to_write.clear()
            keys, self._waiting = self._waiting, []
            try:
                async with acquire(self._pool) as connection:
                    for key in keys:
                        await api_keys.update_last_used(connection, key.environment_id, key.id)
            except Exception as error:  # noqa: BLE001 - requests go on without
                log.warning("when a key was last used is not noted", error=type(error).__name__)
