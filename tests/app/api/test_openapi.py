"""The document says what the routes do; the reference shows it without asking anyone else."""

import json
from typing import Any

import httpx
import msgspec
import pytest
from playwright.async_api import expect
from stack import chromium

from app.api import openapi, routes
from app.api.errors import STATUS
from app.contract.requests import NotificationRequest
from tests.e2e.browser import Devices


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return json.loads(openapi.document())


def operations(document: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    return [
        (f"{method.upper()} {path}", operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]


def test_every_route_is_described_once(document: dict[str, Any]) -> None:
    assert document["openapi"] == "3.1.0"
    described = operations(document)
    assert len(described) == len(routes.HANDLERS)
    assert len({operation["operationId"] for _, operation in described}) == len(described)
    for name, operation in described:
        assert operation["summary"], name
        assert operation["description"], name


def test_every_plane_says_how_to_prove_oneself_and_how_it_fails(document: dict[str, Any]) -> None:
    for name, operation in operations(document):
        path = name.split(" ")[1]
        if path.startswith("/v1/inbox"):
            assert operation["security"][0].keys() == {"environment", "subscriber", "subscriberHash"}, name
            assert operation["security"][1].keys() == {"subscriberToken"}, name
        elif path.startswith("/v1"):
            assert operation["security"] == [{"apiKey": []}], name
        elif path.startswith("/admin/api") and path != "/admin/api/login":
            assert operation["security"] == [{"adminSession": []}], name
        else:
            assert operation["security"] == [], name
        if path.startswith("/v1"):
            assert operation["responses"].keys() >= {"400", "401", "429", "500", "503"}, name
        if path.startswith("/admin/api"):
            assert operation["responses"].keys() >= {"400", "401", "500", "503"}, name
            assert ("403" in operation["responses"]) >= (not name.startswith("GET")), name
        if "requestBody" in operation:
            assert "413" in operation["responses"], name


def test_references_lead_somewhere_and_every_field_has_words(document: dict[str, Any]) -> None:
    def references(node: object) -> list[str]:
        if isinstance(node, dict):
            own = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
            return own + [found for value in node.values() for found in references(value)]
        return [found for value in node for found in references(value)] if isinstance(node, list) else []

    found = set(references(document))
    assert found
    for reference in found:
        node: Any = document
        for part in reference.removeprefix("#/").split("/"):
            node = node[part]
    for name, schema in document["components"]["schemas"].items():
        for field, of_field in schema["properties"].items():
            assert of_field.get("description"), f"{name}.{field}"


def test_the_bodies_are_those_that_are_decoded(document: dict[str, Any]) -> None:
    schema = document["components"]["schemas"]["NotificationRequest"]
    assert schema["properties"].keys() == set(NotificationRequest.__struct_fields__)
    assert schema["required"] == ["category"]
    assert schema["additionalProperties"] is False
    assert schema["properties"]["payload"]["type"] == "object"
    examples = document["paths"]["/v1/notifications"]["post"]["requestBody"]["content"]["application/json"]
    for example in examples["examples"].values():
        msgspec.json.decode(json.dumps(example["value"]), type=NotificationRequest)


async def test_every_example_of_sending_and_marking_works_when_tried(
    backend: httpx.AsyncClient, ada: httpx.AsyncClient, document: dict[str, Any]
) -> None:
    for path in ("/v1/notifications", "/v1/broadcasts", "/v1/inbox/read-all"):
        caller = ada if path.startswith("/v1/inbox") else backend
        content = document["paths"][path]["post"]["requestBody"]["content"]["application/json"]
        for name, example in content["examples"].items():
            answer = await caller.post(path, json=example["value"])
            assert answer.is_success, (path, name, answer.text)


def test_every_error_is_the_envelope(document: dict[str, Any]) -> None:
    for code, response in document["components"]["responses"].items():
        assert code in STATUS
        assert response["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/Envelope"}


async def test_the_document_is_served(client: httpx.AsyncClient) -> None:
    answer = await client.get("/openapi.json")
    assert answer.headers["content-type"] == "application/json"
    assert answer.text == openapi.document()


async def test_the_reference_is_served_under_a_policy(client: httpx.AsyncClient) -> None:
    for path, media_type in (
        ("/docs", "text/html"),
        ("/docs/reference.js", "text/javascript"),
        ("/docs/reference.css", "text/css"),
        ("/docs/swagger-ui-bundle.js", "text/javascript"),
        ("/docs/swagger-ui.css", "text/css"),
    ):
        answer = await client.get(path)
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith(media_type)
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "script-src 'self';" in policy
    for path in ("/docs/nope.js", "/docs/..%2Fdocs.py", "/docs/reference.html"):
        assert (await client.get(path)).status_code == 404


@pytest.mark.browser
async def test_the_reference_works_in_a_browser_that_knows_nobody_else(client: httpx.AsyncClient) -> None:
    path = chromium.find()
    if not path:
        pytest.skip(f"NO CHROMIUM, SO NO BROWSER WAS TESTED: name one in {chromium.VARIABLE}")
    origin = str(client.base_url).rstrip("/")
    async with Devices.open(path, origin) as devices:
        page = await devices.new()
        await page.goto(f"{origin}/docs")
        await expect(page.get_by_role("heading", name="Bellwire")).to_be_visible()
        await page.locator("#operations-Notifications-send_notifications .opblock-summary").click()
        await expect(page.get_by_text("One notification for each recipient")).to_be_visible()
        await page.get_by_role("button", name="Try it out").click()
        await expect(page.locator("textarea.body-param__text")).to_contain_text('"subscriber_id": "user_42"')
        assert devices.complaints == []
