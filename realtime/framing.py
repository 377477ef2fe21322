"""The frames of one open websocket (RFC 6455) as its server sees them: by `websockets`, without any I/O."""

from collections.abc import Iterator
from typing import Final, cast

from websockets.frames import Frame, Opcode
from websockets.protocol import State
from websockets.server import ServerProtocol

from realtime import close_codes, protocol
from realtime.close_codes import CloseCode
from realtime.handshake import quiet
from realtime.session import Close

# A pong with nothing in it: head and mask (RFC 6455, section 5.2), the one thing idle clients send.
_PONG_HEAD: Final = b"\x8a\x80"
_PONG_SIZE: Final = len(_PONG_HEAD) + 4


class Framing:
    """What it has to say to the client is in answer(), or given by fail()."""

    __slots__ = ("_library", "_partial", "_unframed")

    def __init__(self) -> None:
        # Not the handshake's: that would keep the request for as long as the socket lives.
        self._library = ServerProtocol(state=State.OPEN, max_size=protocol.MAX_FRAME_BYTES, logger=quiet)
        # Bytes the library was given beyond its whole frames: 0 between two frames.
        self._unframed = 0
        # The fragments of a text message so far; None between messages.
        self._partial: bytearray | None = None

    @property
    def is_open(self) -> bool:
        """False once the client has closed, or broken the protocol."""
        return self._library.state is State.OPEN

    def is_pong(self, data: bytes) -> bool:
        """Whether data is one empty pong and no more: then receive() need not see it. The library takes as
        long over it as all else that keeps a connection alive.
        """
        return self._unframed == 0 and len(data) == _PONG_SIZE and data.startswith(_PONG_HEAD)

    def receive(self, data: bytes) -> Iterator[bytes | Close | None]:
        """For each frame that ends in data: the text message that ends with it, None where none does, or why
        the socket must close.
        """
        self._library.receive_data(data)
        self._unframed += len(data)
        for frame in cast("list[Frame]", self._library.events_received()):
            # Never too much: a length spelled longer than need be leaves more than 0, for good.
            self._unframed -= _least_size(len(frame.data))
            yield self._message(frame)

    def answer(self) -> bytes:
        """What the library would have written by now: pongs, closes."""
        return b"".join(self._library.data_to_send())

    def fail(self, code: CloseCode, reason: str) -> bytes:
        """Closes: what is to be written."""
        self._library.fail(code, close_codes.cut_reason(reason))
        return self.answer()

    def end(self) -> None:
        """Lets go of what refers back to the library, and would keep it until the collector came."""
        self._library.parser.close()
        self._library.parser_exc = None

    def _message(self, frame: Frame) -> bytes | Close | None:
        match frame.opcode:
            case Opcode.BINARY:
                return Close(CloseCode.UNSUPPORTED_DATA, "text frames only")
            case Opcode.TEXT if frame.fin:
                return bytes(frame.data)
            case Opcode.TEXT:
                self._partial = bytearray(frame.data)
            case Opcode.CONT if self._partial is not None:
                self._partial += frame.data
                if frame.fin:
                    whole, self._partial = bytes(self._partial), None
                    return whole
            case _:
                pass  # pings, pongs and closes are the library's
        return None


def _least_size(payload_bytes: int) -> int:
    """The least a client's frame of up to 65 535 payload bytes takes: head, length, mask and payload."""
    return payload_bytes + (6 if payload_bytes < 126 else 8)
