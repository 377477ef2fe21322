"""Servers of the bench's own: PostgreSQL that waits for its disk, Valkey, and processes of Bellwire."""

import asyncio
import os
import sys
from collections.abc import AsyncGenerator, Sequence
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit, urlunsplit
from uuid import UUID

import asyncpg
import msgspec
from stack.scratch import Scratch
from stack.servers import EmbeddedPostgres, EmbeddedRedis

from app.db import api_keys
from app.db.migrate import migrate
from app.db.pool import Connection, Pool, create_pool
from app.security import keys, proofs
from bench import growth_world

ROOT: Final = Path(__file__).parents[2]
DURABLE: Final = {
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "shared_buffers": "512MB",
    "max_wal_size": "4GB",
}
SLUG: Final = "bench"
CONSTANT: Final = ("bench.load.constant",)
STOCK: Final = ("bench.load.stock",)


class Stage(msgspec.Struct, frozen=True):
    """A migrated database with one environment and an API key. directory: for files of the run."""

    directory: Path
    database_url: str
    redis_url: str
    pool: Pool
    environment_id: UUID
    api_key: str

    def proof(self, subscriber_id: str) -> dict[str, str]:
        """The headers of a person's requests."""
        return {
            "X-Bellwire-Environment": SLUG,
            "X-Bellwire-Subscriber": subscriber_id,
            "X-Bellwire-Subscriber-Hash": proofs.subscriber_hash(f"bws_{SLUG}", subscriber_id),
        }

    @property
    def bearer(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.api_key}", "Content-Type": "application/json"}


@asynccontextmanager
async def open_stage() -> AsyncGenerator[Stage]:
    """Everything ends with the block, and its files are removed."""
    with ExitStack() as cleanup:
        directory = cleanup.enter_context(Scratch("bench")).path
        postgres = cleanup.enter_context(EmbeddedPostgres(directory / "postgres", settings=DURABLE))
        redis = cleanup.enter_context(EmbeddedRedis(directory / "redis"))
        server = await asyncpg.connect(postgres.url)
        version = await server.fetchval("SHOW server_version")
        await server.execute("CREATE DATABASE bench")
        await server.close()
        database_url = urlunsplit(urlsplit(postgres.url)._replace(path="/bench"))
        await migrate(database_url)
        print(f"PostgreSQL {version}, {', '.join(f'{name}={value}' for name, value in DURABLE.items())}")
        async with create_pool(database_url, size=4, name="bench") as pool:
            async with pool.acquire() as connection:
                environment_id = await growth_world.create_environment(connection, SLUG)
                api_key = await create_key(connection, environment_id)
            yield Stage(directory, database_url, redis.url, pool, environment_id, api_key)


async def create_key(connection: Connection, environment_id: UUID) -> str:
    key = keys.new_api_key()
    await api_keys.insert_api_key(
        connection,
        environment_id,
        name="bench",
        key_hash=keys.key_hash(key),
        key_prefix=keys.display_prefix(key),
    )
    return key


async def settle(pool: Pool) -> None:
    """What the seeding left for later is done now, not while the clock runs."""
    await pool.execute("VACUUM ANALYZE", timeout=300)
    await pool.execute("CHECKPOINT", timeout=300)


class Server(msgspec.Struct, frozen=True):
    """A process that answers HTTP."""

    url: str
    pid: int

    @property
    def cpu_s(self) -> float:
        """Processor time so far; that of the main thread, which does everything."""
        return int(Path(f"/proc/{self.pid}/schedstat").read_text().split()[0]) / 1e9


@asynccontextmanager
async def serve(stage: Stage, module: Sequence[str] = ("app.cli", "api")) -> AsyncGenerator[Server]:
    """One API process, without rate limits: the product's, or that of another module."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        *module,
        cwd=ROOT,
        env={
            **os.environ,
            "DATABASE_URL": stage.database_url,
            "REDIS_URL": stage.redis_url,
            "BELLWIRE_LISTEN": "127.0.0.1:0",
            "BELLWIRE_API_KEY_RATE": "0",
            "BELLWIRE_SUBSCRIBER_RATE": "0",
            "BELLWIRE_LOG_FORMAT": "json",
            "BELLWIRE_SHUTDOWN_GRACE_S": "0",
        },
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stderr is not None
    forwarding = None
    try:
        async with asyncio.timeout(30):
            address = await _address(process.stderr)
        forwarding = asyncio.create_task(_forward(process.stderr))
        yield Server(f"http://{address}", process.pid)
    finally:
        process.terminate()
        await process.wait()
        if forwarding is not None:
            await forwarding


async def _address(lines: asyncio.StreamReader) -> str:
    """Of a process that says that it is up."""
    async for line in lines:
        try:
            entry = msgspec.json.decode(line, type=dict[str, object])
        except msgspec.DecodeError:
            entry = {}
        if entry.get("event") == "up":
            return str(entry["address"])
        sys.stderr.buffer.write(line)
    raise RuntimeError("an API process ended before it was up")


async def _forward(lines: asyncio.StreamReader) -> None:
    async for line in lines:
        sys.stderr.buffer.write(line)
