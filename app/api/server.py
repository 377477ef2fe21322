"""uvicorn, held to the contract: its port, its signals and its own refusals are ours."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Final, cast

import uvicorn
from litestar.types import ASGIApp

from app.api.protocol import HttpProtocol
from app.settings import Address

_BACKLOG: Final = 4096
_LAST_WORDS_S: Final = 1.0  # for the answers to what was cancelled
KEEP_ALIVE_S = 75  # longer than the load balancers in front, which usually wait for 60 s


def listen(address: Address, *, reuse_port: bool = False) -> socket.socket:
    """A listening socket. reuse_port: other processes may listen on the same port; the kernel deals out.

    Raises OSError, naming the address.
    """
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    return socket.create_server(
        (address.host, address.port), family=family, backlog=_BACKLOG, reuse_port=reuse_port
    )


@asynccontextmanager
async def serve(app: ASGIApp, listener: socket.socket, *, patience_s: float) -> AsyncGenerator[Address]:
    """Serves while the block runs; yields the bound address.

    At the end no connection is accepted any more. What is under way has patience_s to finish, then it is
    cancelled and answered with 503.
    """
    host, port = listener.getsockname()[:2]
    server = _Server(_config(app), patience_s)
    task = asyncio.create_task(server.serve(sockets=[listener]))
    await server.is_up.wait()
    try:
        yield Address(host, port)
    finally:
        server.stopping.set()
        await task


def _config(app: ASGIApp) -> uvicorn.Config:
    return uvicorn.Config(
        cast("Any", app),  # the same protocol, typed twice
        http=HttpProtocol,
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="error",  # what a client does wrong is told to the client
        access_log=False,
        proxy_headers=False,
        server_header=False,
        backlog=_BACKLOG,
        timeout_keep_alive=KEEP_ALIVE_S,
    )


class _Server(uvicorn.Server):
    """Stops when told, not when signalled: the process's signals belong to whoever runs it."""

    def __init__(self, config: uvicorn.Config, patience_s: float) -> None:
        super().__init__(config)
        self.is_up = asyncio.Event()
        self.stopping = asyncio.Event()
        self._patience_s = patience_s

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.is_up.set()

    async def main_loop(self) -> None:
        while not self.stopping.is_set():
            await self.on_tick(0)  # sets the Date header
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.stopping.wait(), 1)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:  # noqa: ARG002 - as uvicorn calls it
        for listener in self.servers:
            listener.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()  # at once where idle, else after its answer
        if not await self._is_quiet(self._patience_s):
            for task in self.server_state.tasks:
                task.cancel()
            if not await self._is_quiet(_LAST_WORDS_S):
                for connection in self.server_state.connections:
                    connection.transport.abort()

    async def _is_quiet(self, within_s: float) -> bool:
        """Whether the last request was answered, and the last byte sent, in that time."""
        try:
            async with asyncio.timeout(within_s):
                while self.server_state.tasks or self.server_state.connections:  # noqa: ASYNC110 - uvicorn has no event
                    await asyncio.sleep(0.01)
        except TimeoutError:
            return False
        return True
