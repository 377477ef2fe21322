"""What this port answers to requests that do not become sockets: the error envelope, and little else."""

from collections.abc import Awaitable, Callable, Mapping
from email.utils import formatdate
from http import HTTPStatus
from importlib.metadata import version
from typing import Final

import msgspec
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

SOCKET_PATH: Final = "/v1/inbox/ws"
RETRY_AFTER_S: Final = 1
_JSON: Final = "application/json"
_ALLOWED: Final = ("GET", "HEAD")

_CODES: Final[Mapping[HTTPStatus, str]] = {
    HTTPStatus.BAD_REQUEST: "invalid_request",
    HTTPStatus.NOT_FOUND: "not_found",
    HTTPStatus.METHOD_NOT_ALLOWED: "method_not_allowed",
    HTTPStatus.UPGRADE_REQUIRED: "upgrade_required",
    HTTPStatus.INTERNAL_SERVER_ERROR: "internal",
    HTTPStatus.SERVICE_UNAVAILABLE: "unavailable",
}


class Answer(msgspec.Struct, frozen=True):
    status: HTTPStatus
    body: bytes
    content_type: str = _JSON
    headers: Mapping[str, str] = {}

    def encode(self, *, with_body: bool) -> bytes:
        """The reply's bytes; HEAD gets the head of what GET would."""
        lines = [
            f"HTTP/1.1 {self.status.value} {self.status.phrase}",
            f"Date: {formatdate(usegmt=True)}",
            f"Content-Type: {self.content_type}",
            f"Content-Length: {len(self.body)}",
            "Connection: close",
            *(f"{name}: {value}" for name, value in self.headers.items()),
        ]
        return "\r\n".join([*lines, "", ""]).encode() + (self.body if with_body else b"")


def error(status: HTTPStatus, message: str, headers: Mapping[str, str] | None = None) -> Answer:
    body = msgspec.json.encode({"error": {"code": _CODES[status], "message": message}})
    return Answer(status, body, headers=headers or {})


def unavailable(message: str) -> Answer:
    return error(HTTPStatus.SERVICE_UNAVAILABLE, message, {"Retry-After": str(RETRY_AFTER_S)})


def method_not_allowed(method: str) -> Answer:
    message = f"{method[:16]} is not allowed here: use GET"
    return error(HTTPStatus.METHOD_NOT_ALLOWED, message, {"Allow": ", ".join(_ALLOWED)})


def upgrade_required() -> Answer:
    message = f"{SOCKET_PATH} is a websocket: connect with ws:// or wss://"
    return error(
        HTTPStatus.UPGRADE_REQUIRED, message, {"Upgrade": "websocket", "Connection": "Upgrade, close"}
    )


class Operations:
    """Health and metrics. unready: why this process should get no traffic, None where it should."""

    def __init__(self, unready: Callable[[], Awaitable[str | None]]) -> None:
        self._unready = unready
        self._health = Answer(
            HTTPStatus.OK, msgspec.json.encode({"status": "ok", "version": version("bellwire")})
        )

    async def answer(self, method: str, path: str, fault: str | None) -> Answer:
        """fault: what makes it a 400, if anything, where it is neither a 404 nor a 405."""
        refusal = _refusal(method, path, fault)
        if refusal is not None:
            return refusal
        if path == "/healthz":
            return self._health
        if path == "/metrics":
            return Answer(HTTPStatus.OK, generate_latest(), CONTENT_TYPE_LATEST)
        reason = await self._unready()
        if reason is not None:
            return unavailable(reason)
        return Answer(HTTPStatus.OK, msgspec.json.encode({"status": "ready"}))


def _refusal(method: str, path: str, fault: str | None) -> Answer | None:
    if path not in ("/healthz", "/readyz", "/metrics"):
        return error(HTTPStatus.NOT_FOUND, "no such route on the gateway's port")
    if method not in _ALLOWED:
        return method_not_allowed(method)
    return None if fault is None else error(HTTPStatus.BAD_REQUEST, fault)
