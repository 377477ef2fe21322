"""Reading a request's body: at most a mebibyte is ever held, whatever its sender says of its length."""

from typing import Final

from litestar.types import Receive

from app.contract.errors import InvalidRequest, PayloadTooLarge

MAX_BODY: Final = 1 << 20
_TOO_LARGE: Final = f"the body must be at most {MAX_BODY} bytes"


async def read(receive: Receive, *, announced: bytes | None) -> bytes:
    """The whole body. announced: the Content-Length header, None where the body comes in chunks.

    Raises PayloadTooLarge, InvalidRequest (the client left before the end).
    """
    if announced is not None and (len(announced) > 16 or int(announced) > MAX_BODY):
        raise PayloadTooLarge(_TOO_LARGE)
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise InvalidRequest("the body ended early")
        parts.append(message["body"])
        size += len(message["body"])
        if size > MAX_BODY:
            raise PayloadTooLarge(_TOO_LARGE)
        if not message["more_body"]:
            return parts[0] if len(parts) == 1 else b"".join(parts)


def check_content_type(content_type: bytes | None) -> None:
    """Raises InvalidRequest for anything but application/json and application/*+json."""
    kind = (content_type or b"").partition(b";")[0].strip().lower()
    if kind != b"application/json" and not (kind.startswith(b"application/") and kind.endswith(b"+json")):
        raise InvalidRequest("Content-Type must be application/json")
