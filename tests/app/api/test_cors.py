"""Browsers may call the subscriber plane from the customer's origin, and read every answer of it."""

import httpx
import msgspec
import pytest

from app.settings import Settings

ORIGIN = {"Origin": "https://app.example.com"}
PREFLIGHT = {
    **ORIGIN,
    "Access-Control-Request-Method": "POST",
    "Access-Control-Request-Headers": "x-bellwire-environment",
}
SENT = {
    "content-type",
    "if-none-match",
    "last-event-id",
    "authorization",
    "x-bellwire-environment",
    "x-bellwire-subscriber",
    "x-bellwire-subscriber-hash",
    "x-chimely-environment",
    "x-chimely-subscriber",
    "x-chimely-subscriber-hash",
}


def words(value: str) -> set[str]:
    return {word.strip().lower() for word in value.split(",")}


async def test_a_preflight_needs_no_proof(client: httpx.AsyncClient, subtests: pytest.Subtests) -> None:
    for path in (
        "/v1/inbox/items",
        "/v1/inbox/counts",
        "/v1/inbox/read-all",
        "/v1/inbox/notifications/notif_00000000000000000000000000/read",
    ):
        with subtests.test(path=path):
            answer = await client.options(path, headers=PREFLIGHT)
            assert answer.status_code == 204
            assert answer.headers["access-control-allow-origin"] == "*"
            assert words(answer.headers["access-control-allow-methods"]) >= {"get", "post", "put", "delete"}
            assert words(answer.headers["access-control-allow-headers"]) == SENT
            assert answer.headers["access-control-max-age"] == "3600"
            assert "access-control-allow-credentials" not in answer.headers


async def test_every_answer_of_the_plane_can_be_read(
    client: httpx.AsyncClient, ada: httpx.AsyncClient, subtests: pytest.Subtests
) -> None:
    etag = (await ada.get("/v1/inbox/items")).headers["etag"]
    for speaker, method, path, headers, status in (
        (ada, "GET", "/v1/inbox/items", {}, 200),
        (ada, "GET", "/v1/inbox/items", {"If-None-Match": etag}, 304),
        (ada, "GET", "/v1/inbox/items?limit=0", {}, 400),
        (client, "GET", "/v1/inbox/items", {}, 401),
        (ada, "GET", "/v1/inbox/nope", {}, 404),
        (ada, "GET", "/v1/inbox/items/", {}, 404),
        (ada, "GET", "/v1/inbox/%zz", {}, 400),
        (ada, "DELETE", "/v1/inbox/items", {}, 405),
        (ada, "HEAD", "/v1/inbox/counts", {}, 200),
    ):
        with subtests.test(path=path, status=status):
            answer = await speaker.request(method, path, headers={**ORIGIN, **headers})
            assert answer.status_code == status
            assert answer.headers["access-control-allow-origin"] == "*"
            assert words(answer.headers["access-control-expose-headers"]) == {"etag", "retry-after"}
            vary = words(answer.headers["vary"])
            assert vary == SENT - {"content-type", "if-none-match", "last-event-id"}


async def test_other_planes_have_none(client: httpx.AsyncClient, subtests: pytest.Subtests) -> None:
    for path in ("/healthz", "/openapi.json", "/v1/notifications", "/v1/inboxes", "/nope"):
        with subtests.test(path=path):
            answer = await client.get(path, headers=ORIGIN)
            assert "access-control-allow-origin" not in answer.headers
            assert (await client.options(path, headers=PREFLIGHT)).status_code in (404, 405)


class TestWithListedOrigins:
    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        allowed = ("https://app.example.com", "https://beta.example.com")
        return msgspec.structs.replace(settings, allowed_origins=allowed)

    async def test_only_those_are_named(self, client: httpx.AsyncClient, ada: httpx.AsyncClient) -> None:
        for origin in ("https://app.example.com", "https://beta.example.com"):
            answer = await ada.get("/v1/inbox/counts", headers={"Origin": origin})
            assert answer.headers["access-control-allow-origin"] == origin
            assert "origin" in words(answer.headers["vary"])
        for origin in ("https://evil.example.com", "https://app.example.com.evil.net", "null"):
            answer = await ada.get("/v1/inbox/counts", headers={"Origin": origin})
            assert answer.status_code == 200
            assert "access-control-allow-origin" not in answer.headers
            assert "origin" in words(answer.headers["vary"])
            preflight = await client.options("/v1/inbox/counts", headers={**PREFLIGHT, "Origin": origin})
            assert preflight.status_code == 204
            assert "access-control-allow-origin" not in preflight.headers
