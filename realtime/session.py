"""The life of one client, without I/O: what it may say when, and what that asks of the gateway.

    AWAITING ──connect──▶ PROVING ──opened──▶ LIVE
        └────────────────────┴──────────────────┴──▶ OVER

Credentials in the handshake skip AWAITING. Every method that takes a frame returns the one action that
follows from it; the connection carries it out.
"""

from enum import Enum
from typing import Final, TypeAlias

import msgspec

from app.contract import strings
from app.contract.credentials import Credentials
from app.contract.errors import InvalidRequest
from app.services.auth import Identity
from realtime import protocol
from realtime.close_codes import CloseCode

CONNECT_TIMEOUT_S: Final = 10.0
FRAMES_PER_S: Final = 5
FRAMES_BURST: Final = 20


class Stage(Enum):
    AWAITING = "awaiting"
    PROVING = "proving"
    LIVE = "live"
    OVER = "over"


class Authenticate(msgspec.Struct, frozen=True):
    """Check these credentials, then open the inbox they name."""

    credentials: Credentials


class Renew(msgspec.Struct, frozen=True):
    """Check this token, then tell renewed()."""

    token: str

    def __repr__(self) -> str:
        return "Renew(…)"


class Reply(msgspec.Struct, frozen=True):
    """Write these bytes."""

    frame: bytes


class Close(msgspec.Struct, frozen=True):
    code: CloseCode
    reason: str


Action: TypeAlias = Authenticate | Renew | Reply | Close


class Session:
    """Times are seconds of one monotonic clock."""

    __slots__ = ("_allowance", "_last_frame_at", "identity", "stage")

    def __init__(self) -> None:
        self.stage = Stage.AWAITING
        # Who the client has proved to be; None until then.
        self.identity: Identity | None = None
        # How many frames the client might send at the time of its last one.
        self._allowance = float(FRAMES_BURST)
        self._last_frame_at = 0.0

    def begin(self, credentials: Credentials) -> Authenticate | None:
        """The credentials of the handshake; none at all leave it to the first frame."""
        if credentials.is_empty:
            return None
        self.stage = Stage.PROVING
        return Authenticate(credentials)

    def admit_frame(self, now: float) -> Close | None:
        """Counts one frame of any kind against the client's allowance."""
        gained = (now - self._last_frame_at) * FRAMES_PER_S
        self._allowance = min(FRAMES_BURST, self._allowance + gained) - 1
        self._last_frame_at = now
        if self._allowance < 0:
            return Close(CloseCode.TOO_MANY_FRAMES, "too many frames")
        return None

    def receive(self, data: bytes) -> Action | None:
        """One whole text frame."""
        try:
            frame = protocol.decode(data)
        except UnicodeDecodeError:
            return Close(CloseCode.INVALID_DATA, "text frames are UTF-8")
        except (msgspec.MsgspecError, RecursionError) as error:
            return Close(CloseCode.MALFORMED, f"not a frame of this protocol: {error}")
        match frame:
            case protocol.Ping():
                return Reply(protocol.PONG)
            case protocol.Connect():
                return self._connect(frame)
            case protocol.Refresh():
                if self.stage is not Stage.LIVE:
                    return Close(CloseCode.MALFORMED, "refresh before ready")
                return Renew(frame.token)

    def time_out(self) -> Close | None:
        """CONNECT_TIMEOUT_S have passed since the socket opened."""
        if self.stage is not Stage.AWAITING:
            return None
        return Close(CloseCode.NO_CONNECT, "no connect in time")

    def proved(self, identity: Identity) -> None:
        self.identity = identity

    def opened(self) -> None:
        self.stage = Stage.LIVE

    def renewed(self, identity: Identity) -> Reply | Close:
        """The token of a Renew held, and says this."""
        current = self.identity
        if current is None or (current.environment_id, current.subscriber_id) != (
            identity.environment_id,
            identity.subscriber_id,
        ):
            return Close(CloseCode.UNAUTHORIZED, "the token is another subscriber's")
        self.identity = identity
        return Reply(protocol.refreshed(identity.expires_at or 0.0))

    def _connect(self, frame: protocol.Connect) -> Authenticate | Close:
        if self.stage is not Stage.AWAITING:
            return Close(CloseCode.MALFORMED, "connect once only")
        values = (frame.environment, frame.subscriber_id, frame.subscriber_hash, frame.token)
        try:
            for value in values:
                strings.utf8((value or "").encode("utf-8", "surrogatepass"), "connect")
        except InvalidRequest as error:
            return Close(CloseCode.UNAUTHORIZED, error.message)
        self.stage = Stage.PROVING
        # An empty value is an absent one, as in a query.
        return Authenticate(Credentials(*(value or None for value in values)))
