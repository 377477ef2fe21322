"""What a string may be: well-formed UTF-8 without U+0000, of a length counted in bytes."""

import re
from typing import Final
from urllib.parse import unquote_to_bytes

from app.contract.errors import InvalidRequest

_SURROGATE: Final = re.compile(r"[\ud800-\udfff]")
_BAD_ESCAPE: Final = re.compile(rb"%(?![0-9A-Fa-f]{2})")


def percent_decode(raw: bytes, name: str) -> str:
    """Decodes once and strictly; name is what an error calls the value.

    Raises InvalidRequest.
    """
    if _BAD_ESCAPE.search(raw):
        raise InvalidRequest(f"{name} has a bad percent escape: write % as %25")
    return utf8(unquote_to_bytes(raw), name)


def utf8(raw: bytes, name: str) -> str:
    """Raises InvalidRequest."""
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        raise InvalidRequest(f"{name} must be valid UTF-8") from None
    if "\0" in text:
        raise InvalidRequest(f"{name} must not contain U+0000")
    return text


def is_well_formed(text: str) -> bool:
    """Whether it can be stored: no U+0000, no half of a surrogate pair."""
    return "\0" not in text and _SURROGATE.search(text) is None


def check_length(text: str, name: str, most: int = 255) -> None:
    """Raises InvalidRequest."""
    if not 1 <= len(text.encode()) <= most:
        raise InvalidRequest(f"{name} must be 1 to {most} bytes of UTF-8")
