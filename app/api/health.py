"""Operational endpoints: is this process alive, is it ready, and what has it counted."""

from importlib.metadata import version
from typing import Final

import msgspec
import prometheus_client
from litestar import get

from app.api import replies
from app.api.describe import Answer, Operation, describe
from app.api.replies import Reply
from app.api.request import Request


class Alive(msgspec.Struct, frozen=True):
    status: str
    version: str


class Ready(msgspec.Struct, frozen=True):
    status: str


_ALIVE: Final = Alive("ok", version("bellwire"))
_READY: Final = Ready("ready")


@get(
    "/healthz",
    opt=describe(
        Operation(
            summary="Is the process alive?",
            tag="Operations",
            answers={200: Answer("It is.", Alive)},
            errors=["invalid_request"],
        )
    ),
)
async def healthz() -> Reply:
    """Asks nothing of anyone else."""
    return replies.json(_ALIVE)


@get(
    "/readyz",
    opt=describe(
        Operation(
            summary="Should it be sent requests?",
            tag="Operations",
            answers={200: Answer("It should.", Ready)},
            errors=["invalid_request", "unavailable"],
        )
    ),
)
async def readyz(request: Request) -> Reply:
    """PostgreSQL takes writes, its migrations are applied, and the process is not about to stop."""
    await request.services.readiness.check()
    return replies.json(_READY)


@get(
    "/metrics",
    opt=describe(
        Operation(
            summary="Metrics for Prometheus",
            tag="Operations",
            answers={200: Answer("Prometheus text format.", str, media_type="text/plain")},
            errors=["invalid_request"],
        )
    ),
)
async def metrics() -> Reply:
    """Of this process alone."""
    text = prometheus_client.generate_latest()
    return replies.content(text, prometheus_client.CONTENT_TYPE_LATEST.encode())
