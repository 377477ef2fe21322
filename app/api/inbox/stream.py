"""/v1/inbox/stream: what a websocket brings, for those who cannot use one."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Final

from litestar import get
from litestar.types import Receive, Scope, Send

from app.api import edge
from app.api.auth import require_subscriber
from app.api.describe import Answer, Operation, Parameter, describe
from app.api.request import Request
from app.contract.errors import NotFound

_HEADERS: Final = [
    (b"content-type", b"text/event-stream"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
]


class EventStream:
    """An ASGI application that sends chunks until they end or the client has gone."""

    def __init__(self, chunks: AsyncGenerator[bytes]) -> None:
        self._chunks = chunks

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # A generator that was never begun is not told that it ends: its stream would count for ever.
        first = await anext(self._chunks)
        async with aclosing(self._chunks):
            await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
            if edge.sent_method(scope) == "HEAD":
                await send({"type": "http.response.body", "body": b"", "more_body": False})
                return
            sending = asyncio.create_task(self._send(first, send))
            leaving = asyncio.create_task(_gone(receive))
            try:
                await asyncio.wait((sending, leaving), return_when=asyncio.FIRST_COMPLETED)
            finally:
                leaving.cancel()
                sending.cancel()
                await asyncio.gather(sending, leaving, return_exceptions=True)

    async def _send(self, first: bytes, send: Send) -> None:
        await send({"type": "http.response.body", "body": first, "more_body": True})
        async for chunk in self._chunks:
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


@get(
    "/v1/inbox/stream",
    before_request=require_subscriber,
    opt=describe(
        Operation(
            summary="Follow the inbox as server-sent events",
            tag="Inbox",
            parameters=[
                Parameter(
                    "Last-Event-ID", "The `id` of the last event received, to hear of a gap.", where="header"
                ),
                Parameter("last_event_id", "The same, for clients that cannot set headers."),
            ],
            answers={
                200: Answer(
                    "`counts` first, then `hint`, `counts` and, before the server leaves, `retry`.",
                    str,
                    media_type="text/event-stream",
                )
            },
            errors=["too_many_connections"],
        )
    ),
)
async def follow_inbox(request: Request) -> EventStream:
    """A hint says that something changed; fetch what you show. Counts carry the new numbers."""
    streams = request.services.streams
    if streams is None:
        raise NotFound("streams are not served by this process")
    last_event_id = request.query.one("last_event_id")
    if (sent := request.header("last-event-id")) is not None:
        last_event_id = sent.decode("latin-1")
    return EventStream(await streams.open(request.identity, last_event_id))
