r"""What travels over Redis: which channel, and the envelope.

An envelope is one line of routing, a newline, and the frame that goes to the client byte for byte:

    1 <environment>.<inbox> <reason> <committed at, µs>\n{"type":"hint",…}
    1 <environment>.* <reason> <committed at, µs> <category as JSON>\n{"type":"hint",…}

The second form is a broadcast: every connection of the environment, but for those who muted the
category. `1` is the envelope's version; a reader skips versions it does not know.
"""

import zlib
from typing import Final, Literal
from uuid import UUID

import msgspec

from app.contract import ids
from app.contract.ids import Source

Reason = Literal[
    "notification",
    "broadcast",
    "read_state",
    "archive_state",
    "preferences",
    "retracted",
    "expired",
    "resync",
]

SHARDS: Final = 64  # never changes: a rolling upgrade would miss messages
CHANNELS: Final = tuple(f"bellwire:hints:{shard}" for shard in range(SHARDS))
WAKE_CHANNEL: Final = "bellwire:wake"  # tells sleeping workers to look at the clock again


class Hint(msgspec.Struct, frozen=True):
    """Something changed for one inbox, or for a whole environment.

    inbox_id None: a broadcast of this category, to all who have not muted it. item_id None: no single
    item; source says whether it names a notification or a broadcast. at_us: when it was committed.
    """

    environment_id: UUID
    inbox_id: UUID | None
    reason: Reason
    at_us: int
    source: Source = "notification"
    item_id: UUID | None = None
    category: str | None = None


class Envelope(msgspec.Struct, frozen=True):
    """A decoded envelope. routing_key as routing_key() or broadcast_key(); frame goes to clients as is."""

    routing_key: str
    reason: Reason
    at_us: int
    category: str | None
    frame: bytes


def routing_key(environment_id: UUID, inbox_id: UUID) -> str:
    return f"{environment_id.hex}.{inbox_id.hex}"


def broadcast_key(environment_id: UUID) -> str:
    return f"{environment_id.hex}.*"


def channel(key: str) -> str:
    """The shard channel that messages with this routing key travel on."""
    return CHANNELS[zlib.crc32(key.encode()) % SHARDS]


def frame(reason: Reason, item: str | None = None) -> bytes:
    """The hint frame a client receives; item is the TypeID of the one item concerned."""
    if item is None:
        return b'{"type":"hint","reason":"%b"}' % reason.encode()
    return b'{"type":"hint","reason":"%b","id":"%b"}' % (reason.encode(), item.encode())


def encode(hint: Hint) -> tuple[str, bytes]:
    """The channel a hint travels on, and its envelope."""
    item = None if hint.item_id is None else ids.encode_item(hint.source, hint.item_id)
    if hint.inbox_id is None:
        key = broadcast_key(hint.environment_id)
        category = b" " + msgspec.json.encode(hint.category)
    else:
        key = routing_key(hint.environment_id, hint.inbox_id)
        category = b""
    head = f"1 {key} {hint.reason} {hint.at_us}".encode()
    return channel(key), head + category + b"\n" + frame(hint.reason, item)


def route(message: bytes) -> str:
    """The routing key of an envelope, without looking at the rest: most are for other processes."""
    return message[2 : message.find(b" ", 2)].decode("latin-1")


def decode(message: bytes) -> Envelope | None:
    """None for an envelope of another version, or none at all."""
    head, newline, body = message.partition(b"\n")
    fields = head.split(b" ", 4)
    if not newline or len(fields) < 4 or fields[0] != b"1":
        return None
    try:
        return Envelope(
            routing_key=fields[1].decode(),
            reason=fields[2].decode(),  # pyright: ignore[reportArgumentType] - opaque here, listed by Reason
            at_us=int(fields[3]),
            category=msgspec.json.decode(fields[4], type=str) if len(fields) > 4 else None,
            frame=body,
        )
    except (ValueError, msgspec.DecodeError):
        return None
