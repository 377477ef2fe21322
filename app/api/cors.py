"""CORS, for the subscriber plane only: browsers call it from the customer's own origin."""

from collections.abc import Sequence
from typing import Final

from litestar.types import HTTPScope

from app.api.replies import Headers, Reply
from app.contract import credentials

PLANE: Final = "/v1/inbox"
_IDENTITY_HEADERS: Final = (
    *credentials.ENVIRONMENT[:2],
    *credentials.SUBSCRIBER[:2],
    *credentials.HASH[:2],
    credentials.AUTHORIZATION,
)
_ALLOWED_HEADERS: Final = ("content-type", "if-none-match", "last-event-id", *_IDENTITY_HEADERS)
_PREFLIGHT: Final[Headers] = [
    (b"access-control-allow-methods", b"GET, POST, PUT, DELETE"),
    (b"access-control-allow-headers", ", ".join(_ALLOWED_HEADERS).encode()),
    (b"access-control-max-age", b"3600"),
]
_EXPOSED: Final = (b"access-control-expose-headers", b"ETag, Retry-After")


def covers(path: str) -> bool:
    return path == PLANE or path.startswith(PLANE + "/")


class Cors:
    """origins: those allowed, `*` for any. Credentials (cookies) are never allowed: nobody needs them."""

    def __init__(self, origins: Sequence[str]) -> None:
        self._any = "*" in origins
        self._origins = {origin.encode() for origin in origins}
        vary = ", ".join(_IDENTITY_HEADERS if self._any else ("origin", *_IDENTITY_HEADERS))
        self._always: Headers = [(b"vary", vary.encode()), _EXPOSED]
        self._to_any: Headers = [*self._always, (b"access-control-allow-origin", b"*")]

    def headers(self, scope: HTTPScope) -> Headers:
        """What every reply of the plane carries."""
        if self._any:
            return self._to_any
        origin = _origin(scope)
        if origin in self._origins:
            return [*self._always, (b"access-control-allow-origin", origin)]
        return self._always

    def preflight(self, scope: HTTPScope) -> Reply | None:
        """The answer to a browser that asks what it may send, None for any other request."""
        if scope["method"] == "OPTIONS" and _origin(scope):
            return Reply(204, headers=_PREFLIGHT.copy())
        return None


def _origin(scope: HTTPScope) -> bytes:
    return next((value for name, value in scope["headers"] if name == b"origin"), b"")
