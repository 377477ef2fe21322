"""wrk, told by a Lua file what to send, and what it measured."""

import asyncio
import shutil
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

import msgspec

from bench.load.stage import Server

HERE: Final = Path(__file__).parent
CLIENTS: Final = 64
ROUNDS: Final = 3


class Load(msgspec.Struct, frozen=True):
    """One run. Times in milliseconds."""

    requests: int
    per_s: float
    p50: float
    p99: float
    failed: int
    cpu_us: float = 0  # of the server, a request


def check_installed() -> None:
    if shutil.which("wrk") is None:
        sys.exit("wrk is not installed: `apt-get install wrk`, or https://github.com/wg/wrk")


async def run(
    script: str, server: Server, *arguments: object, path: str = "", clients: int = CLIENTS, seconds: float
) -> Load:
    """Raises RuntimeError where a request failed: figures of a server that refuses mean nothing."""
    cpu_s = server.cpu_s
    process = await asyncio.create_subprocess_exec(
        "wrk",
        "-t1",
        f"-c{clients}",
        f"-d{seconds:.0f}s",
        "--timeout=10s",
        "-s",
        str(HERE / script),
        server.url + path,
        *map(str, arguments),
        stdout=asyncio.subprocess.PIPE,
        cwd=HERE,
    )
    said, _ = await process.communicate()
    load = msgspec.json.decode(said.splitlines()[-1], type=Load)
    if load.failed:
        raise RuntimeError(f"{load.failed} of {load.requests} requests failed: {said.decode()}")
    return msgspec.structs.replace(load, cpu_us=(server.cpu_s - cpu_s) / load.requests * 1e6)


async def in_turn(**loads: Callable[[], Awaitable[Load]]) -> dict[str, Load]:
    """The best of ROUNDS of each. In turn, so that what else the machine does meets all of them."""
    best: dict[str, Load] = {}
    for _ in range(ROUNDS):
        for name, run_it in loads.items():
            load = await run_it()
            if name not in best or load.per_s > best[name].per_s:
                best[name] = load
    return best
