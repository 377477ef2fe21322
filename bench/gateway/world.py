"""A database with one environment and its subscribers, and the files the C programs read."""

import os
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final
from urllib.parse import urlencode, urlsplit, urlunsplit
from uuid import UUID, uuid4

import asyncpg
import msgspec

from app.contract import hints
from app.db import api_keys, environments, presence, subscribers
from app.db.migrate import migrate
from app.db.pool import Pool, create_pool
from app.security import keys, proofs

SLUG: Final = "bench"
FEW: Final = 100


class Crowd(msgspec.Struct, frozen=True):
    """targets: a file with a request target per subscriber. routes: one with its channel and routing key.

    few_routes: those of the first FEW.
    """

    environment_id: UUID
    targets: Path
    routes: Path
    few_routes: Path


class World(msgspec.Struct, frozen=True):
    """crowd: of the gateway. twins: the same again in an environment that only the relay knows.

    api_key: an API key of the crowd's environment.
    """

    database_url: str
    redis_url: str
    pool: Pool
    api_key: str
    crowd: Crowd
    twins: Crowd

    @property
    def environ(self) -> dict[str, str]:
        return {"DATABASE_URL": self.database_url, "REDIS_URL": self.redis_url}

    @property
    def redis(self) -> tuple[str, int]:
        parts = urlsplit(self.redis_url)
        return parts.hostname or "127.0.0.1", parts.port or 6379


@asynccontextmanager
async def create(directory: Path, size: int) -> AsyncGenerator[World]:
    """A database of its own on the server of BELLWIRE_TEST_DATABASE_URL, dropped at the end."""
    server, redis_url = os.environ["BELLWIRE_TEST_DATABASE_URL"], os.environ["BELLWIRE_TEST_REDIS_URL"]
    name = f"bellwire_bench_{os.getpid()}"
    admin = await asyncpg.connect(server)
    await admin.execute(f"CREATE DATABASE {name}")
    try:
        database_url = urlunsplit(urlsplit(server)._replace(path=f"/{name}"))
        await migrate(database_url)
        async with create_pool(database_url, size=4, name="bench") as pool:
            yield await _populate(directory, size, database_url, redis_url, pool)
    finally:
        await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
        await admin.close()


async def _populate(directory: Path, size: int, database_url: str, redis_url: str, pool: Pool) -> World:
    secret, api_key = keys.new_environment_secret(), keys.new_api_key()
    names = [f"subscriber-{number:05}" for number in range(size)]
    async with pool.acquire() as connection:
        environment_id = await environments.insert_environment(
            connection, slug=SLUG, name="Bench", require_subscriber_hash=True, secret=secret
        )
        assert environment_id is not None
        await subscribers.insert_subscribers(connection, environment_id, [(name, None) for name in names])
        await api_keys.insert_api_key(
            connection,
            environment_id,
            name="bench",
            key_hash=keys.key_hash(api_key),
            key_prefix=keys.display_prefix(api_key),
        )
        inbox_ids = await presence.select_inbox_ids(connection, environment_id, names)
    await pool.execute("ANALYZE")
    proofs_by_name = {name: proofs.subscriber_hash(secret, name) for name in names}
    return World(
        database_url,
        redis_url,
        pool,
        api_key,
        _write_crowd(directory / "crowd", environment_id, inbox_ids, proofs_by_name),
        _write_crowd(directory / "twins", uuid4(), inbox_ids, proofs_by_name),
    )


def _write_crowd(
    prefix: Path, environment_id: UUID, inbox_ids: Mapping[str, UUID], proofs_by_name: Mapping[str, str]
) -> Crowd:
    targets, routes = prefix.with_suffix(".targets"), prefix.with_suffix(".routes")
    few_routes = prefix.with_suffix(".few")
    with targets.open("w") as target_lines, routes.open("w") as route_lines:
        for name, proof in proofs_by_name.items():
            key = hints.routing_key(environment_id, inbox_ids[name])
            text = key.decode()
            query = {"environment": SLUG, "subscriber_id": name, "subscriber_hash": proof}
            # The key is for the relay; the gateway ignores parameters it does not know.
            target_lines.write(f"/v1/inbox/ws?{urlencode({**query, 'key': text})}\n")
            route_lines.write(f"{hints.channel(key)} {text}\n")
    few_routes.write_text("".join(routes.read_text().splitlines(keepends=True)[:FEW]))
    return Crowd(environment_id, targets, routes, few_routes)


def monotonic_us() -> float:
    return time.monotonic_ns() / 1000
