"""uvicorn, held to the contract: its port, its signals and its own refusals are ours."""

import asyncio
import socket
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Final, cast

import uvicorn
from litestar.types import ASGIApp

from app.api.protocol import HttpProtocol
from app.settings import Address

_BACKLOG: Final = 4096
_KEEP_ALIVE_S: Final = 75  # longer than the load balancers in front, which usually wait for 60 s


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

    At the end no connection is accepted any more, and what is under way has patience_s to finish.
    """
    host, port = listener.getsockname()[:2]
    server = _Server(_config(app, patience_s))
    task = asyncio.create_task(server.serve(sockets=[listener]))
    await server.is_up.wait()
    try:
        yield Address(host, port)
    finally:
        server.should_exit = True
        await task


def _config(app: ASGIApp, patience_s: float) -> uvicorn.Config:
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
        timeout_keep_alive=_KEEP_ALIVE_S,
        timeout_graceful_shutdown=max(1, round(patience_s)),
    )


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.is_up = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.is_up.set()

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        yield  # the process's signals belong to whoever runs it
