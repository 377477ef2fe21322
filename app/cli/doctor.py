"""doctor: walks the way of a notification, hop by hop, and names the one that fails and what to change."""

import asyncio
import math
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Final
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import click
import httpx
import msgspec
import websockets
from redis.asyncio import Redis

from app import redis
from app.cli import console, options
from app.db import delivery, figures, migrate, outbox
from app.db.migrate import MigrationError
from app.db.pool import Connection, check_writable
from app.settings import Address, Settings

TIMEOUT_S: Final = 5.0
OLDEST_POSTGRESQL: Final = 15
OLDEST_REDIS: Final = 7
OVERDUE_S: Final = 10.0  # a worker takes what is due within a second, and a lease ends after two
CHANNEL: Final = "bellwire:doctor"


class Trouble(Exception):
    """What is wrong at a hop, and what to change."""

    def __init__(self, wrong: str, cure: str) -> None:
        super().__init__(wrong)
        self.wrong = wrong
        self.cure = cure


class Notice(Exception):
    """What somebody should look at, and how. The hop works."""

    def __init__(self, says: str, advice: str) -> None:
        super().__init__(says)
        self.says = says
        self.advice = advice


class Unknown(Exception):
    """A hop that cannot be looked at while an earlier one fails."""


class Rounds:
    """Looks at one hop after the other; the connections of earlier ones serve the later."""

    def __init__(self, settings: Settings, api_url: str, gateway_url: str) -> None:
        self._settings = settings
        self._api_url = api_url
        self._gateway_url = gateway_url
        self._connection: Connection | None = None
        self._client: Redis | None = None

    async def run(self) -> bool:
        """Whether every hop is well; prints a line each."""
        hops: list[tuple[str, Callable[[], Awaitable[str]]]] = [
            ("PostgreSQL", self._postgresql),
            ("migrations", self._migrations),
            ("Redis", self._redis),
            ("pub/sub", self._pubsub),
            ("API", self._api),
            ("gateway", self._gateway),
            ("websocket", self._websocket),
            ("worker", self._worker),
            ("dead letters", self._dead_letters),
        ]
        try:
            # In order, and all of them: what works past the failing hop is part of the answer.
            return all([await self._look(name, hop) for name, hop in hops])
        finally:
            if self._connection is not None:
                await self._connection.close()
            if self._client is not None:
                await self._client.aclose()

    async def _look(self, name: str, hop: Callable[[], Awaitable[str]]) -> bool:
        try:
            async with asyncio.timeout(TIMEOUT_S):
                _print("ok", name, await hop())
        except Unknown as error:
            _print("-", name, str(error))
        except Notice as error:
            _print("warn", name, error.says, error.advice)
        except Trouble as error:
            _print("FAIL", name, error.wrong, error.cure)
            return False
        except TimeoutError:
            _print(
                "FAIL",
                name,
                f"no answer within {TIMEOUT_S:.0f} s",
                "It is there, but busy or frozen: look at its logs and its load.",
            )
            return False
        return True

    async def _postgresql(self) -> str:
        url = self._settings.database_url
        try:
            with console.asking_database(url):
                connection = await asyncpg.connect(url)
        except click.ClickException as error:
            raise Trouble(
                error.message, "Start PostgreSQL, or correct DATABASE_URL; a firewall shows as no answer."
            ) from None
        version = connection.get_server_version()
        if version.major < OLDEST_POSTGRESQL:
            await connection.close()
            raise Trouble(f"version {version.major}", f"Bellwire needs {OLDEST_POSTGRESQL} or later.")
        self._connection = connection
        try:
            await check_writable(connection)
        except asyncpg.ReadOnlySQLTransactionError:
            raise Trouble(
                "it takes no writes", "DATABASE_URL leads to a replica: point it to the primary."
            ) from None
        begun = time.perf_counter()
        await connection.execute("SELECT 1")
        return f"{connection.get_settings().server_version}, a round trip takes {_ms(begun)}"

    async def _migrations(self) -> str:
        try:
            plan = await migrate.check(self._database())
        except MigrationError as error:
            raise Trouble(str(error), "Run the release that this database belongs to.") from None
        if not plan.is_done:
            pending = ", ".join(plan.pending) or "functions of another release"
            raise Trouble(f"pending: {pending}", "Run `bellwire migrate`.")
        return "applied"

    async def _redis(self) -> str:
        place = urlsplit(self._settings.redis_url).netloc.rpartition("@")[2]
        client = redis.connect(self._settings.redis_url)
        try:
            begun = time.perf_counter()
            await client.ping()
            taken = _ms(begun)
            told = await client.info("server")
        except redis.AWAY as error:
            await client.aclose()
            raise Trouble(
                f"Redis at {place} does not answer: {type(error).__name__}",
                "Start Redis, or correct REDIS_URL. Until then clients hear of news within 5 s, not at once.",
            ) from None
        self._client = client
        version = str(told["redis_version"])  # of Valkey: the Redis that it stands in for
        if int(version.partition(".")[0]) < OLDEST_REDIS:
            raise Trouble(f"version {version}", f"Bellwire needs {OLDEST_REDIS} or later.")
        valkey = told.get("valkey_version")
        return f"{version if valkey is None else f'Valkey {valkey}'}, a round trip takes {taken}"

    async def _pubsub(self) -> str:
        if self._client is None:
            raise Unknown("not known while Redis is away")
        if redis.node_url(self._settings.redis_url) is not None:
            raise Unknown("not looked at: this is a cluster")
        try:
            async with redis.connect_subscriber(self._settings.redis_url) as subscriber:
                channel = subscriber.pubsub(ignore_subscribe_messages=True)
                await channel.subscribe(CHANNEL)
                await channel.get_message(ignore_subscribe_messages=True, timeout=TIMEOUT_S)
                begun = time.perf_counter()
                await self._client.publish(CHANNEL, b"")
                while await channel.get_message(ignore_subscribe_messages=True, timeout=TIMEOUT_S) is None:
                    pass
                taken = _ms(begun)
                await channel.aclose()
        except redis.AWAY as error:
            raise Trouble(
                f"what is published does not come back: {error}",
                "The user of REDIS_URL needs +eval, +publish, +subscribe, and the channels bellwire:*.",
            ) from None
        return f"what is published is back after {taken}"

    async def _api(self) -> str:
        return await _ready(self._api_url, "bellwire api", "BELLWIRE_LISTEN", "--api")

    async def _gateway(self) -> str:
        return await _ready(self._gateway_url, "bellwire gateway", "BELLWIRE_GATEWAY_LISTEN", "--gateway")

    async def _websocket(self) -> str:
        place = urlsplit(self._gateway_url)
        scheme = {"http": "ws", "https": "wss"}.get(place.scheme, place.scheme)
        url = urlunsplit(place._replace(scheme=scheme, path=place.path + options.GATEWAY_PATH))
        try:
            begun = time.perf_counter()
            async with websockets.connect(url, compression=None):
                return f"opened in {_ms(begun)}"
        except websockets.InvalidStatus as error:
            raise Trouble(
                f"{url} answers {error.response.status_code}, not an upgrade",
                "A proxy in front must pass Upgrade and Connection on: see docs/operations.md.",
            ) from None
        except (OSError, websockets.WebSocketException) as error:
            raise Trouble(f"{url}: {error}", "See the gateway's line above.") from None

    async def _worker(self) -> str:
        connection = self._database()
        overdue = -min(
            await outbox.select_next_due(connection, "hint"),
            await outbox.select_next_due(connection, "archive_read"),
            await delivery.select_next_delivery(connection) or math.inf,
        )
        if overdue > OVERDUE_S:
            raise Trouble(
                f"the oldest job should have been done {overdue:.0f} s ago",
                "Start `bellwire worker`, or more of them; while Redis is away hints wait for it."
                " One that runs names in its log what it cannot do, and why.",
            )
        return "nothing is overdue"

    async def _dead_letters(self) -> str:
        parked = sum((await figures.select_dead_letter_counts(self._database())).values())
        if parked:
            raise Notice(
                f"{parked} parked after ten attempts",
                "`bellwire dlq list` shows why; `bellwire dlq replay --all` once that is cured.",
            )
        return "none"

    def _database(self) -> Connection:
        if self._connection is None:
            raise Unknown("not known while PostgreSQL is away")
        return self._connection


async def _ready(url: str, command: str, variable: str, option: str) -> str:
    try:
        async with httpx.AsyncClient(timeout=TIMEOUT_S) as client:
            reply = await client.get(f"{url}/readyz")
    except httpx.HTTPError as error:
        raise Trouble(
            f"no answer from {url}: {type(error).__name__}",
            f"Start `{command}`, or say where it is: {option} URL, or {variable}.",
        ) from None
    if reply.is_success:
        return f"ready at {url}"
    try:
        reason = msgspec.json.decode(reply.content, type=dict[str, dict[str, str]])["error"]["message"]
    except (msgspec.DecodeError, KeyError):
        raise Trouble(
            f"{url}/readyz answers {reply.status_code}, and not as Bellwire does",
            f"Something else listens there: say where Bellwire is with {option} URL.",
        ) from None
    raise Trouble(f"not ready: {reason}", "It is up; what it names is what to change.")


def _ms(begun: float) -> str:
    return f"{1000 * (time.perf_counter() - begun):.1f} ms"


def _print(verdict: str, name: str, says: str, advice: str = "") -> None:
    colour = {"ok": "green", "warn": "yellow", "FAIL": "red"}.get(verdict)
    click.echo(f"{click.style(f'{verdict:4}', fg=colour)}  {name:14}{says}")
    if advice:
        click.echo(f"{'':20}{advice}")


def _local_url(address: Address) -> str:
    """Where a process of this machine is reached that listens on all addresses."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(address.host, address.host)  # noqa: S104
    return f"http://{Address(host, address.port)}"


def _gateway_url(url: str) -> str:
    """BELLWIRE_GATEWAY_URL names the websocket."""
    place = urlsplit(url)
    scheme = {"ws": "http", "wss": "https"}.get(place.scheme, place.scheme)
    return urlunsplit(place._replace(scheme=scheme, path=place.path.removesuffix(options.GATEWAY_PATH)))


@click.command()
@click.option(
    "--api",
    "api_url",
    cls=options.Configured,
    metavar="URL",
    envvar="BELLWIRE_URL",
    help="The API; where nothing is said, BELLWIRE_LISTEN on this machine.",
)
@click.option(
    "--gateway",
    "gateway_url",
    cls=options.Configured,
    metavar="URL",
    envvar="BELLWIRE_GATEWAY_URL",
    help="The gateway; where nothing is said, BELLWIRE_GATEWAY_LISTEN on this machine.",
)
def doctor(api_url: str | None, gateway_url: str | None) -> None:
    """Look at every hop, name the one that fails, and what to change.

    Give the public URLs of --api and --gateway to look through the proxy in front. Changes nothing.
    Ends with 1 where a hop fails; what is only to be looked at ("warn") leaves it at 0.
    """
    settings = console.settings()
    rounds = Rounds(
        settings,
        (api_url or _local_url(settings.listen)).rstrip("/"),
        _gateway_url(gateway_url or _local_url(settings.gateway_listen)).rstrip("/"),
    )
    if not console.run(rounds.run()):
        sys.exit(1)
