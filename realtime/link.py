"""One connection to one Redis node, to listen or to probe. Only this file and broker.py know Redis.

redis-py spends 20 µs of interpreter time on a message, and never lets others run while there are more to
read; a reader of its own on the same C parser spends 1 µs, and takes turns.
"""

import asyncio
import ssl
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, cast

import hiredis
from redis.asyncio.connection import SSLConnection, parse_url

CONNECT_TIMEOUT_S: Final = 5.0
# Messages taken before others get their turn.
TURN: Final = 64
_NOT_YET: Final = object()
_MESSAGES: Final = (b"message", b"smessage")
_CONFIRMATIONS: Final = (b"subscribe", b"ssubscribe")

Receive = Callable[[bytes], None]


class LinkError(Exception):
    """Redis refused a command."""


class Link(asyncio.Protocol):
    """receive: is called with the payload of each message; it may be exchanged."""

    def __init__(self, hello: bytes, confirmations: int, receive: Receive) -> None:
        loop = asyncio.get_running_loop()
        self._hello = hello
        # Replies still to come before everything asked for is subscribed.
        self._unconfirmed = confirmations
        self.receive = receive
        self._reader = hiredis.Reader(notEnoughData=_NOT_YET)
        self._transport: asyncio.Transport
        self._loop = loop
        self._is_paused = False
        self.subscribed: asyncio.Future[None] = loop.create_future()
        if confirmations == 0:
            self.subscribed.set_result(None)
        self.lost: asyncio.Future[None] = loop.create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._transport.write(self._hello)

    def data_received(self, data: bytes) -> None:
        self._reader.feed(data)
        if not self._is_paused:
            self._take()

    def connection_lost(self, exc: Exception | None) -> None:
        self._end(exc or ConnectionResetError("Redis closed the connection"))

    def publish(self, channel: str, payload: str, *, sharded: bool) -> None:
        """Not on a link that listens: RESP2 allows no commands there. On a lost one nothing happens."""
        if not self._transport.is_closing():  # uvloop would raise
            self._transport.write(_pack("SPUBLISH" if sharded else "PUBLISH", channel, payload))

    def abort(self) -> None:
        self._transport.abort()

    def _take(self) -> None:
        """One turn; more to take means another turn soon, and no more reading until then."""
        try:
            for _ in range(TURN):
                reply = self._reader.gets()
                if reply is _NOT_YET:
                    if self._is_paused:
                        self._resume()
                    return
                if isinstance(reply, list) and reply[0] in _MESSAGES:
                    self.receive(reply[2])
                else:
                    self._reply(reply)
        except hiredis.HiredisError as error:
            self._end(LinkError(f"not a Redis server: {error}"))
            self.abort()
            return
        if not self._is_paused:
            self._is_paused = True
            self._transport.pause_reading()
        self._loop.call_soon(self._take)

    def _resume(self) -> None:
        self._is_paused = False
        if not self._transport.is_closing():
            self._transport.resume_reading()

    def _reply(self, reply: object) -> None:
        if isinstance(reply, hiredis.ReplyError):
            self._end(LinkError(str(reply)))
            self.abort()
        elif not isinstance(reply, list):
            return  # +OK of AUTH, the number of receivers of PUBLISH
        elif reply[0] in _CONFIRMATIONS:
            self._unconfirmed -= 1
            if self._unconfirmed == 0 and not self.subscribed.done():
                self.subscribed.set_result(None)
        elif reply[0] == b"sunsubscribe":
            self._end(LinkError("the cluster moved a shard channel to another node"))
            self.abort()

    def _end(self, error: Exception) -> None:
        for future in (self.subscribed, self.lost):
            if not future.done():
                future.set_exception(error)
                future.exception()  # retrieved: whoever waited may have gone


async def connect(url: str, channels: Iterable[str], receive: Receive, *, sharded: bool) -> Link:
    """A link subscribed to all the channels; with none, a link to publish on.

    Raises OSError, TimeoutError, LinkError.
    """
    options: dict[str, Any] = dict(parse_url(url))
    command = "SSUBSCRIBE" if sharded else "SUBSCRIBE"
    commands = [(command, channel) for channel in channels]
    subscriptions = len(commands)
    if "password" in options:
        user = (options["username"],) if "username" in options else ()
        commands.insert(0, ("AUTH", *user, options["password"]))
    hello = b"".join(_pack(*command) for command in commands)
    loop = asyncio.get_running_loop()

    def factory() -> Link:
        return Link(hello, subscriptions, receive)

    async with asyncio.timeout(CONNECT_TIMEOUT_S):
        if "path" in options:
            _, link = await loop.create_unix_connection(factory, options["path"])
        else:
            host, port = options.get("host", "localhost"), options.get("port", 6379)
            _, link = await loop.create_connection(factory, host, port, ssl=_tls(options))
        try:
            await link.subscribed
        except BaseException:
            link.abort()
            raise
    return link


def _pack(*command: str) -> bytes:
    return hiredis.pack_command(cast("Any", command))  # its stub knows one argument only


def _tls(options: Mapping[str, Any]) -> ssl.SSLContext | None:
    """What redis-py makes of the same URL, None without TLS."""
    if options.get("connection_class") is not SSLConnection:
        return None
    chosen = {name: value for name, value in options.items() if name.startswith("ssl_")}
    return SSLConnection(**chosen).ssl_context.get()
