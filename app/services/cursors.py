"""Cursors of the inbox: the place of the last item of a page, opaque to callers."""

import base64
import binascii
from typing import Final
from uuid import UUID

import msgspec

from app.contract import timestamps
from app.contract.errors import InvalidRequest
from app.contract.ids import Source
from app.contract.pages import Columns, source_of

_MOST_US: Final = (1 << 48) * 1000 - 1  # what a position's 48 bits of milliseconds can hold
_SOURCES: Final[dict[bytes, Source]] = {b"n": "notification", b"b": "broadcast"}


class Cursor(msgspec.Struct, frozen=True):
    """us: microseconds since 1970. A position only; what it is used with may change between pages."""

    us: int
    source: Source

    @classmethod
    def after(cls, columns: Columns) -> "Cursor":
        """After the last of these items."""
        last = UUID(bytes=columns.positions[-16:])
        return cls(timestamps.position_us(last), source_of(columns.flags[-1]))

    def encode(self) -> str:
        return base64.urlsafe_b64encode(f"{self.source[0]}{self.us}".encode()).decode().rstrip("=")

    @classmethod
    def decode(cls, text: str) -> "Cursor":
        """Raises InvalidRequest."""
        try:
            raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            raw = b""
        source, digits = _SOURCES.get(raw[:1]), raw[1:]
        if source is None or not digits.isdigit() or len(digits) > 18 or not 0 < int(digits) <= _MOST_US:
            raise InvalidRequest("cursor must be one that this server gave out")
        return cls(int(digits), source)
