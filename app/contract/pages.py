"""A page of the inbox as the database has it, by columns, and its JSON: resources.Page, spelled without an
object for each item.
"""

import functools
from collections.abc import Sequence
from typing import Final

import msgspec

from app.contract import ids, timestamps
from app.contract.ids import PREFIXES, Source
from app.contract.resources import Item, Page

BROADCAST, READ, ARCHIVED = 4, 2, 1  # an item's flags, added up
_SOURCES: Final[tuple[Source, Source]] = ("notification", "broadcast")
_HOLE: Final = "<>"


class Columns(msgspec.Struct, frozen=True):
    """Newest first, and along each other. positions and ids: 16 bytes an item. payloads: JSON."""

    flags: Sequence[int] = ()
    positions: bytes = b""
    ids: bytes = b""
    categories: Sequence[str] = ()
    payloads: Sequence[str] = ()

    def __len__(self) -> int:
        return len(self.flags)

    def first(self, items: int) -> "Columns":
        return Columns(
            self.flags[:items],
            self.positions[: 16 * items],
            self.ids[: 16 * items],
            self.categories[:items],
            self.payloads[:items],
        )


def source_of(flags: int) -> Source:
    return _SOURCES[flags >= BROADCAST]


def encode_page(columns: Columns, next_cursor: str | None) -> bytes:
    """What msgspec.json.encode() makes of the resources.Page of these items."""
    items = [
        f"{a}{item_id}{b}{category}{c}{payload}{d}{time}{e}"
        for (a, b, c, d, e), item_id, category, payload, time in zip(
            map(_PIECES.__getitem__, columns.flags),
            ids.encode_all(columns.ids),
            map(_escape, columns.categories),
            columns.payloads,
            timestamps.format_positions(columns.positions),
            strict=True,
        )
    ]
    before, _, after = msgspec.json.encode(Page([], next_cursor)).partition(b"[]")
    return b"%b[%b]%b" % (before, ",".join(items).encode(), after)


def _pieces_of(flags: int) -> list[str]:
    """The JSON of an item, around its id, category, payload and time."""
    source = source_of(flags)
    item = Item(
        id=f"{PREFIXES[source]}_{_HOLE}",
        source=source,
        category=_HOLE,
        payload=msgspec.Raw(_HOLE.encode()),
        occurred_at=_HOLE,
        read=bool(flags & READ),
        archived=bool(flags & ARCHIVED),
    )
    return msgspec.json.encode(item).decode().split(_HOLE)


_PIECES: Final = [_pieces_of(flags) for flags in range(2 * BROADCAST)]


@functools.lru_cache(maxsize=1024)
def _escape(category: str) -> str:
    """As it stands between the quotes of a JSON string."""
    return msgspec.json.encode(category)[1:-1].decode()
