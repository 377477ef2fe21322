"""The API over a real socket, in the test's own process."""

from collections.abc import AsyncGenerator

import httpx
import pytest

from app.api import main, server
from app.settings import Address, Settings
from tests.factories import Environment


@pytest.fixture
def settings(database_url: str, redis_url: str) -> Settings:
    return Settings(database_url=database_url, redis_url=redis_url, listen=Address("127.0.0.1", 0))


@pytest.fixture
async def address(settings: Settings) -> AsyncGenerator[Address]:
    """Where the API listens."""
    async with (
        main.wire(settings) as services,
        server.serve(main.create_app(services), server.listen(settings.listen), patience_s=5) as bound,
    ):
        yield bound


@pytest.fixture
async def client(address: Address, environment: Environment) -> AsyncGenerator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=f"http://{address}", timeout=10, trust_env=False) as opened:
        yield opened
