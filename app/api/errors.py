"""Errors on the wire: one table from code to status, one envelope, and what any exception becomes."""

import traceback
from collections.abc import Iterator, Sequence
from typing import Any, Final

import asyncpg
import msgspec
import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException, MethodNotAllowedException, NotFoundException

from app.api import replies
from app.api.replies import Reply
from app.contract.errors import BellwireError, InvalidRequest, NotFound, TemporaryError, Unavailable
from app.logs import Seldom

log = structlog.stdlib.get_logger()
_unavailable: Final = Seldom(every_s=5.0)

STATUS: Final = {
    "invalid_request": 400,
    "unauthorized": 401,
    "forbidden": 403,
    "not_found": 404,
    "method_not_allowed": 405,
    "conflict": 409,
    "payload_too_large": 413,
    "rate_limited": 429,
    "too_many_connections": 429,
    "internal": 500,
    "unavailable": 503,
}


class Error(msgspec.Struct, frozen=True):
    code: str
    message: str


class Envelope(msgspec.Struct, frozen=True):
    """The body of every answer that is neither a success nor a 304."""

    error: Error


class MethodNotAllowed(BellwireError):
    """The path is known, but not with this method. allow: those it is known with."""

    code = "method_not_allowed"

    def __init__(self, allow: Sequence[str]) -> None:
        super().__init__(f"this path answers {', '.join(allow)}")
        self.allow = allow


class Internal(BellwireError):
    """A defect of ours; the log has the traceback."""

    code = "internal"


def envelope(error: BellwireError) -> Reply:
    headers: replies.Headers = []
    if isinstance(error, TemporaryError):
        headers.append((b"retry-after", b"%d" % error.retry_after_s))
    if isinstance(error, MethodNotAllowed):
        headers.append((b"allow", ", ".join(error.allow).encode()))
    body = Envelope(Error(error.code, error.message))
    return replies.json(body, *headers, status=STATUS[error.code])


def understand(error: Exception) -> BellwireError:
    """What a caller is told of an exception. One that nobody expects is logged, and told as `internal`."""
    if isinstance(error, Unavailable) and error.__cause__ is not None and (times := _unavailable.times()):
        cause = type(error.__cause__).__name__
        log.warning("unavailable", reason=error.message, error=cause, times=times)
    match error:
        case BellwireError():
            return error
        case NotFoundException():
            return NotFound("no such path")
        case MethodNotAllowedException(headers=headers):
            known = (headers or {}).get("allow", "").split(", ")
            return MethodNotAllowed(sorted({*known, *(["HEAD"] if "GET" in known else [])} - {"OPTIONS"}))
        case asyncpg.DataError():
            return InvalidRequest("the request holds a value that cannot be stored")
        case HTTPException(status_code=status, detail=detail) if status < 500:
            return InvalidRequest(detail)
        case _:
            log.error("request failed", traceback="".join(_frames(error)))
            return Internal("something went wrong on our side; it has been logged")


def respond(_: "Request[Any, Any, Any]", error: Exception) -> Response[bytes]:
    """Litestar's hook for exceptions."""
    reply = envelope(understand(error))
    return Response(
        reply.body,
        status_code=reply.status,
        headers={name.decode(): value.decode() for name, value in reply.headers},
    )


def _frames(error: BaseException) -> Iterator[str]:
    """A traceback without the exceptions' messages, which may quote payloads and secrets."""
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if cause is not None:
        yield from _frames(cause)
    yield from traceback.format_tb(error.__traceback__)
    yield f"{type(error).__module__}.{type(error).__qualname__}\n"
