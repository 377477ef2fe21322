"""The examples of docs/sending.md do as it says, run as they stand."""

import asyncio
import os
import shutil

import pytest

from tests.factories import Environment
from tests.harness import ROOT, Stack

pytestmark = pytest.mark.skipif(shutil.which("curl") is None, reason="the examples are for curl")


async def test_the_examples_answer_as_they_are_explained(stack: Stack, environment: Environment) -> None:
    page = (ROOT / "docs" / "sending.md").read_text()
    later, once = (part.partition("```")[0] for part in page.split("```sh\n")[1:])
    answer, status = (await run(later, stack, environment)).splitlines()
    assert '"subscriber_id":"ada"' in answer
    assert status == "201"
    async with stack.client() as client:
        listed = await client.get("/v1/notifications", headers=environment.management_headers)
    [item] = listed.json()["items"]
    assert item["status"] == "scheduled"
    assert item["expires_at"] > item["deliver_at"]
    assert (await run(once, stack, environment)).split() == ["201", "200", "409"]


async def run(example: str, stack: Stack, environment: Environment) -> str:
    process = await asyncio.create_subprocess_exec(
        *("bash", "-eu", "-c", example),
        env={"PATH": os.environ["PATH"], "API": stack.api.url, "KEY": environment.api_key},
        stdout=asyncio.subprocess.PIPE,
    )
    said, _ = await asyncio.wait_for(process.communicate(), 30)
    assert process.returncode == 0
    return said.decode()


async def test_read_without_seen(stack: Stack, environment: Environment) -> None:
    """What the page says of unread and unseen."""
    async with stack.client() as client:
        for _ in range(2):
            sent = await client.post(
                "/v1/notifications",
                json={"subscriber_id": "ada", "category": "c"},
                headers=environment.management_headers,
            )
            item = sent.json()["notifications"][0]["id"]
            await client.post(f"/v1/notifications/{item}/read", headers=environment.management_headers)
        counts = await client.get("/v1/inbox/counts", headers=environment.subscriber_headers("ada"))
    assert (counts.json()["unread"], counts.json()["unseen"]) == (0, 2)
