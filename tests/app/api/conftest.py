"""The API over a real socket, in the test's own process, on the event loop it is served with."""

import asyncio
from collections.abc import AsyncGenerator, Callable

import httpx
import pytest
import uvloop
from litestar.types import Receive

from app.api import body, main, server
from app.api.services import Services
from app.settings import Address, Settings
from tests.factories import Environment


def pytest_asyncio_loop_factories() -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    return {"uvloop": uvloop.new_event_loop}


@pytest.fixture
def settings(database_url: str, redis_url: str) -> Settings:
    """Without rate limits: their own tests set them."""
    return Settings(
        database_url=database_url,
        redis_url=redis_url,
        listen=Address("127.0.0.1", 0),
        gateway_listen=Address("127.0.0.1", 0),
        demo=True,
        api_key_rate=0,
        subscriber_rate=0,
    )


@pytest.fixture
async def services(settings: Settings) -> AsyncGenerator[Services]:
    async with main.wire(settings) as wired:
        yield wired


@pytest.fixture
async def address(services: Services) -> AsyncGenerator[Address]:
    """Where the API listens."""
    listener = server.listen(services.settings.listen)
    async with server.serve(main.create_app(services), listener, patience_s=1) as bound:
        yield bound


@pytest.fixture
async def client(address: Address) -> AsyncGenerator[httpx.AsyncClient]:
    """Speaks to the API, as nobody in particular."""
    async with httpx.AsyncClient(base_url=f"http://{address}", timeout=30, trust_env=False) as opened:
        yield opened


@pytest.fixture
def reading(monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """Set whenever a handler begins to read a body: who is asking has been found out by then."""
    event = asyncio.Event()

    def watch(name: str) -> None:
        read = getattr(body, name)

        def watched(receive: Receive, **how: object) -> object:
            event.set()
            return read(receive, **how)

        monkeypatch.setattr(body, name, watched)

    watch("read")
    watch("stream")
    return event


@pytest.fixture
async def backend(client: httpx.AsyncClient, environment: Environment) -> AsyncGenerator[httpx.AsyncClient]:
    """The customer's backend: carries the API key of `environment`."""
    async with httpx.AsyncClient(
        base_url=client.base_url, headers=environment.management_headers, timeout=30, trust_env=False
    ) as opened:
        yield opened


@pytest.fixture
async def ada(client: httpx.AsyncClient, environment: Environment) -> AsyncGenerator[httpx.AsyncClient]:
    """The front end of the subscriber `ada`, with a proof."""
    async with httpx.AsyncClient(
        base_url=client.base_url, headers=environment.subscriber_headers("ada"), timeout=30, trust_env=False
    ) as opened:
        yield opened
