"""Request bodies: strict JSON, refused with the field and the rule, never with a 500.

Payloads stay the bytes that were sent, so what the JSON decoder skips over is checked here: UTF-8,
depth, and escapes that stand for U+0000 or half a surrogate pair.
"""

import re
from typing import Final, TypeVar

import msgspec

from app.contract.errors import InvalidRequest

T = TypeVar("T")

MAX_DEPTH: Final = 128
_STRING: Final = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)
_ESCAPE: Final = re.compile(rb"\\(?:u([0-9a-fA-F]{4})|.)", re.DOTALL)


def decode(body: bytes, decoder: "msgspec.json.Decoder[T]") -> T:
    """Raises InvalidRequest, naming the field where the decoder knows it."""
    check(body)
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as error:
        raise InvalidRequest(_explain(str(error))) from None
    except (msgspec.DecodeError, RecursionError) as error:
        raise InvalidRequest(f"the body must be JSON: {error}") from None


def check(body: bytes) -> None:
    """Raises InvalidRequest for what is never acceptable, whatever the shape."""
    try:
        body.decode()
    except UnicodeDecodeError:
        raise InvalidRequest("the body must be valid UTF-8") from None
    if body.count(b"{") + body.count(b"[") > MAX_DEPTH and _depth(body) > MAX_DEPTH:
        raise InvalidRequest(f"the body must not nest deeper than {MAX_DEPTH} levels")
    if b"\\u" in body:
        _check_escapes(body)


def _depth(body: bytes) -> int:
    depth = deepest = 0
    for byte in _STRING.sub(b"", body):
        if byte in b"{[":
            depth += 1
            deepest = max(deepest, depth)
        elif byte in b"}]":
            depth -= 1
    return deepest


def _check_escapes(body: bytes) -> None:
    """An escape stands alone unless it is the first half of a pair: then the second must follow at once."""
    high_ends_at = -1
    for match in _ESCAPE.finditer(body):
        digits = match[1]
        code = -1 if digits is None else int(digits, 16)
        follows_high = match.start() == high_ends_at
        is_low = 0xDC00 <= code <= 0xDFFF
        if code == 0:
            raise InvalidRequest("strings must not contain U+0000")
        if is_low != follows_high or (high_ends_at >= 0 and not follows_high):
            raise InvalidRequest("strings must not contain half a surrogate pair")
        high_ends_at = match.end() if 0xD800 <= code <= 0xDBFF else -1
    if high_ends_at >= 0:
        raise InvalidRequest("strings must not contain half a surrogate pair")


def _explain(text: str) -> str:
    """`rule - at `$.field`` of the decoder, as `field: rule`."""
    rule, at, path = text.rpartition(" - at `")
    if not at:
        return text
    return f"{path.rstrip('`').removeprefix('$.').removeprefix('$') or 'the body'}: {rule}"
