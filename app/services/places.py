"""Cursors of management lists: where a page ended, opaque to callers."""

import base64
import binascii
from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec

from app.contract import timestamps
from app.contract.errors import InvalidRequest

_MOST_US: Final = 253_370_764_800_000_000  # the year 9999


class TimedPlace(msgspec.Struct, frozen=True):
    """Of a list ordered by a time, and by id where times are equal."""

    time: datetime
    id: UUID

    def encode(self) -> str:
        us = timestamps.to_us(self.time)
        return _encode(us.to_bytes(8, "big", signed=True) + self.id.bytes)

    @classmethod
    def decode(cls, text: str) -> "TimedPlace":
        """Raises InvalidRequest."""
        raw = _decode(text, 24)
        us = int.from_bytes(raw[:8], "big", signed=True)
        if not 0 <= us < _MOST_US:
            raise _not_ours()
        return cls(timestamps.from_us(us), UUID(bytes=raw[8:]))


def encode_place(place: UUID) -> str:
    return _encode(place.bytes)


def decode_place(text: str) -> UUID:
    """Raises InvalidRequest."""
    return UUID(bytes=_decode(text, 16))


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _decode(text: str, length: int) -> bytes:
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise _not_ours() from None
    if len(raw) != length:
        raise _not_ours()
    return raw


def _not_ours() -> InvalidRequest:
    return InvalidRequest("cursor must be one that this server gave out")
