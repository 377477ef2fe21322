"""PostgreSQL, Redis and any number of Bellwire's processes that a test may stop, freeze and kill."""

import asyncio
import contextlib
import os
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final

import httpx
from stack.ports import LOOPBACK, free_port
from stack.servers import EmbeddedPostgres, EmbeddedRedis
from stack.supervisor import EmbeddedServer

from app.db.pool import Pool, create_pool
from tests.factories import Environment, make_environment
from tests.faults.load import Storm
from tests.harness import Process, eventually

LONG: Final = os.environ.get("BELLWIRE_TEST_LONG") == "1"

# A crash must lose nothing that was answered: the settings a production server has.
DURABLE: Final = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}


def rounds(short: int, long: int) -> int:
    """How often, or how much: the second in the long form (BELLWIRE_TEST_LONG=1)."""
    return long if LONG else short


class Machine:
    """One database with the environment `acme` on servers of our own.

    Each role keeps its address over every restart. Everything started here ends with the block of open().
    """

    def __init__(
        self, postgres: EmbeddedPostgres, redis: EmbeddedRedis, database_url: str, stop: AsyncExitStack
    ) -> None:
        self.postgres = postgres
        self.redis = redis
        self.database_url = database_url
        self.environment: Environment
        self.pool: Pool
        self._stop = stop
        self._addresses = {role: f"{LOOPBACK}:{free_port()}" for role in ("api", "gateway")}

    @classmethod
    @asynccontextmanager
    async def open(
        cls, postgres: EmbeddedPostgres, redis: EmbeddedRedis, database_url: str
    ) -> AsyncGenerator["Machine"]:
        async with AsyncExitStack() as stop:
            machine = cls(postgres, redis, database_url, stop)
            machine.pool = await stop.enter_async_context(create_pool(database_url, size=4, name="test"))
            machine.environment = await make_environment(machine.pool, "acme")
            yield machine

    @property
    def api_url(self) -> str:
        return f"http://{self._addresses['api']}"

    @property
    def socket_url(self) -> str:
        return f"ws://{self._addresses['gateway']}/v1/inbox/ws"

    @property
    def environ(self) -> dict[str, str]:
        return {
            "DATABASE_URL": self.database_url,
            "REDIS_URL": self.redis.url,
            "BELLWIRE_LISTEN": self._addresses["api"],
            "BELLWIRE_GATEWAY_LISTEN": self._addresses["gateway"],
            "BELLWIRE_DRAIN_S": "1",
            "BELLWIRE_API_KEY_RATE": "0",
            "BELLWIRE_SUBSCRIBER_RATE": "0",
        }

    async def start(self, role: str, settings: Mapping[str, str] | None = None) -> Process:
        """Returns once it is up. settings: further variables."""
        process = await Process.start(role, {**self.environ, **(settings or {})})
        self._stop.push_async_callback(_end, process)
        return process

    async def start_all(self, *roles: str) -> list[Process]:
        return list(await asyncio.gather(*(self.start(role) for role in roles)))

    async def storm(self, people: Sequence[str]) -> Storm:
        """Of creates; at rest until it is told to blow."""
        return await self._stop.enter_async_context(
            contextlib.aclosing(Storm(self.api_url, self.environment, people))
        )

    def client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(base_url=self.api_url, timeout=30, trust_env=False)

    async def outbox_is_empty(self, within_s: float = 15.0) -> None:
        """Waits until every hint owed was published."""

        async def left() -> int:
            return await self.pool.fetchval("SELECT count(*) FROM outbox WHERE job_type = 'hint'")

        await eventually(left, lambda jobs: jobs == 0, within_s=within_s)


async def _end(process: Process) -> None:
    """What it said is shown with a test that fails."""
    print(f"{process.role} {process.pid} {'was still up' if process.running else 'had ended'}")  # noqa: T201
    await process.killed()
    for line in [line for line in process.output if '"level":"info"' not in line][-20:]:
        print(f"  {line[:2000]}")  # noqa: T201


async def stop(server: EmbeddedServer) -> None:
    await asyncio.to_thread(server.stop)


async def start(server: EmbeddedServer) -> None:
    await asyncio.to_thread(server.start)


async def kill(server: EmbeddedServer) -> None:
    await asyncio.to_thread(server.kill)
