"""The first bytes of a connection, without I/O: a request's head, and whether it becomes a socket."""

import logging
from collections.abc import Sequence
from http import HTTPStatus
from typing import Final, TypeAlias

import msgspec
from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser
from websockets.datastructures import Headers
from websockets.exceptions import InvalidHandshake, InvalidMethod, InvalidProtocol, InvalidUpgrade
from websockets.http11 import Request
from websockets.server import ServerProtocol
from websockets.typing import Subprotocol

from app.contract import credentials, strings
from app.contract.credentials import Credentials
from app.contract.errors import InvalidRequest
from realtime import answers
from realtime.answers import Answer
from realtime.protocol import SUBPROTOCOL

MAX_HEAD_BYTES: Final = 16_384
_END_OF_HEAD: Final = b"\r\n\r\n"
_NO_BODIES: Final = "this port takes no bodies"
# The library logs heads, and with them proofs in queries, at DEBUG: this level is not for configuration.
quiet: Final = logging.getLogger("bellwire.websockets")
quiet.setLevel(logging.WARNING)


class Upgrade(msgspec.Struct, frozen=True):
    """response: bytes that make it a socket. rest: what the client sent after its head.

    credentials: InvalidRequest where they are badly encoded; told once the socket is open.
    """

    response: bytes
    rest: bytes
    origin: str | None
    credentials: Credentials | InvalidRequest


class Plain(msgspec.Struct, frozen=True):
    """A request for something other than the socket; path is decoded.

    fault: what makes it a 400 where the path and the method are known; None: nothing.
    """

    method: str
    path: str
    fault: str | None = None


class Refused(msgspec.Struct, frozen=True):
    method: str
    answer: Answer


Outcome: TypeAlias = Upgrade | Plain | Refused


class _Negotiation(ServerProtocol):
    # A method, as the library's argument for it would have the protocol refer to itself.
    def select_subprotocol(self, subprotocols: Sequence[Subprotocol]) -> Subprotocol | None:
        """Ours where it is offered; none where others are, or none."""
        return Subprotocol(SUBPROTOCOL) if SUBPROTOCOL in subprotocols else None


# One for all: what it learns of a request is read before the next.
_negotiation: Final = _Negotiation(logger=quiet)


class _Head:
    """What the parser calls. The library's own takes ten times as long, a sixth of a connect."""

    def __init__(self) -> None:
        self.target = b""
        self.headers = Headers()

    def on_url(self, part: bytes) -> None:
        self.target += part

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers[name.decode("latin-1")] = value.decode("latin-1")

    @property
    def announces_body(self) -> bool:
        return "Transfer-Encoding" in self.headers or not set(self.headers.get_all("Content-Length")) <= {"0"}


class Handshake:
    """Collects a head of at most MAX_HEAD_BYTES."""

    __slots__ = ("_head",)

    def __init__(self) -> None:
        self._head = bytearray()

    def receive(self, data: bytes) -> Outcome | None:
        """None while the head is not complete. Not to be called again after an outcome."""
        self._head += data
        head, end, rest = bytes(self._head).partition(_END_OF_HEAD)
        if len(head) > MAX_HEAD_BYTES:
            return _refused("", HTTPStatus.BAD_REQUEST, "the request's head is too large")
        return _judge(head + end, rest) if end else None


def _judge(data: bytes, rest: bytes) -> Outcome:
    head = _Head()
    parser = HttpRequestParser(head)
    try:
        parser.feed_data(data)
    except HttpParserUpgrade:
        pass  # where it stopped is the end of the head
    except HttpParserError:
        return _refused("", HTTPStatus.BAD_REQUEST, "not a request this port reads")
    method = parser.get_method().decode("latin-1")
    raw_path, _, query = head.target.partition(b"?")
    try:
        path = strings.percent_decode(raw_path, "the path")
    except InvalidRequest as error:
        return _refused(method, HTTPStatus.BAD_REQUEST, error.message)
    if path != answers.SOCKET_PATH:
        return Plain(method, path, _NO_BODIES if head.announces_body else _fault(query))
    if method not in ("GET", "HEAD"):
        return Refused(method, answers.method_not_allowed(method))
    if head.announces_body:
        return _refused(method, HTTPStatus.BAD_REQUEST, _NO_BODIES)
    return _upgrade(Request(path, head.headers, method, f"HTTP/{parser.get_http_version()}"), query, rest)


def _fault(query: bytes) -> str | None:
    try:
        _decode_query(query)
    except InvalidRequest as error:
        return error.message
    return None


def _upgrade(request: Request, query: bytes, rest: bytes) -> Upgrade | Refused:
    try:
        accept, _, subprotocol = _negotiation.process_request(request)
    except (InvalidMethod, InvalidProtocol, InvalidUpgrade):
        return Refused(request.method, answers.upgrade_required())
    except InvalidHandshake:
        return _refused(request.method, HTTPStatus.BAD_REQUEST, "not a valid websocket handshake")
    return Upgrade(
        response=_switch(accept, subprotocol),
        rest=rest,
        origin=_negotiation.origin,
        credentials=_credentials(request.headers, query),
    )


def _switch(accept: str, subprotocol: str | None) -> bytes:
    chosen = "" if subprotocol is None else f"Sec-WebSocket-Protocol: {subprotocol}\r\n"
    return (
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Accept: {accept}\r\n{chosen}\r\n"
    ).encode()


def _refused(method: str, status: HTTPStatus, message: str) -> Refused:
    return Refused(method, answers.error(status, message))


def _credentials(headers: Headers, query: bytes) -> Credentials | InvalidRequest:
    def header(name: str) -> bytes | None:
        values = headers.get_all(name)
        if len(values) > 1:
            raise InvalidRequest(f"{name} is given twice")
        return values[0].encode("latin-1") if values else None

    try:
        return credentials.read(header, _parse_query(query).get)
    except InvalidRequest as error:
        return error


def _parse_query(query: bytes) -> dict[str, str]:
    """The credential parameters of a query. Raises InvalidRequest."""
    found: dict[str, str] = {}
    for name, value in _decode_query(query):
        if name in found:
            raise InvalidRequest(f"{name} is given twice")
        if name in credentials.QUERY_NAMES:
            found[name] = value
    return found


def _decode_query(query: bytes) -> list[tuple[str, str]]:
    """Names and values. Raises InvalidRequest for what is badly encoded, also where nobody reads it."""
    found: list[tuple[str, str]] = []
    for pair in query.replace(b"+", b" ").split(b"&"):
        raw_name, _, raw_value = pair.partition(b"=")
        name = strings.percent_decode(raw_name, "the query")
        found.append((name, strings.percent_decode(raw_value, name)))
    return found
