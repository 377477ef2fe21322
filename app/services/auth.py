"""Who is asking: an API key names an environment; a subscriber proves its own id."""

import math
import time
from collections.abc import Mapping, Sequence
from uuid import UUID

import msgspec

from app.contract import strings
from app.contract.credentials import Credentials
from app.contract.errors import TokenExpired, Unauthorized
from app.db import api_keys, environments
from app.db.api_keys import ApiKey
from app.db.environments import Environment
from app.db.pool import Pool, acquire
from app.security import keys, proofs
from app.services.lookup import Lookup


class Identity(msgspec.Struct, frozen=True):
    """A subscriber whose proof held.

    secret: the secret that proved it, None where none was needed. expires_at: Unix seconds, None where
    the proof does not expire.
    """

    environment_id: UUID
    environment: str
    subscriber_id: str
    secret: str | None
    expires_at: float | None

    def __repr__(self) -> str:
        return f"Identity({self.environment!r}, {self.subscriber_id!r})"

    def is_still_valid(self, environment: Environment | None) -> bool:
        """Whether the proof still holds for the environment as it is now."""
        if environment is None or environment.id != self.environment_id:
            return False
        if self.secret is None:
            return not environment.require_subscriber_hash
        return self.secret in environment.secrets


class Authenticator:
    """Checks proofs against keys and secrets at most half a second old; none fails by one that is older than
    the request.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._environments: Lookup[str, Environment] = Lookup(self._find_environments)
        self._api_keys: Lookup[bytes, ApiKey] = Lookup(self._find_api_keys)

    async def api_key(self, authorization: bytes | None) -> ApiKey:
        """The key of a management request's Authorization header.

        Raises Unauthorized, Unavailable.
        """
        scheme, _, key = (authorization or b"").partition(b" ")
        if scheme.lower() != b"bearer" or not key:
            raise Unauthorized("Authorization must be: Bearer <api key>")
        found = await self._api_keys.get(keys.key_hash(key.strip().decode("latin-1")))
        if found is None:
            raise Unauthorized("the API key is unknown or revoked")
        return found

    async def subscriber(self, credentials: Credentials) -> Identity:
        """Checks in the contract's order, so that each mistake gets the one answer that belongs to it.

        Raises Unauthorized (TokenExpired), InvalidRequest, Unavailable.
        """
        begun = time.monotonic()
        try:
            return await self._subscriber(credentials, since=-math.inf)
        except TokenExpired:
            raise
        except Unauthorized:
            # The secret, or the environment, may be newer than what is kept.
            return await self._subscriber(credentials, since=begun)

    async def _subscriber(self, credentials: Credentials, *, since: float) -> Identity:
        if credentials.token is not None:
            return await self._by_token(credentials, credentials.token, since)
        if credentials.environment is None:
            raise Unauthorized("the environment is missing: X-Bellwire-Environment, or ?environment=")
        if credentials.subscriber_id is None:
            raise Unauthorized("the subscriber is missing: X-Bellwire-Subscriber, or ?subscriber_id=")
        strings.check_length(credentials.subscriber_id, "subscriber_id")
        environment = await self._environments.get(credentials.environment, since=since)
        if environment is None:
            raise Unauthorized("unknown environment")
        secret = None
        if credentials.subscriber_hash is not None:
            secret = proofs.secret_of_hash(
                credentials.subscriber_hash, credentials.subscriber_id, environment.secrets
            )
            if secret is None:
                raise Unauthorized("the subscriber hash is not valid for this subscriber")
        elif environment.require_subscriber_hash:
            raise Unauthorized("this environment requires a proof: X-Bellwire-Subscriber-Hash, or a token")
        return Identity(environment.id, environment.slug, credentials.subscriber_id, secret, None)

    async def _by_token(self, credentials: Credentials, token: str, since: float) -> Identity:
        slug = proofs.unverified_environment(token)
        environment = None
        # What cannot be stored is not looked up: it would spoil the query for all who travel with it.
        if slug is not None and strings.is_well_formed(slug):
            environment = await self._environments.get(slug, since=since)
        if environment is None:
            raise Unauthorized("the token is not valid")
        claims, secret = proofs.verify_token(token, environment.secrets)
        if credentials.environment not in (None, claims.env) or credentials.subscriber_id not in (
            None,
            claims.sub,
        ):
            raise Unauthorized("the token is for another environment or subscriber than the request names")
        if not strings.is_well_formed(claims.sub) or not 1 <= len(claims.sub.encode()) <= 255:
            raise Unauthorized("the token's sub must be 1 to 255 bytes of UTF-8")
        return Identity(environment.id, environment.slug, claims.sub, secret, claims.exp)

    async def _find_environments(self, slugs: Sequence[str]) -> Mapping[str, Environment]:
        async with acquire(self._pool) as connection:
            found = await environments.select_environments(connection, slugs)
        return {environment.slug: environment for environment in found}

    async def _find_api_keys(self, hashes: Sequence[bytes]) -> Mapping[bytes, ApiKey]:
        async with acquire(self._pool) as connection:
            found = await api_keys.select_api_keys(connection, hashes)
        return {key.key_hash: key for key in found}
