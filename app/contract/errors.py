"""Every error a caller can meet. They know neither HTTP nor websockets; each edge maps `code` once.

BellwireError
├── InvalidRequest       the request is malformed; the message names the field and the rule
├── Unauthorized         no valid proof of who is asking
│   └── TokenExpired     the proof was a token, and its time is over
├── Forbidden            known, but not allowed
├── NotFound             no such thing, or not this caller's
├── Conflict             at odds with what is there
├── PayloadTooLarge      the body is over its limit
├── RateLimited          (temporary) too many requests; retry_after_s
├── TooManyConnections   (temporary) too many streams or sockets of one subscriber; retry_after_s
└── Unavailable          (temporary) PostgreSQL is away, or a queue is full; retry_after_s
"""

from typing import ClassVar


class BellwireError(Exception):
    code: ClassVar[str]
    temporary: ClassVar[bool] = False

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class InvalidRequest(BellwireError):
    code = "invalid_request"


class Unauthorized(BellwireError):
    code = "unauthorized"


class TokenExpired(Unauthorized):
    pass


class Forbidden(BellwireError):
    code = "forbidden"


class NotFound(BellwireError):
    code = "not_found"


class Conflict(BellwireError):
    code = "conflict"


class PayloadTooLarge(BellwireError):
    code = "payload_too_large"


class TemporaryError(BellwireError):
    temporary = True

    def __init__(self, message: str, retry_after_s: int = 1) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class RateLimited(TemporaryError):
    code = "rate_limited"


class TooManyConnections(TemporaryError):
    code = "too_many_connections"


class Unavailable(TemporaryError):
    code = "unavailable"
