"""What a boot plants when its settings ask for it. What is there already is never changed."""

import contextlib

import structlog

from app.contract.errors import Conflict
from app.db.pool import create_pool
from app.services import environments
from app.settings import Settings

log = structlog.stdlib.get_logger()


async def plant(settings: Settings) -> None:
    """The development environment and its key. Raises InvalidRequest, Unavailable."""
    slug = settings.dev_environment
    if slug is None:
        return
    log.warning("anybody may read this environment: for development only", environment=slug)
    async with create_pool(settings.database_url, size=2, name="seed") as pool:
        with contextlib.suppress(Conflict):
            await environments.create_environment(
                pool, slug=slug, name=slug.title(), require_subscriber_hash=False
            )
        if settings.dev_api_key is not None:
            await environments.create_api_key(pool, slug=slug, name="development", key=settings.dev_api_key)
