"""What a handler says of itself to the OpenAPI document, beside the handler: the two stay together."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any, Final, Literal

import msgspec

Tag = Literal["Notifications", "Broadcasts", "Subscribers", "Inbox", "Admin", "Operations"]
NDJSON: Final = "application/x-ndjson"
_OPT: Final = "operation"


class Answer(msgspec.Struct, frozen=True):
    """What a success looks like. shape: a Struct, several of which it is one, or None for no body."""

    description: str
    shape: Any = None
    media_type: str = "application/json"
    headers: Mapping[str, str] = {}


class Parameter(msgspec.Struct, frozen=True):
    """A query parameter or header. schema: JSON Schema."""

    name: str
    description: str
    schema: Mapping[str, object] = msgspec.field(default_factory=lambda: {"type": "string"})
    where: Literal["query", "header"] = "query"
    required: bool = False


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """errors: codes beyond those that every operation of its plane can answer.

    body: the Struct it decodes, of one line where media_type is NDJSON; examples: bodies to try, by name,
    those that name a time as a function of the day that the document is built.
    """

    summary: str
    tag: Tag
    answers: Mapping[int, Answer]
    errors: Sequence[str] = ()
    parameters: Sequence[Parameter] = ()
    body: Any = None
    body_required: bool = True
    media_type: str = "application/json"
    examples: Mapping[str, object | Callable[[date], object]] = {}


def describe(operation: Operation) -> dict[str, Any]:
    """The `opt` of a route handler; its docstring is the description."""
    return {_OPT: operation}


def operation_of(opt: Mapping[str, Any]) -> Operation | None:
    return opt.get(_OPT)
