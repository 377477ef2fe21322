"""The AsyncAPI document. The clients of all other tests see to it that it knows every frame that is sent."""

import re

import msgspec
from click.testing import CliRunner

from app.cli import main
from realtime.close_codes import CloseCode

DOCUMENT = CliRunner().invoke(main, ["asyncapi"]).output


def test_every_reference_leads_somewhere() -> None:
    document = msgspec.json.decode(DOCUMENT)
    references = set(re.findall(r'"\$ref": "#/([^"]+)"', DOCUMENT))
    assert len(references) > 20
    for reference in references:
        found = document
        for step in reference.split("/"):
            found = found[step]
        assert found


def test_the_frames_of_both_directions_are_told_apart() -> None:
    document = msgspec.json.decode(DOCUMENT)
    assert document["asyncapi"].startswith("3.")
    messages = document["channels"]["inbox"]["messages"]
    directions = {"send": set[str](), "receive": set[str]()}
    for operation in document["operations"].values():
        for message in operation["messages"]:
            name = message["$ref"].rpartition("/")[2]
            assert name in messages
            payload = document["components"]["messages"][name]["payload"]["$ref"].rpartition("/")[2]
            directions[operation["action"]].add(
                document["components"]["schemas"][payload]["properties"]["type"]["enum"][0]
            )
    assert directions == {
        "send": {"ready", "hint", "counts", "goodbye", "ping", "pong", "refreshed"},
        "receive": {"connect", "ping", "refresh"},
    }


def test_each_close_code_is_named() -> None:
    description = msgspec.json.decode(DOCUMENT)["info"]["description"]
    for code in CloseCode:
        if code >= 4000:
            assert str(code.value) in description
