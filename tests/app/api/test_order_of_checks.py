"""Routing, then auth, then the body, then its shape, then existence, then state."""

from typing import Final

import httpx
import pytest

from tests.app.api.wire import assert_refused

UNKNOWN: Final = "notif_00000000000000000000000000"


async def test_routing_comes_before_auth(client: httpx.AsyncClient) -> None:
    assert_refused(await client.post("/v1/notifications/x/unknown"), 404, "not_found")
    assert_refused(await client.patch("/v1/notifications"), 405, "method_not_allowed")
    assert_refused(await client.post("/v1/inbox/notifications/x/unknown"), 404, "not_found")
    assert_refused(await client.get("/v1/inbox/read-all"), 405, "method_not_allowed")


async def test_auth_comes_before_everything_a_body_or_query_can_be_wrong_with(
    client: httpx.AsyncClient, subtests: pytest.Subtests
) -> None:
    for method, path in (
        ("POST", "/v1/notifications"),
        ("POST", "/v1/broadcasts"),
        ("PUT", "/v1/subscribers/ada"),
        ("PUT", f"/v1/subscribers/{'x' * 256}"),
        ("DELETE", "/v1/notifications"),
        ("DELETE", f"/v1/notifications/{UNKNOWN}"),
        ("POST", f"/v1/notifications/{UNKNOWN}/read"),
        ("POST", "/v1/subscribers/import"),
        ("PUT", "/v1/subscribers/import"),
        ("POST", "/v1/subscribers/ada/tokens"),
        ("PUT", "/v1/subscribers/ada/preferences"),
        ("PUT", "/v1/inbox/preferences"),
        ("POST", "/v1/inbox/archive-read"),
        ("POST", "/v1/inbox/read-all"),
        ("POST", f"/v1/inbox/notifications/{UNKNOWN}/read"),
        ("POST", "/v1/inbox/notifications/malformed/read"),
    ):
        for content in (b"{", b"x" * (2 << 20)):
            with subtests.test(path=path, size=len(content)):
                answer = await client.request(method, path, content=content)
                assert_refused(answer, 401, "unauthorized")
    for query in ("limit=0", "limit=%zz", "%zz=1", "cursor=", "category=.*"):
        with subtests.test(query=query):
            for path in ("/v1/inbox/items", "/v1/notifications", "/v1/broadcasts", "/v1/subscribers"):
                assert_refused(await client.get(f"{path}?{query}"), 401, "unauthorized")


async def test_shape_comes_before_existence(ada: httpx.AsyncClient) -> None:
    """A known body that is malformed is 400 even where it names what does not exist."""
    body = {"up_to": UNKNOWN, "typo": 1}
    assert_refused(await ada.post("/v1/inbox/read-all", json=body), 400, "invalid_request", "typo")
    assert_refused(await ada.post("/v1/inbox/read-all", json={"up_to": UNKNOWN}), 404, "not_found")
    too_large = b"x" * (2 << 20)
    answer = await ada.post(f"/v1/inbox/notifications/{UNKNOWN}/read", content=too_large)
    assert_refused(answer, 413, "payload_too_large")


async def test_shape_comes_before_state(backend: httpx.AsyncClient) -> None:
    sent = {"subscriber_id": "ada", "category": "news", "idempotency_key": "once"}
    assert (await backend.post("/v1/notifications", json=sent)).status_code == 201
    different = {**sent, "category": "other"}
    assert_refused(await backend.post("/v1/notifications", json=different), 409, "conflict")
    malformed = {**different, "deliver_at": "soon"}
    assert_refused(await backend.post("/v1/notifications", json=malformed), 400, "invalid_request")


async def test_a_malformed_id_is_404_and_not_400(ada: httpx.AsyncClient, subtests: pytest.Subtests) -> None:
    for malformed in (
        "x",
        "notif_",
        UNKNOWN[:-1],
        UNKNOWN + "0",
        UNKNOWN.upper(),
        "notif_80000000000000000000000000",
        "notif_0000000000000000000000000u",
        UNKNOWN.replace("notif", "bcast"),
        "%00"[1:],
        "%E2%82%AC",
        "..%2F..",
        "%20" + UNKNOWN,
        "01890a5d-ac96-774b-bcce-b302099a8057",
    ):
        with subtests.test(id=malformed):
            for action in ("read", "unread", "archive", "unarchive"):
                answer = await ada.post(f"/v1/inbox/notifications/{malformed}/{action}")
                assert_refused(answer, 404, "not_found")
