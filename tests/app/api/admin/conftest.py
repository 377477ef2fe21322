"""People of each role, who are logged in."""

from collections.abc import AsyncGenerator

import httpx
import pytest

from app.db.pool import Pool
from tests.app.api.admin.people import Admin, make_admin


@pytest.fixture
async def grace(pool: Pool) -> Admin:
    """An admin, and the only one."""
    return await make_admin(pool, "admin", "grace@example.com")


@pytest.fixture
async def console(client: httpx.AsyncClient, grace: Admin) -> AsyncGenerator[httpx.AsyncClient]:
    """What grace's browser sends."""
    async with grace.client(client.base_url) as opened:
        yield opened
