"""What explains one field of the document."""

from typing import Any, Final

import msgspec

_TIME: Final = "2026-11-25T16:19:31.105525Z"


class Word(msgspec.Struct, frozen=True):
    """schema: what JSON Schema can say of the field that its type does not."""

    description: str
    schema: dict[str, Any]


def word(description: str, **schema: Any) -> Word:
    return Word(description, schema)


def time(description: str) -> Word:
    return word(description, format="date-time", examples=[_TIME])
