"""Request bodies: strict JSON, refused with the field and the rule, never with a 500.

Payloads stay the bytes that were sent, so what the JSON decoder skips over is checked here: UTF-8,
depth, and escapes that stand for U+0000 or half a surrogate pair.
"""

import itertools
import re
from typing import Final, TypeVar

import msgspec

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
        raise InvalidRequest(_explain(str(error), name)) from None
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


def _explain(text: str, name: str) -> str:
    """`rule - at `$.field`` of the decoder, as `field: rule`."""
    rule, at, path = text.rpartition(" - at `")
    if not at:
        return text
    return f"{path.rstrip('`').removeprefix('$.').removeprefix('$') or name}: {rule}"
