"""A page spelled from columns is, byte for byte, what encoding its Structs gives."""

from datetime import UTC, datetime
from typing import Final
from uuid import UUID

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from app.contract import ids, timestamps
from app.contract.pages import ARCHIVED, BROADCAST, READ, Columns, encode_page
from app.contract.resources import Item, Page

_END: Final = timestamps.to_us(datetime(9999, 1, 1, tzinfo=UTC))


class Line(msgspec.Struct, frozen=True):
    flags: int
    us: int
    id: UUID
    category: str
    payload: str


_texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
_lines = st.builds(
    Line,
    flags=st.integers(0, BROADCAST + READ + ARCHIVED),
    us=st.integers(0, _END - 1),
    id=st.uuids(),
    category=_texts,
    payload=_texts.map(lambda text: msgspec.json.encode({"title": text}).decode())
    | st.sampled_from(["{}", '{ "a" : 1e400,\n"b":[ ] }', '{"<>":"<>","items":[]}']),
)


@given(lines=st.lists(_lines, max_size=101), next_cursor=st.none() | st.just("bjE3OTU2MzQxMzQzOTM4Nzk"))
def test_it_is_what_the_structs_say(lines: list[Line], next_cursor: str | None) -> None:
    """Whatever the categories, payloads, states and sources; an empty page, and one of any length."""
    columns = Columns(
        [line.flags for line in lines],
        b"".join(timestamps.position_floor(line.us).bytes for line in lines),
        b"".join(line.id.bytes for line in lines),
        [line.category for line in lines],
        [line.payload for line in lines],
    )
    items = [
        Item(
            id=ids.encode("bcast" if line.flags & BROADCAST else "notif", line.id),
            source="broadcast" if line.flags & BROADCAST else "notification",
            category=line.category,
            payload=msgspec.Raw(line.payload.encode()),
            occurred_at=timestamps.format_us(line.us),
            read=bool(line.flags & READ),
            archived=bool(line.flags & ARCHIVED),
        )
        for line in lines
    ]
    spelled = encode_page(columns, next_cursor)
    assert spelled == msgspec.json.encode(Page(items, next_cursor))
    assert msgspec.json.decode(spelled, type=Page, strict=True) == Page(items, next_cursor)
    assert len(columns.first(3)) == min(3, len(lines))
    assert encode_page(columns.first(3), None) == msgspec.json.encode(Page(items[:3], None))
