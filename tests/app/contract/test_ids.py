"""TypeIDs: the published vector, round trips, and strict parsing."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.contract import ids

VECTOR = UUID("01890a5d-ac96-774b-bcce-b302099a8057")


def test_the_published_vector() -> None:
    assert ids.encode("notif", VECTOR) == "notif_01h455vb4pex5vsknk084sn02q"
    assert ids.decode("notif", "notif_01h455vb4pex5vsknk084sn02q") == VECTOR


@given(number=st.integers(0, (1 << 128) - 1))
def test_every_uuid_round_trips(number: int) -> None:
    value = UUID(int=number)
    assert ids.decode("bcast", ids.encode("bcast", value)) == value


@given(values=st.lists(st.uuids(), max_size=101))
def test_many_at_a_time_are_spelled_as_each_alone(values: list[UUID]) -> None:
    together = ids.encode_all(b"".join(value.bytes for value in values))
    assert [f"notif_{suffix}" for suffix in together] == [ids.encode("notif", value) for value in values]


@given(low=st.integers(0, (1 << 128) - 1), high=st.integers(0, (1 << 128) - 1))
def test_ids_sort_as_their_uuids_do(low: int, high: int) -> None:
    assert (low < high) == (ids.encode("env", UUID(int=low)) < ids.encode("env", UUID(int=high)))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "notif",
        "notif_",
        "bcast_01h455vb4pex5vsknk084sn02q",
        "notif_01h455vb4pex5vsknk084sn02",
        "notif_01h455vb4pex5vsknk084sn02q0",
        "notif_01H455VB4PEX5VSKNK084SN02Q",
        "notif_81h455vb4pex5vsknk084sn02q",
        "notif_01h455vb4pex5vsknk084sn02u",
        "notif_01h455vb4pex5vsknk084sn0-q",
        "notif_01h455vb4pex5vsknk084sn0\uff12q",
        " notif_01h455vb4pex5vsknk084sn02q",
        "NOTIF_01h455vb4pex5vsknk084sn02q",
        "notif__01h455vb4pex5vsknk084sn02",
    ],
)
def test_anything_else_is_no_id(text: str) -> None:
    assert ids.decode("notif", text) is None
