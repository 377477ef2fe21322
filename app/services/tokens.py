"""Subscriber tokens: what a backend hands to its own front-end instead of an HMAC."""

import time
from typing import Final
from uuid import UUID

from app.contract import timestamps
from app.contract.errors import NotFound
from app.contract.resources import Token
from app.db import environments
from app.db.pool import Pool, acquire
from app.security import proofs
from app.services.subscribers import Subscribers

DEFAULT_TTL_S: Final = 3600


class Tokens:
    def __init__(self, pool: Pool, subscribers: Subscribers) -> None:
        self._pool = pool
        self._subscribers = subscribers

    async def mint(self, environment_id: UUID, subscriber_id: str, ttl_s: int | None) -> Token:
        """Creates the subscriber where it is new. Raises Unavailable."""
        await self._subscribers.ensure(environment_id, subscriber_id)
        async with acquire(self._pool) as connection:
            environment = await environments.select_environment(connection, environment_id)
        if environment is None:
            raise NotFound("no such environment")
        expires_at = int(time.time()) + (ttl_s or DEFAULT_TTL_S)
        token = proofs.mint_token(
            environment.secrets[0],
            subscriber_id=subscriber_id,
            environment=environment.slug,
            expires_at=expires_at,
        )
        return Token(token, timestamps.format_us(expires_at * 1_000_000))
