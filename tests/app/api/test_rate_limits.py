"""One token a request, after the proof and before the body; what is refused says when to come back."""

import httpx
import msgspec
import pytest

from app.settings import Settings
from tests.factories import Environment


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return msgspec.structs.replace(
        settings, api_key_rate=0.01, api_key_burst=3, subscriber_rate=0.01, subscriber_burst=2
    )


async def test_a_key_out_of_tokens_is_told_when_to_come_back(backend: httpx.AsyncClient) -> None:
    """Also before the body: the fourth request is refused whatever it carries."""
    for _ in range(3):
        assert (await backend.put("/v1/subscribers/ada")).status_code == 200
    refused = await backend.post("/v1/notifications", content=b"not even JSON")
    assert refused.status_code == 429
    assert refused.json()["error"]["code"] == "rate_limited"
    assert int(refused.headers["Retry-After"]) >= 1


async def test_people_have_a_bucket_each_and_browsers_may_read_the_wait(
    client: httpx.AsyncClient, environment: Environment
) -> None:
    ada, grace = (environment.subscriber_headers(name) for name in ("ada", "grace"))
    origin = {"Origin": "https://app.example.com"}
    for _ in range(2):
        assert (await client.get("/v1/inbox/counts", headers=ada)).status_code == 200
    refused = await client.get("/v1/inbox/counts", headers={**ada, **origin})
    assert refused.status_code == 429
    assert "retry-after" in refused.headers["Access-Control-Expose-Headers"].lower()
    assert (await client.get("/v1/inbox/counts", headers=grace)).status_code == 200


async def test_a_wrong_proof_costs_nothing(client: httpx.AsyncClient, environment: Environment) -> None:
    headers = {**environment.subscriber_headers("ada"), "X-Bellwire-Subscriber-Hash": "0" * 64}
    for _ in range(5):
        assert (await client.get("/v1/inbox/counts", headers=headers)).status_code == 401


async def test_operational_routes_cost_nothing(client: httpx.AsyncClient) -> None:
    for _ in range(10):
        assert (await client.get("/readyz")).status_code == 200
