"""Times on the wire: RFC 3339 in UTC with six fractional digits. Inside, microseconds since 1970."""

import functools
import struct
from datetime import UTC, date, datetime, timedelta
from typing import Final
from uuid import UUID

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_DAY: Final = date(1970, 1, 1).toordinal()
_MICROSECOND: Final = timedelta(microseconds=1)
_END: Final = datetime(9999, 1, 1, tzinfo=UTC)


def is_acceptable(moment: datetime) -> bool:
    """Whether a caller may say it: with an offset, and in the years 1970 to 9998 of UTC."""
    return moment.tzinfo is not None and _EPOCH <= moment < _END


def format_us(us: int) -> str:
    return _format(*divmod(us, 1000))


# By look-ups: datetime takes three times as long, and a page has twenty.
def _format(milliseconds: int, us: int) -> str:
    day, milliseconds = divmod(milliseconds, 86_400_000)
    minute, milliseconds = divmod(milliseconds, 60_000)
    second, milliseconds = divmod(milliseconds, 1000)
    return f"{_format_day(day)}T{_MINUTES[minute]}:{_DIGITS[second]}.{_DIGITS3[milliseconds]}{_DIGITS3[us]}Z"


@functools.lru_cache(maxsize=1024)
def _format_day(day: int) -> str:
    return date.fromordinal(_EPOCH_DAY + day).isoformat()


_MINUTES: Final = [f"{minute // 60:02}:{minute % 60:02}" for minute in range(1440)]
_DIGITS: Final = [f"{number:02}" for number in range(60)]
_DIGITS3: Final = [f"{number:03}" for number in range(1000)]


def format_datetime(moment: datetime) -> str:
    return format_us(to_us(moment))


def to_us(moment: datetime) -> int:
    return (moment - _EPOCH) // _MICROSECOND


def from_us(us: int) -> datetime:
    return _EPOCH + us * _MICROSECOND


def position_floor(us: int) -> UUID:
    """The lowest position of a microsecond: what is not below it lies at or after us."""
    milliseconds, rest = divmod(us, 1000)
    return UUID(int=milliseconds << 80 | 0x7 << 76 | rest << 64 | 0x8 << 60)


def position_us(position: UUID) -> int:
    """The microsecond a position holds: 48 bits of milliseconds, then 0-999 in rand_a (RFC 9562)."""
    number = position.int
    return (number >> 80) * 1000 + (number >> 64 & 0xFFF)


def format_positions(positions: bytes) -> list[str]:
    """The times of many positions, 16 bytes each."""
    return [_format(high >> 16, high & 0xFFF) for high, _ in struct.iter_unpack(">QQ", positions)]


def format_optional(moment: datetime | None) -> str | None:
    return None if moment is None else format_datetime(moment)
