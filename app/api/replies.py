"""What handlers answer with: status, headers and body as bytes, sent in two messages."""

from typing import Final

import msgspec
from litestar.types import Receive, Scope, Send

_JSON: Final = (b"content-type", b"application/json")
_encode: Final = msgspec.json.Encoder().encode

Headers = list[tuple[bytes, bytes]]


class Reply:
    """An ASGI application that sends one answer."""

    __slots__ = ("body", "headers", "status")

    def __init__(self, status: int, body: bytes = b"", headers: Headers | None = None) -> None:
        self.status = status
        self.body = body
        self.headers: Headers = [] if headers is None else headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - ASGI
        await send({"type": "http.response.start", "status": self.status, "headers": self.headers})
        await send({"type": "http.response.body", "body": self.body, "more_body": False})


def content(body: bytes, media_type: bytes, *extra: tuple[bytes, bytes], status: int = 200) -> Reply:
    """A body of any media type."""
    length = (b"content-length", b"%d" % len(body))
    return Reply(status, body, [(b"content-type", media_type), length, *extra])


def json(value: object, *extra: tuple[bytes, bytes], status: int = 200) -> Reply:
    """value: a Struct of app.contract.resources, or anything else that msgspec encodes."""
    body = _encode(value)
    return Reply(status, body, [_JSON, (b"content-length", b"%d" % len(body)), *extra])


def no_content() -> Reply:
    return Reply(204)


def accepted() -> Reply:
    """It will be done; there is nothing to say of it."""
    return Reply(202, headers=[(b"content-length", b"0")])
