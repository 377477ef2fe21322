"""The same messages however the bytes of a client's frames are cut."""

import struct
from collections.abc import Iterable, Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Opcode

from realtime.close_codes import CloseCode
from realtime.framing import Framing
from realtime.session import Close

Said = bytes | Close


def sent(opcode: Opcode, data: bytes = b"", *, fin: bool = True, is_long: bool = False) -> bytes:
    """A client's frame, under a mask of zeros: what it carries looks like what it is.

    is_long: its length takes more bytes than it need.
    """
    head = opcode | (0x80 if fin else 0)
    size = len(data)
    lengths = struct.pack("!BH", 0xFE, size) if is_long or size > 125 else bytes([0x80 | size])
    return bytes([head]) + lengths + bytes(4) + data


PONG = sent(Opcode.PONG)


def heard(chunks: Iterable[bytes]) -> tuple[list[Said], int]:
    """What is said to a server that takes lone pongs as a connection does; and how many it took."""
    framing, said, pongs = Framing(), list[Said](), 0
    for chunk in chunks:
        if framing.is_pong(chunk):
            pongs += 1
        else:
            said += [message for message in framing.receive(chunk) if message is not None]
    assert framing.is_open
    return said, pongs


def cut(data: bytes, at: Sequence[int]) -> list[bytes]:
    edges = [0, *sorted({position for position in at if 0 < position < len(data)}), len(data)]
    return [data[start:end] for start, end in pairwise(edges)]


def fragments(text: bytes, at: Sequence[int]) -> bytes:
    """One message, with a pong after each of its parts."""
    parts = cut(text, at)
    last = len(parts) - 1
    return b"".join(
        sent(Opcode.CONT if number else Opcode.TEXT, part, fin=number == last) + PONG
        for number, part in enumerate(parts)
    )


# Now and then what looks like a lone pong, inside a message.
texts = st.one_of(st.binary(min_size=1, max_size=200), st.just(b"ab" + PONG + b"cd"))
places = st.lists(st.integers(1, 250), max_size=6)


@given(st.lists(st.tuples(texts, places), max_size=6), st.lists(st.integers(1, 2000), max_size=60))
def test_messages_are_the_same_however_they_are_cut(
    messages: list[tuple[bytes, list[int]]], at: list[int]
) -> None:
    data = b"".join(fragments(text, parts) for text, parts in messages)
    assert heard(cut(data, at))[0] == [text for text, _ in messages]


@pytest.mark.parametrize("is_long", [False, True])
def test_what_looks_like_a_pong_inside_a_message_is_part_of_it(*, is_long: bool) -> None:
    data = PONG + sent(Opcode.TEXT, PONG, is_long=is_long) + PONG
    for start in range(len(data)):
        for end in range(start, len(data)):
            assert heard(cut(data, [start, end]))[0] == [PONG]


def test_a_lone_pong_is_taken_as_one_and_nothing_else_is() -> None:
    assert heard([PONG, PONG]) == ([], 2)
    assert heard([PONG + PONG, sent(Opcode.PONG, b"1")]) == ([], 0)


def test_a_binary_frame_is_why_the_socket_closes() -> None:
    (said,), _ = heard([sent(Opcode.BINARY, b"{}")])
    assert isinstance(said, Close)
    assert said.code == CloseCode.UNSUPPORTED_DATA
