"""The life of one client, step by step, with no sockets."""

from typing import Any
from uuid import UUID

import msgspec
import pytest

from app.contract.credentials import Credentials
from app.services.auth import Identity
from realtime import protocol
from realtime.close_codes import CloseCode
from realtime.session import Authenticate, Close, Renew, Reply, Session, Stage

ENVIRONMENT = UUID(int=1)
CREDENTIALS = Credentials(environment="acme", subscriber_id="ann")


def identity(subscriber_id: str = "ann", expires_at: float | None = None) -> Identity:
    return Identity(ENVIRONMENT, "acme", subscriber_id, None, expires_at)


def live_session() -> Session:
    session = Session()
    session.begin(CREDENTIALS)
    session.proved(identity())
    session.opened()
    return session


def code(action: object) -> CloseCode:
    assert isinstance(action, Close)
    return action.code


def test_credentials_of_the_handshake_are_used_at_once() -> None:
    session = Session()
    assert session.begin(CREDENTIALS) == Authenticate(CREDENTIALS)
    assert session.stage is Stage.PROVING


def test_without_any_the_first_frame_names_the_subscriber() -> None:
    session = Session()
    assert session.begin(Credentials()) is None
    frame = b'{"type":"connect","environment":"acme","subscriber_id":"ann","token":null,"subscriber_hash":""}'
    assert session.receive(frame) == Authenticate(CREDENTIALS)


def test_connect_comes_once() -> None:
    frame = b'{"type":"connect","environment":"acme","subscriber_id":"ann"}'
    session = Session()
    session.receive(frame)
    assert code(session.receive(frame)) is CloseCode.MALFORMED
    assert code(live_session().receive(frame)) is CloseCode.MALFORMED


def test_ping_is_answered_at_every_stage() -> None:
    for session in (Session(), live_session()):
        assert session.receive(b'{"type":"ping"}') == Reply(protocol.PONG)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b'"ping"',
        b"{}",
        b'{"type":"pong"}',
        b'{"type":7}',
        b'{"type":"ping","extra":1}',
        b'{"type":"connect","environment":7}',
        b'{"type":"connect","subscriberId":"ann"}',
        b'{"type":"refresh"}',
        b'{"type":"connect","environment":"\\ud800"}',
        b"[" * 4096,
        b'{"type":"connect","environment":' + b"[" * 4000,
    ],
)
def test_what_is_not_a_frame_of_the_protocol_ends_the_session(data: bytes) -> None:
    assert code(Session().receive(data)) is CloseCode.MALFORMED


def test_text_that_is_not_utf8_ends_the_session() -> None:
    assert code(Session().receive(b'{"type":"\xff"}')) is CloseCode.INVALID_DATA


@pytest.mark.parametrize("field", ["environment", "subscriber_id", "subscriber_hash", "token"])
def test_a_credential_with_u0000_is_refused(field: str) -> None:
    frame = msgspec.json.encode({"type": "connect", field: "a\0b"})
    assert code(Session().receive(frame)) is CloseCode.UNAUTHORIZED


def test_twenty_frames_at_once_then_five_a_second() -> None:
    session = Session()
    assert [session.admit_frame(100.0) for _ in range(20)] == [None] * 20
    assert code(session.admit_frame(100.0)) is CloseCode.TOO_MANY_FRAMES
    patient = Session()
    for number in range(100):
        assert patient.admit_frame(100.0 + number / 5) is None


def test_only_a_session_without_credentials_times_out() -> None:
    assert code(Session().time_out()) is CloseCode.NO_CONNECT
    session = Session()
    session.begin(CREDENTIALS)
    assert session.time_out() is None
    assert live_session().time_out() is None


def test_a_token_is_renewed_for_the_same_subscriber_only() -> None:
    session = live_session()
    assert session.receive(b'{"type":"refresh","token":"t"}') == Renew("t")
    reply = session.renewed(identity(expires_at=1_700_000_000.5))
    assert isinstance(reply, Reply)
    assert decode(reply.frame) == {"type": "refreshed", "expires_at": "2023-11-14T22:13:20.500000Z"}
    assert code(session.renewed(identity("bob", 1_700_000_000.0))) is CloseCode.UNAUTHORIZED
    other = Identity(UUID(int=2), "other", "ann", None, 1_700_000_000.0)
    assert code(session.renewed(other)) is CloseCode.UNAUTHORIZED


def test_a_token_that_never_seems_to_end_is_shown_as_the_last_day() -> None:
    reply = live_session().renewed(identity(expires_at=1e300))
    assert isinstance(reply, Reply)
    assert decode(reply.frame)["expires_at"].startswith("9999-12-31")


def test_refresh_before_ready_ends_the_session() -> None:
    assert code(Session().receive(b'{"type":"refresh","token":"t"}')) is CloseCode.MALFORMED


def test_a_token_is_not_shown() -> None:
    assert "secret" not in repr(Renew("secret"))
    assert "secret" not in repr(Authenticate(Credentials(token="secret")))


def decode(frame: bytes) -> Any:
    """The JSON of a short server frame."""
    assert frame[0] == 0x81
    assert frame[1] == len(frame) - 2
    return msgspec.json.decode(frame[2:])
