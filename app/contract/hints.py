r"""What travels over Redis: which channel, and the envelope.

An envelope is one line of routing, a newline, and the frame that goes to the client byte for byte:

    1 <environment>.<inbox> <reason> <committed at, µs>\n{"type":"hint",…}
    1 <environment>.* <reason> <committed at, µs> <category as JSON>\n{"type":"hint",…}

The second form is a broadcast: every connection of the environment, but for those who muted the
category. `1` is the envelope's version; a reader skips versions it does not know.
"""

import zlib
from collections.abc import Sequence
from typing import Final, Literal
from uuid import UUID

import msgspec

from app.contract import ids
from app.contract.ids import PREFIXES, Source

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

    routing_key: bytes
    reason: Reason
    at_us: int
    category: str | None
    frame: bytes


def routing_key(environment_id: UUID, inbox_id: UUID) -> bytes:
    return f"{environment_id.hex}.{inbox_id.hex}".encode()


def broadcast_key(environment_id: UUID) -> bytes:
    return f"{environment_id.hex}.*".encode()


def channel(key: bytes) -> str:
    """The shard channel that messages with this routing key travel on."""
    return CHANNELS[zlib.crc32(key) % SHARDS]


def frame(reason: Reason, item: str | None = None) -> bytes:
    """The hint frame a client receives; item is the TypeID of the one item concerned."""
    if item is None:
        return b'{"type":"hint","reason":"%b"}' % reason.encode()
    return b'{"type":"hint","reason":"%b","id":"%b"}' % (reason.encode(), item.encode())


def encode(batch: Sequence[Hint]) -> list[tuple[str, bytes]]:
    """The channel each hint travels on, and its envelope."""
    items = iter(ids.encode_all(b"".join([hint.item_id.bytes for hint in batch if hint.item_id is not None])))
    return [_encode(hint, None if hint.item_id is None else next(items)) for hint in batch]


def _encode(hint: Hint, name: str | None) -> tuple[str, bytes]:
    if hint.inbox_id is None:
        key = broadcast_key(hint.environment_id)
        category = b" " + msgspec.json.encode(hint.category)
    else:
        key = routing_key(hint.environment_id, hint.inbox_id)
        category = b""
    item = None if name is None else f"{PREFIXES[hint.source]}_{name}"
    head = b"1 %b %b %d" % (key, hint.reason.encode(), hint.at_us)
    return channel(key), head + category + b"\n" + frame(hint.reason, item)


def decode(message: bytes) -> Envelope | None:
    """None for an envelope of another version, or none at all."""
    head, newline, body = message.partition(b"\n")
    fields = head.split(b" ", 4)
    if not newline or len(fields) < 4 or fields[0] != b"1":
        return None
    try:
        return Envelope(
            fields[1],
            fields[2].decode(),  # pyright: ignore[reportArgumentType] - opaque here, listed by Reason
            int(fields[3]),
            msgspec.json.decode(fields[4], type=str) if len(fields) > 4 else None,
            body,
        )
    except (ValueError, msgspec.DecodeError):
        return None
