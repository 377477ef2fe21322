"""From the answer to a POST to the hint at the client, on an otherwise idle system."""

import asyncio
import time
from collections.abc import Mapping

import httpx
from websockets.asyncio.client import ClientConnection, connect

from bench.gateway import programs


async def post_to_frame_ms(
    environ: Mapping[str, str], api_key: str, target: str, port: int, rounds: int
) -> list[float]:
    """Sorted. target: the request target of `subscriber-00000`'s socket on the gateway at port."""
    async with (
        programs.bellwire("api", environ, core=None) as (_, api_port),
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{api_port}", trust_env=False) as client,
        connect(f"ws://127.0.0.1:{port}{target}", proxy=None, compression=None) as socket,
    ):
        taken: list[float] = []
        for _ in range(rounds):
            hinted = asyncio.create_task(_hint_at(socket))
            reply = await client.post(
                "/v1/notifications",
                headers={"Authorization": f"Bearer {api_key}"},
                json={"subscriber_id": "subscriber-00000", "category": "bench", "payload": {}},
            )
            answered = time.monotonic()
            reply.raise_for_status()
            taken.append(max(0.0, await hinted - answered) * 1000)
            await asyncio.sleep(0.02)
        return sorted(taken)


async def _hint_at(socket: ClientConnection) -> float:
    while True:
        frame = await socket.recv(decode=False)
        if frame.startswith(b'{"type":"hint"'):
            return time.monotonic()
