"""Operational endpoints: is this process alive, is it ready, and what has it counted."""

from importlib.metadata import version
from typing import Final

import prometheus_client
from litestar import get

from app import telemetry
from app.api import replies
from app.api.replies import Reply
from app.api.request import Request

_ALIVE: Final = {"status": "ok", "version": version("bellwire")}
_READY: Final = {"status": "ready"}


@get("/healthz")
async def healthz() -> Reply:
    return replies.json(_ALIVE)


@get("/readyz")
async def readyz(request: Request) -> Reply:
    await request.services.readiness.check()
    return replies.json(_READY)


@get("/metrics")
async def metrics(request: Request) -> Reply:
    pool = request.services.pool
    telemetry.pool_connections.labels("api").set(pool.get_size())
    telemetry.pool_idle.labels("api").set(pool.get_idle_size())
    return replies.content(
        prometheus_client.generate_latest(), prometheus_client.CONTENT_TYPE_LATEST.encode()
    )
