"""Which times a caller may say: those of the years 1970 to 9998, as they are in UTC. How they are spelled."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.contract import timestamps


@pytest.mark.parametrize(
    ("text", "accepted"),
    [
        ("1970-01-01T00:00:00+00:00", True),
        ("1969-12-31T23:59:59.999999+00:00", False),
        ("1970-01-01T00:00:00+00:01", False),
        ("1969-12-31T23:59:00-00:01", True),
        ("9998-12-31T23:59:59.999999+00:00", True),
        ("9999-01-01T00:00:00+00:00", False),
        ("9998-12-31T23:59:59.999999-23:59", False),
        ("9999-01-01T00:00:00+00:01", True),
        ("9999-12-31T23:59:59.999999-23:59", False),
        ("0001-01-01T00:00:00+23:59", False),
        ("2030-01-01T00:00:00", False),
    ],
)
def test_the_offset_counts(text: str, *, accepted: bool) -> None:
    moment = datetime.fromisoformat(text)
    assert timestamps.is_acceptable(moment) == accepted
    if accepted:
        assert 1970 <= moment.astimezone(UTC).year <= 9998


@given(moment=st.datetimes(datetime(1970, 1, 1), datetime(9999, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001
def test_a_time_is_spelled_with_six_digits_in_utc(moment: datetime) -> None:
    spelled = timestamps.format_datetime(moment)
    assert spelled == f"{moment.replace(tzinfo=None).isoformat(timespec='microseconds')}Z"
    assert datetime.fromisoformat(spelled) == moment


@given(us=st.lists(st.integers(0, timestamps.to_us(datetime(9999, 1, 1, tzinfo=UTC)) - 1)))
def test_many_at_a_time_are_spelled_as_each_alone(us: list[int]) -> None:
    positions = b"".join(timestamps.position_floor(one).bytes for one in us)
    assert timestamps.format_positions(positions) == [timestamps.format_us(one) for one in us]
