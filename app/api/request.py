"""A request as handlers use it: who is asking, what was sent, and the services that answer."""

import time
from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from typing import Any, Final, TypeAlias, TypeVar, cast
from uuid import UUID

import msgspec
from litestar import Request as LitestarRequest
from litestar.datastructures import State

from app.api import body
from app.api.query import Query
from app.api.services import Services
from app.contract import bodies, ids, strings
from app.contract.errors import InvalidRequest, NotFound
from app.contract.ids import Source
from app.db.api_keys import ApiKey
from app.services.auth import Identity

T = TypeVar("T")
Proof: TypeAlias = "Callable[[Request], Awaitable[None]]"  # sets in the scope who is asking
SERVICES: Final = "services"  # key of the scope
# A proof is good for so long: with the half second for which keys and secrets are kept, that leaves time to
# act on it within the second that a revocation may take.
PROOF_S: Final = 0.25


class Request(LitestarRequest[Any, Any, State]):
    """Who is asking is known from app.api.auth on: api_key to the management plane, identity to the other."""

    __slots__ = ("_headers", "_proof", "_query")

    @property
    def services(self) -> Services:
        return cast("dict[str, Services]", self.scope)[SERVICES]

    @property
    def api_key(self) -> ApiKey:
        return cast("ApiKey", self.scope["auth"])

    @property
    def identity(self) -> Identity:
        return cast("Identity", self.scope["user"])

    @property
    def query(self) -> Query:
        try:
            return self._query
        except AttributeError:
            self._query = Query(self.scope["query_string"])
            return self._query

    async def prove(self, proof: Proof) -> None:
        """Raises what the proof raises. From now on confirm() asks it again."""
        await proof(self)
        self._proof = proof, time.monotonic()

    async def confirm(self) -> None:
        """Before what takes effect, where time has passed. Raises what the proof raises; it may by now."""
        try:
            proof, at = self._proof
        except AttributeError:
            return  # a route of another plane
        if time.monotonic() - at > PROOF_S:
            await self.prove(proof)

    def header(self, name: str) -> bytes | None:
        """The first header of this lower-case name, as sent."""
        try:
            headers = self._headers
        except AttributeError:
            first = reversed([*self.scope["headers"]])
            headers = self._headers = dict(first)
        return headers.get(name.encode())

    def header_list(self, name: str) -> bytes:
        """All headers of this lower-case name as one list; empty where there is none."""
        wanted = name.encode()
        return b", ".join(value for found, value in self.scope["headers"] if found == wanted)

    def path_value(self, name: str) -> str:
        """A path parameter, decoded: app.api.paths has seen to it that it can be."""
        return strings.percent_decode(self.scope["path_params"][name].encode(), name)

    def item_id(self, source: Source) -> UUID:
        """The path's `id`. Raises NotFound where it can be none of this source."""
        found = ids.decode_item(source, self.path_value("id"))
        if found is None:
            raise NotFound(f"no such {source}")
        return found

    async def decode(self, decoder: "msgspec.json.Decoder[T]") -> T:
        """The body. Raises as read() does, and InvalidRequest."""
        found = await self.decode_optional(decoder)
        if found is None:
            raise InvalidRequest("a body is required")
        return found

    async def decode_optional(self, decoder: "msgspec.json.Decoder[T]") -> T | None:
        """The body, None where it is empty. Raises as read() does, and InvalidRequest."""
        raw = await self.read()
        if not raw:
            return None
        body.check_content_type(self.header("content-type"))
        return bodies.decode(raw, decoder)

    async def read(self) -> bytes:
        """The body as sent; for a route that takes none, read and dropped.

        Raises InvalidRequest (it ended early), PayloadTooLarge; what confirm() raises, where it took long.
        """
        announced = self.header("content-length")
        if announced is None and self.header("transfer-encoding") is None:
            return b""
        found = await body.read(self.receive, announced=announced)
        await self.confirm()
        return found

    @asynccontextmanager
    async def stream_body(self, *, media_type: str, most: int) -> AsyncGenerator[AsyncIterable[bytes]]:
        """The body as it arrives, while the block runs. Raises InvalidRequest, PayloadTooLarge."""

        async def typed() -> AsyncGenerator[bytes]:
            async for chunk in chunks:
                if chunk:  # an empty body needs no type
                    body.check_content_type(self.header("content-type"), media_type)
                    yield chunk

        chunks = body.stream(self.receive, announced=self.header("content-length"), most=most)
        async with aclosing(chunks), aclosing(typed()) as found:
            yield found
