"""Bodies are refused for what no shape allows: bad UTF-8, depth, escapes that stand for no character."""

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.contract import bodies
from app.contract.admin import UserUpdate
from app.contract.errors import InvalidRequest
from app.contract.requests import MarkAllRequest, NotificationRequest, PreferencesRequest

_DECODER = msgspec.json.Decoder(NotificationRequest)


def nested(levels: int) -> bytes:
    """A request whose payload makes it nest to `levels`, its own object being the first."""
    inner = b"[" * (levels - 2) + b"]" * (levels - 2)
    return b'{"subscriber_id":"a","category":"c","payload":{"x":' + inner + b"}}"


def test_128_levels_are_fine_and_129_are_not() -> None:
    bodies.decode(nested(128), _DECODER)
    with pytest.raises(InvalidRequest, match="128"):
        bodies.decode(nested(129), _DECODER)


def test_brackets_inside_strings_are_no_depth() -> None:
    body = json.dumps({"subscriber_id": "a", "category": "c", "payload": {"x": "[{" * 500 + '\\"'}})
    bodies.decode(body.encode(), _DECODER)


@pytest.mark.parametrize(
    "escape",
    [r"\u0000", r"\ud800", r"\udc00", r"\ud800\ud800", r"\ud800x", r"\udbff\n", r"\\\u0000", r"\ud800\u0041"],
)
def test_an_escape_that_stands_for_no_character_is_refused_in_payloads_too(escape: str) -> None:
    body = f'{{"subscriber_id":"a","category":"c","payload":{{"x":"{escape}"}}}}'
    with pytest.raises(InvalidRequest):
        bodies.decode(body.encode(), _DECODER)


@pytest.mark.parametrize("escape", [r"\\u0000", r"\ud83d\ude00", r"\\ud800", r"\u0001", r"\\\\u0000"])
def test_escapes_that_do_are_kept_as_they_were_sent(escape: str) -> None:
    payload = f'{{"x":"{escape}"}}'
    body = f'{{"subscriber_id":"a","category":"c","payload":{payload}}}'
    assert bodies.decode(body.encode(), _DECODER).payload_text == payload


@given(text=st.text())
def test_every_string_that_json_can_write_is_judged_as_its_characters_are(text: str) -> None:
    """Refused exactly where the decoded string holds U+0000 (hypothesis makes no lone surrogates)."""
    body = json.dumps({"subscriber_id": "a", "category": "c", "payload": {"x": text}}).encode()
    if "\0" in text:
        with pytest.raises(InvalidRequest):
            bodies.decode(body, _DECODER)
    else:
        bodies.decode(body, _DECODER)


@given(body=st.binary())
def test_no_bytes_raise_anything_but_a_refusal(body: bytes) -> None:
    with pytest.raises(InvalidRequest):
        bodies.decode(body, _DECODER)


def test_a_refusal_names_the_field_and_the_rule() -> None:
    with pytest.raises(InvalidRequest, match="category"):
        bodies.decode(b'{"subscriber_id":"a","category":7}', _DECODER)
    with pytest.raises(InvalidRequest, match="deliverAt"):
        bodies.decode(b'{"subscriber_id":"a","category":"c","deliverAt":"2027-01-01T00:00:00Z"}', _DECODER)


@pytest.mark.parametrize(
    ("shape", "body", "refusal"),
    [
        (NotificationRequest, "null", "the body: Expected `object`, got `null`"),
        (NotificationRequest, "[1]", "the body: Expected `object`, got `array`"),
        (UserUpdate, '{"role":"root"}', "role: must be one of admin, developer, operator, viewer"),
        (
            PreferencesRequest,
            '{"preferences":[{"category":"c","channel":"sms","enabled":true}]}',
            "preferences[0].channel: must be in_app",
        ),
        (MarkAllRequest, '{"up_to":7}', "up_to: Expected `str | object | null`, got `int`"),
    ],
)
def test_a_refusal_names_the_body_and_lists_the_words_allowed(shape: type, body: str, refusal: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        bodies.decode(body.encode(), msgspec.json.Decoder(shape))
    assert refused.value.message == refusal
