"""Requests made from our own OpenAPI document, good and bad, get the answers that it promises."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

import httpx
import hypothesis
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase
from hypothesis import strategies as st
from schemathesis import APIOperation, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from app.api import openapi
from app.db.pool import Pool
from app.settings import Address
from tests.app.api.admin.people import make_admin
from tests.app.api.test_items import broadcast, send
from tests.factories import Environment

EXAMPLES: Final = 10  # of each operation and mode: 90 times that, in some 20 seconds
CHECKS: Final = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


@schemathesis.serializer("application/x-ndjson")
def lines(_: object, value: object) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode(errors="surrogatepass")


@pytest.fixture
async def known(backend: httpx.AsyncClient, ada: httpx.AsyncClient, pool: Pool) -> Mapping[str, str]:
    """Ids of what there is, by the beginning of a path: half of the requests name one."""
    await ada.get("/v1/inbox/counts")
    notification, announcement = await send(backend), await broadcast(backend)
    return {
        "/v1/notifications": notification,
        "/v1/broadcasts": announcement,
        "/v1/inbox/items": notification,
        "/v1/inbox/notifications": notification,
        "/v1/inbox/broadcasts": announcement,
        "/admin/api/users": (await make_admin(pool, "viewer")).id,
    }


@pytest.fixture
def proof(environment: Environment, pool: Pool) -> Callable[[str], Awaitable[dict[str, str]]]:
    """What a request to a path has to carry."""

    async def headers(path: str) -> dict[str, str]:
        if path.startswith("/admin"):
            return (await make_admin(pool)).headers  # a new one: what is asked may end the session
        return environment.subscriber_headers("ada") if "inbox" in path else environment.management_headers

    return headers


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
async def test_every_operation_answers_as_documented(
    mode: GenerationMode,
    address: Address,
    known: Mapping[str, str],
    proof: Callable[[str], Awaitable[dict[str, str]]],
    subtests: pytest.Subtests,
) -> None:
    document = json.loads(openapi.document())
    schema = schemathesis.openapi.from_dict(document)

    def exercise(operation: APIOperation[Any, Any, Any, Any], headers: dict[str, str]) -> None:
        """Blocks, while the server runs on this test's event loop."""
        item = next((known[start] for start in known if operation.path.startswith(start)), None)

        @hypothesis.settings(
            max_examples=EXAMPLES,
            deadline=None,
            database=None,
            derandomize=True,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow],
        )
        @hypothesis.given(case=operation.as_strategy(generation_mode=mode), by_id=st.booleans())
        def answers(case: schemathesis.Case[Any], *, by_id: bool) -> None:
            if by_id and item is not None and "id" in case.path_parameters:
                case.path_parameters["id"] = item
            case.call_and_validate(base_url=f"http://{address}", headers=headers, checks=CHECKS)

        answers()

    for found in schema.get_all_operations():
        operation = found.ok()  # pyright: ignore[reportAttributeAccessIssue]
        if operation.path == "/v1/inbox/stream":
            continue  # its answer has no end
        takes_something = any((operation.path_parameters, operation.query, operation.headers, operation.body))
        if mode is GenerationMode.NEGATIVE and not takes_something:
            continue  # nothing can be wrong with it
        with subtests.test(operation=operation.label):
            await asyncio.to_thread(exercise, operation, await proof(operation.path))
