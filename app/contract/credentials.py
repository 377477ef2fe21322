"""Where a subscriber's credentials stand in a request: contract section 1, the same for HTTP and sockets."""

from collections.abc import Callable
from typing import Final

import msgspec

from app.contract import strings

# Header, alias header, query parameter.
ENVIRONMENT: Final = ("x-bellwire-environment", "x-chimely-environment", "environment")
SUBSCRIBER: Final = ("x-bellwire-subscriber", "x-chimely-subscriber", "subscriber_id")
HASH: Final = ("x-bellwire-subscriber-hash", "x-chimely-subscriber-hash", "subscriber_hash")
AUTHORIZATION: Final = "authorization"
TOKEN: Final = "token"  # noqa: S105 - the parameter's name
QUERY_NAMES: Final = frozenset({ENVIRONMENT[2], SUBSCRIBER[2], HASH[2], TOKEN})


class Credentials(msgspec.Struct, frozen=True):
    """What a request says of itself, unproven."""

    environment: str | None = None
    subscriber_id: str | None = None
    subscriber_hash: str | None = None
    token: str | None = None

    @property
    def is_empty(self) -> bool:
        return self == _NONE

    def __repr__(self) -> str:
        return f"Credentials({self.environment!r}, {self.subscriber_id!r})"


_NONE: Final = Credentials()


def read(header: Callable[[str], bytes | None], query: Callable[[str], str | None]) -> Credentials:
    """Credentials from a request. header: raw value by lower-case name; query: decoded value by name.

    Raises InvalidRequest where a value is badly encoded.
    """

    def value(names: tuple[str, str, str], decode: Callable[[bytes, str], str]) -> str | None:
        own, alias, parameter = names
        raw = header(own)
        if raw:
            return decode(raw, own)
        raw = header(alias)
        if raw and all(0x20 <= byte <= 0x7E for byte in raw):
            return raw.decode()
        return query(parameter) or None

    authorization = header(AUTHORIZATION) or b""
    scheme, _, bearer = authorization.partition(b" ")
    token = bearer.strip().decode("latin-1") if scheme.lower() == b"bearer" else None
    return Credentials(
        environment=value(ENVIRONMENT, strings.utf8),
        subscriber_id=value(SUBSCRIBER, strings.percent_decode),
        subscriber_hash=value(HASH, strings.utf8),
        token=token or query(TOKEN) or None,
    )
