"""Runs the real processes of Bellwire, as an operator would, and waits on conditions instead of sleeping."""

import asyncio
import os
import signal
import sys
import time
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Final, TypeVar

import httpx
import msgspec

T = TypeVar("T")

ROOT: Final = Path(__file__).parent.parent
START_TIMEOUT_S: Final = 30.0
NO_REDIS: Final = "redis://127.0.0.1:1/0"  # nobody listens there


async def eventually(
    condition: Callable[[], Awaitable[T]], accept: Callable[[T], bool] = bool, *, within_s: float = 5.0
) -> T:
    """What the condition returns as soon as it is accepted. Fails with the last value seen."""
    deadline = time.monotonic() + within_s
    while True:
        value = await condition()
        if accept(value):
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {within_s} s; last seen: {value!r}")
        await asyncio.sleep(0.01)


class Process:
    """One `bellwire` process. address: where it listens, None for one that does not."""

    def __init__(self, role: str, process: asyncio.subprocess.Process) -> None:
        self.role = role
        self.address: str | None = None
        self.output: deque[str] = deque(maxlen=1000)
        self._process = process
        self._reader: asyncio.Task[None] | None = None

    @classmethod
    @asynccontextmanager
    async def open(cls, role: str, environ: Mapping[str, str]) -> AsyncGenerator["Process"]:
        process = await cls.start(role, environ)
        try:
            yield process
        finally:
            await process.stop()

    @classmethod
    async def start(cls, role: str, environ: Mapping[str, str]) -> "Process":
        """Returns once the process says that it is up."""
        child = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "app.cli",
            role,
            cwd=ROOT,
            env={**os.environ, "BELLWIRE_LOG_FORMAT": "json", **environ},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        process = cls(role, child)
        try:
            async with asyncio.timeout(START_TIMEOUT_S):
                await process._read_until_up()
        except BaseException:
            process.kill()
            await child.wait()
            raise
        process._reader = asyncio.create_task(process._drain())
        return process

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process.returncode is None

    @property
    def url(self) -> str:
        return f"http://{self.address}"

    def terminate(self) -> None:
        if self._process.returncode is None:
            self._process.send_signal(signal.SIGTERM)

    async def stop(self) -> int:
        """SIGTERM, and the exit code."""
        self.terminate()
        return await self._wait()

    def kill(self) -> None:
        """SIGKILL: what a crash looks like from outside."""
        if self._process.returncode is None:
            self._process.kill()

    async def killed(self) -> None:
        self.kill()
        await self._wait()

    async def _wait(self) -> int:
        async with asyncio.timeout(30):
            code = await self._process.wait()
        if self._reader is not None:
            await self._reader
        return code

    async def _read_until_up(self) -> None:
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            self.output.append(line.decode(errors="replace").rstrip())
            try:
                entry = msgspec.json.decode(line, type=dict[str, object])
            except (msgspec.DecodeError, UnicodeDecodeError):
                continue
            if entry.get("event") == "up":
                address = entry.get("address")
                self.address = address if isinstance(address, str) else None
                return
        raise AssertionError(f"bellwire {self.role} ended before it was up:\n" + "\n".join(self.output))

    async def _drain(self) -> None:
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            self.output.append(line.decode(errors="replace").rstrip())


class Stack:
    """One API, one gateway, one worker."""

    def __init__(self, environ: Mapping[str, str], api: Process, gateway: Process, worker: Process) -> None:
        self.environ = environ
        self.api = api
        self.gateway = gateway
        self.worker = worker

    @classmethod
    @asynccontextmanager
    async def open(cls, database_url: str, redis_url: str, **settings: str) -> AsyncGenerator["Stack"]:
        """settings: further variables, for example BELLWIRE_DEMO="true"."""
        environ = {
            "DATABASE_URL": database_url,
            "REDIS_URL": redis_url,
            "BELLWIRE_LISTEN": "127.0.0.1:0",
            "BELLWIRE_GATEWAY_LISTEN": "127.0.0.1:0",
            "BELLWIRE_DRAIN_S": "0.2",
            "BELLWIRE_API_KEY_RATE": "0",
            "BELLWIRE_SUBSCRIBER_RATE": "0",
            **settings,
        }
        async with AsyncExitStack() as stop:

            async def start(role: str) -> Process:
                return await stop.enter_async_context(Process.open(role, environ))

            async with asyncio.TaskGroup() as starting:
                worker = starting.create_task(start("worker"))
                gateway = await start("gateway")
                # The demo page tells it to browsers.
                environ["BELLWIRE_GATEWAY_LISTEN"] = gateway.address or ""
                api = await start("api")
            processes = api, gateway, worker.result()
            try:
                yield cls(environ, *processes)
            finally:
                for process in processes:
                    process.terminate()

    @property
    def socket_url(self) -> str:
        return f"ws://{self.gateway.address}/v1/inbox/ws"

    def client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(base_url=self.api.url, timeout=30, trust_env=False)
