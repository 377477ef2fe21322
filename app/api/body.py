"""Reading a request's body: as much is held as its route allows, whatever its sender says of its length."""

from collections.abc import AsyncGenerator
from typing import Final

from litestar.types import Receive

from app.contract.errors import InvalidRequest, PayloadTooLarge

MAX_BODY: Final = 1 << 20


async def read(receive: Receive, *, announced: bytes | None) -> bytes:
    """The whole body, a mebibyte at most. announced: the Content-Length header, None where there is none.

    Raises PayloadTooLarge, InvalidRequest (the client left before the end).
    """
    parts = [part async for part in stream(receive, announced=announced, most=MAX_BODY)]
    return parts[0] if len(parts) == 1 else b"".join(parts)


async def stream(receive: Receive, *, announced: bytes | None, most: int) -> AsyncGenerator[bytes]:
    """The body as it arrives. Raises as read() does."""
    too_large = f"the body must be at most {most} bytes"
    digits = (announced or b"0").strip().lstrip(b"0")  # the parser has seen that there is nothing else
    if len(digits) > 16 or int(digits or b"0") > most:
        raise PayloadTooLarge(too_large)
    size = 0
    more = True
    while more:
        message = await receive()
        if message["type"] != "http.request":
            raise InvalidRequest("the body ended early")
        size += len(message["body"])
        if size > most:
            raise PayloadTooLarge(too_large)
        yield message["body"]
        more = message["more_body"]


def check_content_type(content_type: bytes | None, wanted: str = "application/json") -> None:
    """Where JSON is wanted, application/*+json is it too. Raises InvalidRequest for anything else."""
    kind = (content_type or b"").partition(b";")[0].strip().lower().decode("latin-1")
    if kind == wanted:
        return
    if wanted != "application/json" or not (kind.startswith("application/") and kind.endswith("+json")):
        raise InvalidRequest(f"Content-Type must be {wanted}")
