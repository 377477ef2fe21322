"""Request bodies: strict JSON, refused with the field and the rule, never with a 500.

Payloads stay the bytes that were sent, so what the JSON decoder skips over is checked here: UTF-8,
depth, and escapes that stand for U+0000 or half a surrogate pair.
"""

import itertools
import re
from collections.abc import Sequence
from typing import Any, Final, TypeVar

import msgspec
from msgspec.inspect import ListType, LiteralType, StructType, Type, UnionType

from app.contract.errors import InvalidRequest

T = TypeVar("T")

MAX_DEPTH: Final = 128
_STRING: Final = re.compile(rb'"(?:[^"\\]|\\.)*+"', re.DOTALL)
_ALL_BUT_BRACKETS: Final = bytes(byte for byte in range(256) if byte not in b"{}[]")
_UP_OR_DOWN: Final = bytes.maketrans(b"{[}]", b"\x01\x01\xff\xff")  # +1 and -1 as signed bytes
# As far as every escape stands for a character: none for U+0000, halves of a surrogate pair only together.
_WELL_ESCAPED: Final = re.compile(
    rb"(?:[^\\]++|\\[^u]|\\u(?!0000|[dD][89a-fA-F])|\\u[dD][89abAB]..\\u[dD][c-fC-F]..)*+", re.DOTALL
)


def decode(body: bytes, decoder: "msgspec.json.Decoder[T]", name: str = "the body") -> T:
    """Name is what an error calls it. Raises InvalidRequest, naming the field where the decoder knows it."""
    check(body, name)
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as error:
        raise InvalidRequest(_explain(str(error), decoder.type, name)) from None
    except (msgspec.DecodeError, RecursionError) as error:
        raise InvalidRequest(f"{name} must be JSON: {error}") from None


def check(body: bytes, name: str = "the body") -> None:
    """Raises InvalidRequest for what is never acceptable, whatever the shape."""
    try:
        body.decode()
    except UnicodeDecodeError:
        raise InvalidRequest(f"{name} must be valid UTF-8") from None
    if body.count(b"{") + body.count(b"[") > MAX_DEPTH and _depth(body) > MAX_DEPTH:
        raise InvalidRequest(f"{name} must not nest deeper than {MAX_DEPTH} levels")
    if b"\\u" in body:
        _check_escapes(body)


def _depth(body: bytes) -> int:
    """Without a loop in Python: a mebibyte of brackets must not hold up everyone else."""
    steps = _STRING.sub(b"", body).translate(_UP_OR_DOWN, _ALL_BUT_BRACKETS)
    return max(itertools.accumulate(memoryview(steps).cast("b")), default=0)


def _check_escapes(body: bytes) -> None:
    """Raises InvalidRequest. Escapes that are not JSON at all are left to the decoder."""
    well = _WELL_ESCAPED.match(body)
    escape = b"" if well is None else body[well.end() : well.end() + 6]
    if escape == rb"\u0000":
        raise InvalidRequest("strings must not contain U+0000")
    if escape[:3].lower() == rb"\ud":
        raise InvalidRequest("strings must not contain half a surrogate pair")


def _explain(text: str, shape: Any, name: str) -> str:
    """`rule - at `$.field`` of the decoder, as `field: rule`. What has no field is about the body itself."""
    rule, at, path = text.rpartition(" - at `")
    if not at:
        return f"{name}: {text}" if text.startswith("Expected `") else text
    path = path.rstrip("`").removeprefix("$.").removeprefix("$")
    if rule.startswith("Invalid enum value") and (allowed := _allowed(shape, path)):
        rule = f"must be {'one of ' if len(allowed) > 1 else ''}{', '.join(allowed)}"
    return f"{path or name}: {rule}"


def _allowed(shape: Any, path: str) -> Sequence[str]:
    """The words that may stand at a path such as `preferences[0].channel`."""
    kinds = _kinds(msgspec.inspect.type_info(shape))
    for step in re.findall(r"[^.\[\]]+", path):
        kinds = [inner for kind in kinds for inner in _inside(kind, step)]
    return [str(word) for kind in kinds if isinstance(kind, LiteralType) for word in kind.values]


def _inside(kind: Type, step: str) -> Sequence[Type]:
    match kind:
        case ListType(item_type=inner):
            return _kinds(inner)
        case StructType(fields=fields):
            return [inner for field in fields if field.encode_name == step for inner in _kinds(field.type)]
        case _:
            return []


def _kinds(kind: Type) -> Sequence[Type]:
    return kind.types if isinstance(kind, UnionType) else [kind]
