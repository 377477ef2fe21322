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


# By look-ups: datetime takes three times as long, and there is one for each item of a page.
def format_us(us: int) -> str:
    seconds, us = divmod(us, 1_000_000)
    minutes, second = divmod(seconds, 60)
    day, minute = divmod(minutes, 1440)
    return f"{_format_day(day)}T{_MINUTES[minute]}:{_SECONDS[second]}.{us:06}Z"


_SECONDS: Final = [f"{second:02}" for second in range(60)]
_MINUTES: Final = [f"{minute // 60:02}:{minute % 60:02}" for minute in range(1440)]


@functools.lru_cache(maxsize=1024)
def _format_day(day: int) -> str:
    return date.fromordinal(_EPOCH_DAY + day).isoformat()


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


def positions_us(positions: bytes) -> list[int]:
    """Of many positions, 16 bytes each."""
    return [(high >> 16) * 1000 + (high & 0xFFF) for high, _ in struct.iter_unpack(">QQ", positions)]


def format_optional(moment: datetime | None) -> str | None:
    return None if moment is None else format_datetime(moment)
