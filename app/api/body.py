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
    _check_size(_announced_size(announced), MAX_BODY)
    parts: list[bytes] = []
    size = 0
    more = True
    while more:  # not by stream(): a generator costs more than all the rest of it
        body, more = await _piece(receive)
        size += len(body)
        _check_size(size, MAX_BODY)
        parts.append(body)
    return parts[0] if len(parts) == 1 else b"".join(parts)


async def stream(receive: Receive, *, announced: bytes | None, most: int) -> AsyncGenerator[bytes]:
    """The body as it arrives. Raises as read() does."""
    _check_size(_announced_size(announced), most)
    size = 0
    more = True
    while more:
        body, more = await _piece(receive)
        size += len(body)
        _check_size(size, most)
        yield body


def _announced_size(announced: bytes | None) -> int:
    digits = (announced or b"0").strip().lstrip(b"0")  # the parser has seen that there is nothing else
    return int(digits[:17] or b"0")  # as many as are enough to be too large


def _check_size(size: int, most: int) -> None:
    if size > most:
        raise PayloadTooLarge(f"the body must be at most {most} bytes")


async def _piece(receive: Receive) -> tuple[bytes, bool]:
    """The next piece of a body, and whether another follows."""
    message = await receive()
    if message["type"] != "http.request":
        raise InvalidRequest("the body ended early")
    return message["body"], message["more_body"]


def check_content_type(content_type: bytes | None, wanted: str = "application/json") -> None:
    """Where JSON is wanted, application/*+json is it too. Raises InvalidRequest for anything else."""
    kind = (content_type or b"").partition(b";")[0].strip().lower().decode("latin-1")
    if kind == wanted:
        return
    if wanted != "application/json" or not (kind.startswith("application/") and kind.endswith("+json")):
        raise InvalidRequest(f"Content-Type must be {wanted}")
