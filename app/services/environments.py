"""Environments and their keys: made by operators, not by requests."""

import re
from typing import Final

from app.contract.errors import Conflict, InvalidRequest, NotFound
from app.db import api_keys, environments
from app.db.pool import Pool, acquire
from app.security import keys

_SLUG: Final = re.compile(r"[A-Za-z0-9_-]{1,255}")


async def create_environment(pool: Pool, *, slug: str, name: str, require_subscriber_hash: bool) -> str:
    """Returns the new environment's secret.

    Raises InvalidRequest, Conflict (the slug is taken), Unavailable.
    """
    if not _SLUG.fullmatch(slug):
        raise InvalidRequest("slug must be 1 to 255 of A-Z a-z 0-9 _ -")
    secret = keys.new_environment_secret()
    async with acquire(pool) as connection:
        created = await environments.insert_environment(
            connection,
            slug=slug,
            name=name,
            require_subscriber_hash=require_subscriber_hash,
            secret=secret,
        )
    if created is None:
        raise Conflict(f"slug {slug} is taken")
    return secret


async def create_api_key(pool: Pool, *, slug: str, name: str, key: str | None = None) -> str:
    """Returns the plaintext, which is stored nowhere. key: one to use instead of a new one.

    Raises NotFound (no such environment), Unavailable.
    """
    key = key or keys.new_api_key()
    async with acquire(pool) as connection:
        found = await environments.select_environments(connection, [slug])
        if not found:
            raise NotFound(f"no environment {slug}")
        await api_keys.insert_api_key(
            connection,
            found[0].id,
            name=name,
            key_hash=keys.key_hash(key),
            key_prefix=keys.display_prefix(key),
        )
    return key
