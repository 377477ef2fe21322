"""TypeIDs: a prefix, `_` and a UUIDv7 in 26 characters of Crockford's base32 (https://github.com/jetify-com/typeid)."""

import functools
from typing import Final, Literal
from uuid import UUID

Prefix = Literal["env", "key", "notif", "bcast", "job", "adm", "aud"]
Source = Literal["notification", "broadcast"]
PREFIXES: Final[dict[Source, Prefix]] = {"notification": "notif", "broadcast": "bcast"}

_ALPHABET: Final = "0123456789abcdefghjkmnpqrstvwxyz"
# Two characters at a time: 1 024 pairs make an id thirteen look-ups.
_PAIRS: Final = tuple(high + low for high in _ALPHABET for low in _ALPHABET)
_VALUES: Final = {pair: value for value, pair in enumerate(_PAIRS)}
_SHIFTS: Final = tuple(range(120, -1, -10))
_LENGTH: Final = 26
_CHARACTERS: Final = _ALPHABET.encode() + bytes(256 - 32)  # bytes.translate()'s
_PADDING: Final = bytes(16)
_AT_A_TIME: Final = 64  # ids spelled together: their masks are kept for each number of them


def encode(prefix: Prefix, value: UUID) -> str:
    number = value.int
    return f"{prefix}_" + "".join([_PAIRS[number >> shift & 1023] for shift in _SHIFTS])


def encode_item(source: Source, value: UUID) -> str:
    return encode(PREFIXES[source], value)


def encode_all(values: bytes) -> list[str]:
    """What follows the `_` in each of many ids, which are 16 bytes each, one after the other."""
    step = 16 * _AT_A_TIME
    return [name for at in range(0, len(values), step) for name in _spell(values[at : at + step])]


def _spell(values: bytes) -> list[str]:
    """They are one long number with 256 bits for each id. Its groups of five bits are moved apart until each
    has a byte: in halves of 80, of 40, of 20, of 10, of 5.
    """
    size = len(values) // 16
    number = int.from_bytes(b"".join([_PADDING + values[at : at + 16] for at in range(0, 16 * size, 16)]))
    for high, low, shift in _masks(size):
        number = (number & high) << shift | number & low
    spelled = number.to_bytes(32 * size).translate(_CHARACTERS).decode()
    return [spelled[at : at + _LENGTH] for at in range(32 - _LENGTH, 32 * size, 32)]


@functools.cache
def _masks(size: int) -> list[tuple[int, int, int]]:
    """For each step of _spell(): the upper halves, the lower halves, and how far the upper ones move."""
    steps: list[tuple[int, int, int]] = []
    for bits, room in ((80, 128), (40, 64), (20, 32), (10, 16), (5, 8)):
        low = sum((1 << bits) - 1 << at for at in range(0, 256 * size, 2 * room))
        steps.append((low << bits, low, room - bits))
    return steps


def decode(prefix: Prefix, text: str) -> UUID | None:
    """The UUID behind a TypeID of this prefix, or None where the text is not exactly one."""
    head, _, suffix = text.partition("_")
    if head != prefix or len(suffix) != _LENGTH or suffix[0] > "7":
        return None
    number = 0
    for at in range(0, _LENGTH, 2):
        value = _VALUES.get(suffix[at : at + 2])
        if value is None:
            return None
        number = number << 10 | value
    return UUID(int=number)


def decode_item(source: Source, text: str) -> UUID | None:
    return decode(PREFIXES[source], text)
