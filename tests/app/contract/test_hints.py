"""The envelope: what is published is what a gateway reads, and channels never move."""

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from app.contract import hints, ids
from app.contract.hints import Hint

ENVIRONMENT = UUID("01890a5d-ac96-774b-bcce-b302099a8057")
INBOX = UUID("01890a5d-ac96-774b-bcce-b302099a8058")


def test_a_hint_about_one_item_of_one_inbox() -> None:
    [(channel, message)] = hints.encode([Hint(ENVIRONMENT, INBOX, "read_state", 17, "broadcast", INBOX)])
    envelope = hints.decode(message)
    assert envelope is not None
    assert envelope.routing_key == hints.routing_key(ENVIRONMENT, INBOX)
    assert (envelope.reason, envelope.at_us, envelope.category) == ("read_state", 17, None)
    assert envelope.frame == b'{"type":"hint","reason":"read_state","id":"bcast_01h455vb4pex5vsknk084sn02r"}'
    assert channel == hints.channel(envelope.routing_key)


def test_each_of_many_hints_names_its_own_item() -> None:
    items = [UUID(int=n * 2**121 // 200) if n % 3 else None for n in range(200)]
    batch = [Hint(ENVIRONMENT, INBOX, "resync", n, "notification", item) for n, item in enumerate(items)]
    for item, (_, message) in zip(items, hints.encode(batch), strict=True):
        named = None if item is None else ids.encode("notif", item)
        assert message.endswith(b"\n" + hints.frame("resync", named))


@given(category=st.text(min_size=1))
def test_any_category_travels_with_a_broadcast(category: str) -> None:
    """Spaces, newlines and quotes included: the head stays one line."""
    [(_, message)] = hints.encode([Hint(ENVIRONMENT, None, "broadcast", 1, "broadcast", INBOX, category)])
    envelope = hints.decode(message)
    assert envelope is not None
    assert envelope.category == category
    assert envelope.routing_key == hints.broadcast_key(ENVIRONMENT)


@given(message=st.binary())
def test_what_is_no_envelope_is_passed_over(message: bytes) -> None:
    hints.decode(message)


def test_another_version_is_passed_over() -> None:
    [(_, message)] = hints.encode([Hint(ENVIRONMENT, INBOX, "resync", 1)])
    assert hints.decode(b"2" + message[1:]) is None


def test_channels_never_move() -> None:
    """A rolling upgrade that moved one would lose hints: this line is not to be changed."""
    assert hints.SHARDS == 64
    assert hints.channel(hints.routing_key(ENVIRONMENT, INBOX)) == "bellwire:hints:33"
