"""Rate limits: token buckets in Redis, shared by replicas; one of this process's own while Redis is away."""

import asyncio
import math
import time
from typing import Final
from uuid import UUID

import structlog
from redis.asyncio import Redis

from app import redis, telemetry
from app.contract.errors import RateLimited
from app.redis import Charge
from app.services.auth import Identity
from app.settings import Settings

log = structlog.stdlib.get_logger()

TIMEOUT_S: Final = 0.1  # a request waits no longer for Redis than this
BREAK_S: Final = 1.0  # after a failure Redis is left alone for so long
MOST_BUCKETS: Final = 10_000  # of this process's own; past it the oldest are forgotten, that is, full again


class RateLimits:
    """Charges one token a request. Requests that wait for Redis at the same time share a round trip."""

    def __init__(self, client: Redis, settings: Settings) -> None:
        self._client = client
        self._settings = settings
        self._own: dict[str, tuple[float, float]] = {}  # bucket → tokens, at (monotonic)
        self._waiting: list[tuple[Charge, asyncio.Future[float]]] = []
        self._task: asyncio.Task[None] | None = None
        self._broken_until = 0.0

    async def charge_api_key(self, key_id: UUID) -> None:
        """Raises RateLimited."""
        settings = self._settings
        await self._charge("management", key_id.hex, settings.api_key_rate, settings.api_key_burst)

    async def charge_subscriber(self, identity: Identity) -> None:
        """Raises RateLimited."""
        settings = self._settings
        bucket = f"{identity.environment_id.hex}:{identity.subscriber_id}"
        await self._charge("subscriber", bucket, settings.subscriber_rate, settings.subscriber_burst)

    async def _charge(self, plane: str, bucket: str, rate: float, burst: float) -> None:
        if rate == 0:
            return
        wait = await self._take(Charge(f"{plane}:{bucket}", rate, burst))
        if wait > 0:
            telemetry.rate_limited.labels(plane).inc()
            raise RateLimited("too many requests", retry_after_s=math.ceil(wait))

    async def _take(self, charge: Charge) -> float:
        if time.monotonic() < self._broken_until:
            return self._take_own(charge)
        future: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        self._waiting.append((charge, future))
        if self._task is None:
            self._task = asyncio.create_task(self._run())
        return await future

    async def _run(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting, []
                waits = await self._ask([charge for charge, _ in batch])
                if waits is None:
                    self._broken_until = time.monotonic() + BREAK_S
                    batch += self._waiting
                    self._waiting = []
                    waits = [self._take_own(charge) for charge, _ in batch]
                for (_, future), wait in zip(batch, waits, strict=True):
                    if not future.done():
                        future.set_result(wait)
        finally:
            self._task = None

    async def _ask(self, charges: list[Charge]) -> list[float] | None:
        """None where Redis does not say, for whatever reason: who waits here must get an answer."""
        try:
            return await redis.take_tokens(self._client, charges, timeout_s=TIMEOUT_S)
        except Exception:
            log.exception("Redis could not be asked for rate limits")
            return None

    def _take_own(self, charge: Charge) -> float:
        now = time.monotonic()
        tokens, at = self._own.pop(charge.bucket, (charge.burst, now))
        tokens = min(charge.burst, tokens + (now - at) * charge.rate)
        wait = 0.0 if tokens >= 1 else (1 - tokens) / charge.rate
        self._own[charge.bucket] = (tokens - 1 if tokens >= 1 else tokens, now)  # last: in order of use
        if len(self._own) > MOST_BUCKETS:
            del self._own[next(iter(self._own))]
        return wait
