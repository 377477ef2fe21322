"""The client of docs/protocol.md works as it stands there."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from typing import Any, Final

import msgspec

from app.contract import ids
from app.contract.resources import Item
from tests.factories import Environment
from tests.harness import ROOT, Stack

_PATIENCE_S: Final = 10

Follow = Callable[[str, dict[str, str], asyncio.Event], Awaitable[int]]


def _client() -> Follow:
    page = (ROOT / "docs" / "protocol.md").read_text()
    [code] = [part.partition("```")[0] for part in page.split("```python\n")[1:]]
    names: dict[str, Any] = {}
    exec(compile(code, "docs/protocol.md", "exec"), names)  # noqa: S102 - our own page
    return names["follow"]


def test_an_item_is_shown_as_it_is() -> None:
    """Its fields are those of the API, in their order; the id and the time are well-formed."""
    page = (ROOT / "docs" / "protocol.md").read_text()
    [example] = [part.partition("```")[0] for part in page.split("```json\n")[1:]]
    item = msgspec.json.decode(example, type=Item)
    assert tuple(msgspec.json.decode(example)) == Item.__struct_fields__
    assert ids.decode("notif", item.id) is not None
    assert re.fullmatch(r"[\d-]{10}T[\d:]{8}\.\d{6}Z", item.occurred_at)


async def test_it_hears_of_a_change_and_stops_when_told(stack: Stack, environment: Environment) -> None:
    follow, who, changed = _client(), environment.subscriber_query("ada"), asyncio.Event()

    async def hears() -> None:
        async with asyncio.timeout(_PATIENCE_S):
            await changed.wait()
        changed.clear()

    following = asyncio.ensure_future(follow(stack.socket_url, who, changed))
    await hears()
    async with stack.client() as client:
        body = {"subscriber_id": "ada", "category": "c"}
        await client.post("/v1/notifications", json=body, headers=environment.management_headers)
        await hears()
        await client.delete("/v1/subscribers/ada", headers=environment.management_headers)
    async with asyncio.timeout(_PATIENCE_S):
        assert await following == 4505


async def test_it_stops_at_a_proof_that_is_not_accepted(stack: Stack, environment: Environment) -> None:
    who = {**environment.subscriber_query("ada"), "subscriber_hash": "00"}
    async with asyncio.timeout(_PATIENCE_S):
        assert await _client()(stack.socket_url, who, asyncio.Event()) == 4501
