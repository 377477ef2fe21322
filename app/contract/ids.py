"""TypeIDs: a prefix, `_` and a UUIDv7 in 26 characters of Crockford's base32 (https://github.com/jetify-com/typeid)."""

import functools
from typing import Final, Literal
from uuid import UUID

Prefix = Literal["env", "key", "notif", "bcast", "job", "adm", "aud"]
Source = Literal["notification", "broadcast"]

_ALPHABET: Final = "0123456789abcdefghjkmnpqrstvwxyz"
# Two characters at a time: 1 024 pairs make an id thirteen look-ups.
_PAIRS: Final = tuple(high + low for high in _ALPHABET for low in _ALPHABET)
_VALUES: Final = {pair: value for value, pair in enumerate(_PAIRS)}
_SHIFTS: Final = tuple(range(120, -1, -10))
_LENGTH: Final = 26


# What was sent is answered and hinted, and a first page is read again and again.
@functools.lru_cache(maxsize=8192)
def encode(prefix: Prefix, value: UUID) -> str:
    number = value.int
    return f"{prefix}_" + "".join([_PAIRS[number >> shift & 1023] for shift in _SHIFTS])


def encode_item(source: Source, value: UUID) -> str:
    return encode("notif" if source == "notification" else "bcast", value)


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
    return decode("notif" if source == "notification" else "bcast", text)
