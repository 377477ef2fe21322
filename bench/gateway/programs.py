"""The C programs of the bench, and the gateway, as child processes pinned to a core."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import msgspec

HERE: Final = Path(__file__).parent
SERVER_CORE: Final = 0
LOAD_CORE: Final = 1


class Measured(msgspec.Struct, frozen=True):
    """What the load client answers. Times in microseconds; moments of CLOCK_MONOTONIC."""

    ready: int
    failed: int
    closed: int
    hints: int
    counts: int
    pings: int
    broadcasts: int
    first_hint: float
    last_hint: float
    last_broadcast: float
    last_counts: float
    hint_p50: float
    hint_p99: float
    hint_max: float
    open_p50: float
    open_p99: float
    open_max: float


def compile_programs(directory: Path) -> None:
    for name in ("load", "relay", "publish"):
        subprocess.run(["gcc", "-O2", "-o", directory / name, HERE / f"{name}.c"], check=True)


@asynccontextmanager
async def child(
    command: Sequence[str | Path],
    *,
    core: int | None,
    environ: Mapping[str, str] | None = None,
    capture_stderr: bool = False,
) -> AsyncGenerator[asyncio.subprocess.Process]:
    """A process on one core, stopped at the end of the block."""
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE if capture_stderr else None,
        env={**os.environ, **(environ or {})},
        preexec_fn=None if core is None else lambda: os.sched_setaffinity(0, {core}),
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


class Load:
    """The clients, all in one process."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @classmethod
    @asynccontextmanager
    async def open(cls, directory: Path, port: int, targets: Path) -> AsyncGenerator["Load"]:
        command = [directory / "load", "127.0.0.1", str(port), targets]
        async with child(command, core=LOAD_CORE) as process:
            yield cls(process)

    async def ask(self, command: str) -> Measured:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{command}\n".encode())
        return msgspec.json.decode(await self._process.stdout.readline(), type=Measured)


@asynccontextmanager
async def bellwire(
    role: str, environ: Mapping[str, str], *, core: int | None
) -> AsyncGenerator[tuple[int, int]]:
    """`bellwire gateway` or `bellwire api`; yields its pid and port."""
    variables = {
        "BELLWIRE_LISTEN": "127.0.0.1:0",
        "BELLWIRE_GATEWAY_LISTEN": "127.0.0.1:0",
        "BELLWIRE_LOG_FORMAT": "json",
        "BELLWIRE_DRAIN_S": "0",
        **environ,
    }
    command = [sys.executable, "-m", "app.cli", role]
    async with child(command, core=core, environ=variables, capture_stderr=True) as process:
        assert process.stderr is not None
        port = await _read_port(process.stderr)
        forwarding = asyncio.create_task(_forward(process.stderr))
        yield process.pid, port
        process.terminate()
        await forwarding


async def _read_port(lines: asyncio.StreamReader) -> int:
    async for line in lines:
        try:
            entry = msgspec.json.decode(line, type=dict[str, object])
        except msgspec.DecodeError:
            sys.stderr.write(line.decode())
            continue
        if entry.get("event") == "up":
            return int(str(entry["address"]).rpartition(":")[2])
    raise RuntimeError("a bellwire process did not start")


async def _forward(lines: asyncio.StreamReader) -> None:
    async for line in lines:
        sys.stderr.write(line.decode())


@asynccontextmanager
async def relay(directory: Path, redis: tuple[str, int]) -> AsyncGenerator[tuple[int, int]]:
    """The C relay; yields its pid and port."""
    async with child([directory / "relay", redis[0], str(redis[1])], core=SERVER_CORE) as process:
        assert process.stdout is not None
        yield process.pid, int(await process.stdout.readline())


async def publish(directory: Path, redis: tuple[str, int], routes: Path, *, rate: int, seconds: int) -> None:
    """Publishes hints evenly, and returns when they are out."""
    command = [directory / "publish", redis[0], str(redis[1]), routes, str(rate), str(seconds)]
    async with child(command, core=LOAD_CORE) as process:
        if await process.wait() != 0:
            raise RuntimeError("the publisher failed")


def cpu_s(pid: int) -> float:
    """Processor time of a process so far, to the nanosecond; its threads' other than the main one's not."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9


def rss_kib(pid: int) -> int:
    """Resident memory of a process."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    raise RuntimeError(f"process {pid} has gone")
