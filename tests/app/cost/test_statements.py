"""What a request asks of PostgreSQL, counted between the two: Execute and Query messages, and their text.

A statement is a transaction and a round trip of its own: where there is one, there is neither BEGIN nor
COMMIT beside it. Off the path of requests, and allowed here, are the look-up of credentials (one in half a
second at most) and of when a key was last used (one a minute), and the end of published hint jobs.
"""

import asyncio
import itertools
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from urllib.parse import urlsplit, urlunsplit

import httpx
import pytest

from app.api import main, server
from app.db import api_keys, environments, inbox, notifications, outbox
from app.settings import Address, Settings
from tests.factories import Environment

REQUESTS = 10
BESIDE = {
    api_keys.SELECT_BY_HASHES,
    api_keys.UPDATE_LAST_USED,
    environments.SELECT_BY_SLUGS,
    outbox.FINISH_HINT_JOBS,
}
OF_ASYNCPG = ("typeinfo_tree", "current_setting('jit')")  # how a connection learns a type it meets first
Ask = Callable[[httpx.AsyncClient], Awaitable[httpx.Response]]


class Meter:
    """Stands before PostgreSQL, and notes the text of each statement that is executed."""

    def __init__(self, host: str, port: int) -> None:
        self.executed: list[str] = []
        self._server = (host, port)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        upstream_reader, upstream_writer = await asyncio.open_connection(*self._server)
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(_pass_on(upstream_reader, writer))
                tasks.create_task(self._listen(reader, upstream_writer))
        except* ConnectionError:
            pass
        finally:
            writer.close()
            upstream_writer.close()

    async def _listen(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        texts: dict[bytes, str] = {}
        kind = b""  # of the first message, which has none
        try:
            while True:
                size = await reader.readexactly(4)
                body = await reader.readexactly(int.from_bytes(size) - 4)
                self._note(kind, body, texts)
                writer.write(kind + size + body)
                kind = await reader.readexactly(1)
        except asyncio.IncompleteReadError:
            writer.close()

    def _note(self, kind: bytes, body: bytes, texts: dict[bytes, str]) -> None:
        match kind:
            case b"P":
                name, text, _ = body.split(b"\0", 2)
                texts[name] = text.decode()
            case b"B":  # each is executed once
                text = texts[body.split(b"\0", 2)[1]]
                if not any(sign in text for sign in OF_ASYNCPG):
                    self.executed.append(text)
            case b"Q":
                self.executed.append(body[:-1].decode())
            case _:
                pass


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65_536):
        writer.write(data)
    writer.close()


@pytest.fixture
async def meter(database_url: str) -> AsyncGenerator[tuple[Meter, str]]:
    """A meter, and the database's URL through it."""
    parts = urlsplit(database_url)
    meter = Meter(parts.hostname or "127.0.0.1", parts.port or 5432)
    async with await asyncio.start_server(meter.serve, "127.0.0.1") as listener:
        port = listener.sockets[0].getsockname()[1]
        netloc = f"{parts.username}:{parts.password or ''}@127.0.0.1:{port}"
        yield meter, urlunsplit(parts._replace(netloc=netloc, query="sslmode=disable"))


@asynccontextmanager
async def serving(database_url: str, redis_url: str) -> AsyncGenerator[httpx.AsyncClient]:
    settings = Settings(
        database_url=database_url,
        redis_url=redis_url,
        listen=Address("127.0.0.1", 0),
        api_key_rate=0,
        subscriber_rate=0,
    )
    async with main.wire(settings) as services:
        listener = server.listen(settings.listen)
        async with (
            server.serve(main.create_app(services), listener, patience_s=1) as address,
            httpx.AsyncClient(base_url=f"http://{address}", timeout=30, trust_env=False) as client,
        ):
            yield client


def _send(client: httpx.AsyncClient, number: int) -> Awaitable[httpx.Response]:
    body = {"subscriber_id": "ada", "category": "c", "idempotency_key": f"k{number}"}
    return client.post("/v1/notifications", json=body)


async def test_one_statement_serves_one_request(
    meter: tuple[Meter, str], redis_url: str, environment: Environment
) -> None:
    measured, database_url = meter
    numbers = itertools.count()
    async with serving(database_url, redis_url) as client:
        client.headers.update(environment.management_headers)
        sent = [(await _send(client, next(numbers))).json() for _ in range(REQUESTS + 1)]
        items = iter([one["notifications"][0]["id"] for one in sent])
        proof = environment.subscriber_headers("ada")
        tag = ""

        async def page(client: httpx.AsyncClient) -> httpx.Response:
            nonlocal tag
            answer = await client.get("/v1/inbox/items", headers=proof)
            tag = answer.headers["etag"]
            return answer

        client.headers.pop("authorization")
        kinds: dict[str, tuple[str, Ask, int]] = {
            "page": (inbox.SELECT_PAGES, page, 200),
            "not modified": (
                inbox.SELECT_PAGES,
                lambda client: client.get("/v1/inbox/items", headers={**proof, "If-None-Match": tag}),
                304,
            ),
            "counts": (
                inbox.SELECT_COUNTS_OF,
                lambda client: client.get("/v1/inbox/counts", headers=proof),
                200,
            ),
            "read": (
                inbox.MARK_ITEMS,
                lambda client: client.post(f"/v1/inbox/notifications/{next(items)}/read", headers=proof),
                204,
            ),
            "read-all": (
                inbox.MARK_ALLS,
                lambda client: client.post("/v1/inbox/read-all", headers=proof),
                200,
            ),
            "create": (
                notifications.SEND_NOTIFICATIONS,
                lambda client: client.post(
                    "/v1/notifications",
                    headers=environment.management_headers,
                    json={"subscriber_id": "ada", "category": "c", "idempotency_key": f"k{next(numbers)}"},
                ),
                201,
            ),
        }
        for name, (statement, ask, status) in kinds.items():
            await ask(client)
            measured.executed.clear()
            for _ in range(REQUESTS):
                assert (await ask(client)).status_code == status, name
            executed = Counter(measured.executed)
            assert executed.pop(statement) == REQUESTS, name
            assert not set(executed) - BESIDE, name
            assert executed[outbox.FINISH_HINT_JOBS] <= REQUESTS + 1, name


async def test_creates_at_a_time_share_statements(
    meter: tuple[Meter, str], redis_url: str, environment: Environment
) -> None:
    measured, database_url = meter
    async with serving(database_url, redis_url) as client:
        client.headers.update(environment.management_headers)
        await _send(client, 0)
        measured.executed.clear()
        answers = await asyncio.gather(*(_send(client, number) for number in range(1, 65)))
        assert {answer.status_code for answer in answers} == {201}
        assert Counter(measured.executed)[notifications.SEND_NOTIFICATIONS] < 64
