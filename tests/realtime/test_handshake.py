"""Heads byte by byte, with no sockets."""

import pytest
from websockets.client import ClientProtocol
from websockets.http11 import Request
from websockets.protocol import State
from websockets.typing import Subprotocol
from websockets.uri import parse_uri

from app.contract.credentials import Credentials
from app.contract.errors import InvalidRequest
from realtime.handshake import MAX_HEAD_BYTES, Handshake, Plain, Refused, Upgrade
from realtime.protocol import SUBPROTOCOL


def client(path: str = "/v1/inbox/ws", *offered: str) -> tuple[ClientProtocol, Request]:
    """A client of the websockets library that is about to send this request."""
    subprotocols = [Subprotocol(name) for name in offered]
    protocol = ClientProtocol(parse_uri(f"ws://bellwire.test{path}"), subprotocols=subprotocols or None)
    return protocol, protocol.connect()


def upgrade(head: bytes) -> Upgrade:
    outcome = Handshake().receive(head)
    assert isinstance(outcome, Upgrade)
    return outcome


@pytest.mark.parametrize(
    ("offered", "chosen"),
    [([], None), ([SUBPROTOCOL], SUBPROTOCOL), (["other", SUBPROTOCOL], SUBPROTOCOL)],
)
def test_the_library_s_client_accepts_the_answer(offered: list[str], chosen: str | None) -> None:
    protocol, request = client("/v1/inbox/ws", *offered)
    protocol.receive_data(upgrade(request.serialize()).response)
    assert protocol.handshake_exc is None
    assert protocol.state is State.OPEN
    assert protocol.subprotocol == chosen
    assert protocol.extensions == []


def test_a_head_may_come_in_pieces_and_what_follows_it_is_kept() -> None:
    head = client()[1].serialize()
    handshake = Handshake()
    for at in range(len(head) - 1):
        assert handshake.receive(head[at : at + 1]) is None
    outcome = handshake.receive(head[-1:] + b"rest")
    assert isinstance(outcome, Upgrade)
    assert outcome.rest == b"rest"


def test_a_head_that_does_not_end_is_refused_once_it_is_too_large() -> None:
    handshake = Handshake()
    for _ in range(MAX_HEAD_BYTES // 1024):
        assert handshake.receive(b"x" * 1024) is None
    assert isinstance(handshake.receive(b"x" * 1024), Refused)


def test_another_path_is_a_plain_request() -> None:
    head = b"GET /he%61lthz?token=x HTTP/1.1\r\nHost: x\r\n\r\n"
    assert Handshake().receive(head) == Plain("GET", "/healthz")


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", Credentials()),
        ("environment=", Credentials()),
        ("environment=a&subscriber_id=b+c%2Bd", Credentials("a", "b c+d")),
        ("environment=a&unknown=1&unknown=2", Credentials("a")),
        ("%65nvironment=a&token=t", Credentials("a", token="t")),
    ],
)
def test_credentials_come_from_the_query(query: str, expected: Credentials) -> None:
    assert upgrade(client(f"/v1/inbox/ws?{query}")[1].serialize()).credentials == expected


@pytest.mark.parametrize(
    "query",
    [
        "environment=a&environment=a",
        "subscriber_id=%",
        "token=%ff",
        "x=1&%zz=1",
        "environment=a&x=%zz",
        "x=%ff",
    ],
)
def test_a_query_that_cannot_be_read_is_told_later(query: str) -> None:
    assert isinstance(upgrade(client(f"/v1/inbox/ws?{query}")[1].serialize()).credentials, InvalidRequest)


def test_a_header_goes_before_its_alias_and_both_before_the_query() -> None:
    _, request = client("/v1/inbox/ws?environment=query&subscriber_id=query")
    request.headers["X-Chimely-Environment"] = "alias"
    request.headers["X-Chimely-Subscriber"] = "alias"
    request.headers["X-Bellwire-Environment"] = "own"
    assert upgrade(request.serialize()).credentials == Credentials("own", "alias")


def test_a_header_given_twice_is_told_later() -> None:
    _, request = client()
    request.headers["X-Bellwire-Environment"] = "a"
    request.headers["X-Bellwire-Environment"] = "b"
    assert isinstance(upgrade(request.serialize()).credentials, InvalidRequest)
