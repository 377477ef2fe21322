"""bellwire send: what is wrong is said before anything is sent."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from click.testing import CliRunner, Result

from app.cli.group import main
from tests.app.cli.command import Command
from tests.factories import Environment
from tests.harness import Stack

NOWHERE = "http://127.0.0.1:1"


def send(*arguments: str) -> Result:
    """To nobody, where it gets that far."""
    return CliRunner().invoke(main, ["send", "--url", NOWHERE, "--key", "bw_x", *arguments])


@pytest.mark.parametrize("to", [("--to", "ada"), ("--broadcast",)])
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "give --title, --body or both, or else --payload"),
        (("--payload", "{}", "--title", "Hello"), "give --title, --body or both, or else --payload"),
        (("--payload", "{}", "--body", ""), "give --title, --body or both, or else --payload"),
        (("--payload", '{"a": 1,\n "b" 2}'), "--payload is not JSON, at line 2, column 6: Expecting ':'"),
        (("--payload", "[1]"), "--payload must be a JSON object"),
    ],
)
def test_a_payload_that_cannot_be_meant_is_a_usage_error(
    to: tuple[str, ...], arguments: tuple[str, ...], said: str
) -> None:
    ended = send(*to, *arguments)
    assert ended.exit_code == 2
    assert said in ended.output


def test_what_is_right_is_sent() -> None:
    assert f"no answer from {NOWHERE}" in send("--to", "ada", "--payload", "{}").output
    assert f"no answer from {NOWHERE}" in send("--broadcast", "--body", "Hello").output


async def test_it_waits_until_its_time_and_says_when_it_goes(stack: Stack, environment: Environment) -> None:
    """The payload arrives as it was typed."""
    when, until = (f"{datetime.now(UTC) + timedelta(days=days):%FT%T.000000Z}" for days in (30, 60))
    command = Command(
        *("send", "--url", stack.api.url, "--key", environment.api_key, "--to", "ada"),
        *("--payload", '{ "n": 1.50 }', "--deliver-at", when, "--expires-at", until),
        environ={},
    )
    assert command.ended() == 0, command.said
    item = json.loads(command.said)["notifications"][0]["id"]
    async with stack.client() as client:
        shown = await client.get(
            f"/v1/notifications/{item}", headers={"Authorization": f"Bearer {environment.api_key}"}
        )
    assert '{ "n": 1.50 }' in shown.text
    found = shown.json()
    assert (found["status"], found["deliver_at"], found["expires_at"]) == ("scheduled", when, until)


@pytest.mark.parametrize(
    ("command", "variable", "value"),
    [
        ("send", "BELLWIRE_URL", "http://127.0.0.1:4711"),
        ("import", "BELLWIRE_URL", "http://127.0.0.1:4711"),
        ("tail", "BELLWIRE_GATEWAY_URL", "ws://127.0.0.1:4711/x"),
        ("doctor", "BELLWIRE_URL", "http://127.0.0.1:4711"),
    ],
)
def test_help_shows_the_default_that_holds(command: str, variable: str, value: str) -> None:
    """As under bin/dev, which sets these variables for bin/bellwire."""
    shown = CliRunner().invoke(main, [command, "--help"], env={variable: value}).output
    assert f"default: {value}" in " ".join(shown.split())
