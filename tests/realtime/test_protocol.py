"""Frames as bytes, held against the websockets library's own parser."""

import msgspec
import pytest
from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.protocol import State
from websockets.uri import parse_uri

from realtime import close_codes, protocol


def parse(data: bytes) -> list[Frame]:
    """The frames a client's library reads."""
    client = ClientProtocol(parse_uri("ws://localhost/"), state=State.OPEN)
    client.receive_data(data)
    assert client.parser_exc is None
    return [frame for frame in client.events_received() if isinstance(frame, Frame)]


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 65_535, 65_536, 100_000])
def test_a_text_frame_of_any_size_is_what_the_library_would_read(size: int) -> None:
    [frame] = parse(protocol.text(b"x" * size))
    assert (frame.opcode, frame.fin, len(frame.data)) == (Opcode.TEXT, True, size)


def test_server_frames_are_the_json_of_the_contract() -> None:
    frames = parse(
        protocol.ready("c1", 1, 2, 3)
        + protocol.counts(4, 5, 2**53 - 1)
        + protocol.goodbye("draining", 1234)
        + protocol.PONG
        + protocol.PINGS
    )
    assert [msgspec.json.decode(bytes(frame.data)) for frame in frames if frame.opcode is Opcode.TEXT] == [
        {
            "type": "ready",
            "connection_id": "c1",
            "unread": 1,
            "unseen": 2,
            "version": 3,
            "ping_interval_s": 25,
        },
        {"type": "counts", "unread": 4, "unseen": 5, "version": 2**53 - 1},
        {"type": "goodbye", "reason": "draining", "reconnect_after_ms": 1234},
        {"type": "pong"},
        {"type": "ping"},
    ]
    assert [frame.opcode for frame in frames].count(Opcode.PING) == 1


def test_a_close_reason_is_cut_between_characters() -> None:
    assert close_codes.cut_reason("é" * 200) == "é" * 61
    assert close_codes.cut_reason("short") == "short"
