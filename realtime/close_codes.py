"""Why a socket closes. 4000-4499 tell a client to come back, 4500-4999 to stop: contract section 5."""

from enum import IntEnum
from typing import Final

from app.contract.errors import (
    BellwireError,
    InvalidRequest,
    RateLimited,
    TokenExpired,
    TooManyConnections,
    Unauthorized,
    Unavailable,
)
from realtime.protocol import GoodbyeReason


class CloseCode(IntEnum):
    UNSUPPORTED_DATA = 1003
    INVALID_DATA = 1007
    INTERNAL_ERROR = 1011
    RESTART = 1012
    OVERLOADED = 1013
    NO_PONG = 4000
    SLOW_CONSUMER = 4001
    TOKEN_EXPIRED = 4002
    TOO_MANY_FRAMES = 4008
    TOO_MANY_CONNECTIONS = 4009
    MALFORMED = 4500
    UNAUTHORIZED = 4501
    NO_CONNECT = 4503
    REVOKED = 4505
    ORIGIN = 4506


# The most specific class first. What is not here is a fault of ours.
_BY_ERROR: Final[tuple[tuple[type[BellwireError], CloseCode], ...]] = (
    (TokenExpired, CloseCode.TOKEN_EXPIRED),
    (Unauthorized, CloseCode.UNAUTHORIZED),
    (InvalidRequest, CloseCode.UNAUTHORIZED),
    (RateLimited, CloseCode.TOO_MANY_FRAMES),
    (TooManyConnections, CloseCode.TOO_MANY_CONNECTIONS),
    (Unavailable, CloseCode.OVERLOADED),
)
OF_GOODBYE: Final[dict[GoodbyeReason, CloseCode]] = {
    "draining": CloseCode.RESTART,
    "expired": CloseCode.TOKEN_EXPIRED,
    "revoked": CloseCode.REVOKED,
    "erased": CloseCode.REVOKED,
    "slow_consumer": CloseCode.SLOW_CONSUMER,
}
_MOST_REASON_BYTES: Final = 123  # RFC 6455: a control frame holds 125 bytes, two of them the code


def of_error(error: BellwireError) -> CloseCode:
    return next((code for kind, code in _BY_ERROR if isinstance(error, kind)), CloseCode.INTERNAL_ERROR)


def cut_reason(text: str) -> str:
    """As much of a reason as a close frame holds, never cutting a character."""
    return text.encode()[:_MOST_REASON_BYTES].decode(errors="ignore")
