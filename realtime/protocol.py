"""The JSON frames of contract section 5 by direction, and how a frame becomes bytes.

A server frame is built once and written to every transport that needs it: it is not masked, so its
bytes are the same for everyone (RFC 6455, section 5.1).
"""

import struct
from typing import Final, Literal, TypeAlias

import msgspec

from app.contract import timestamps

PING_INTERVAL_S: Final = 25
SUBPROTOCOL: Final = "bellwire.v1"
MAX_FRAME_BYTES: Final = 4096  # of what a client sends
MAX_RECONNECT_AFTER_MS: Final = 60_000

GoodbyeReason = Literal["draining", "expired", "revoked", "erased", "slow_consumer"]


class Connect(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="connect"):
    """Who the client is. A token carries environment and subscriber by itself."""

    environment: str | None = None
    subscriber_id: str | None = None
    subscriber_hash: str | None = None
    token: str | None = None


class Ping(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="ping"):
    pass


class Refresh(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="refresh"):
    token: str


ClientFrame: TypeAlias = Connect | Ping | Refresh

_client_decoder: Final = msgspec.json.Decoder(ClientFrame)


def decode(data: bytes) -> ClientFrame:
    """Raises UnicodeDecodeError, msgspec.MsgspecError, RecursionError."""
    return _client_decoder.decode(data.decode())


# What a text frame of so many bytes begins with, where one byte says the size.
_SHORT_HEADS: Final = tuple(bytes((0x81, size)) for size in range(126))


def text(payload: bytes) -> bytes:
    """One whole text frame."""
    size = len(payload)
    if size < 126:
        return _SHORT_HEADS[size] + payload
    if size < 65_536:
        return struct.pack("!BBH", 0x81, 126, size) + payload
    return struct.pack("!BBQ", 0x81, 127, size) + payload


def ready(connection_id: str, unread: int, unseen: int, version: int) -> bytes:
    return text(
        b'{"type":"ready","connection_id":"%b","unread":%d,"unseen":%d,"version":%d,"ping_interval_s":%d}'
        % (connection_id.encode(), unread, unseen, version, PING_INTERVAL_S)
    )


def counts(unread: int, unseen: int, version: int) -> bytes:
    return text(b'{"type":"counts","unread":%d,"unseen":%d,"version":%d}' % (unread, unseen, version))


def goodbye(reason: GoodbyeReason, reconnect_after_ms: int) -> bytes:
    return text(
        b'{"type":"goodbye","reason":"%b","reconnect_after_ms":%d}' % (reason.encode(), reconnect_after_ms)
    )


def refreshed(expires_at: float) -> bytes:
    """expires_at: Unix seconds."""
    moment = timestamps.format_us(int(min(expires_at, _LAST_SECOND) * 1_000_000))
    return text(b'{"type":"refreshed","expires_at":"%b"}' % moment.encode())


PONG: Final = text(b'{"type":"pong"}')
# The protocol's ping, which the client's library answers, and ours, which the client can see.
PINGS: Final = b"\x89\x00" + text(b'{"type":"ping"}')

_LAST_SECOND: Final = 253_402_300_799.0  # 9999-12-31, the last day a timestamp can name
