"""Every path answers in the contract's way, also those that do not exist."""

import httpx
import pytest

from app.settings import Address
from tests.app.api.test_items import broadcast, send
from tests.app.api.test_timeline import hinted
from tests.app.api.wire import assert_refused, exchange, request
from tests.factories import Environment

NOTIFICATION = "notif_00000000000000000000000000"


async def test_an_unknown_path_is_404(client: httpx.AsyncClient, subtests: pytest.Subtests) -> None:
    for path in (
        "/",
        "/v1",
        "/nope",
        "/v1/nope",
        "/v1/inbox",
        "/v1/inbox/ws",
        "/v1/inbox/items/x/y",
    ):
        with subtests.test(path=path):
            assert_refused(await client.get(path), 404, "not_found")
            assert_refused(await client.options(path), 404, "not_found")


async def test_a_trailing_or_doubled_slash_is_another_path(
    address: Address, subtests: pytest.Subtests
) -> None:
    for path in (
        b"/healthz/",
        b"/v1/inbox/items/",
        b"/v1//inbox/items",
        b"//v1/inbox/items",
        b"/v1/subscribers/",
        b"/v1/subscribers/a/",
        b"/v1/inbox/items%2F",
        b"/v1%2Finbox%2Fitems",
    ):
        with subtests.test(path=path):
            assert_refused(await exchange(address, request("GET", path)), 404, "not_found")


async def test_a_wrong_method_is_405_and_told_which_are_right(
    client: httpx.AsyncClient, subtests: pytest.Subtests
) -> None:
    for path, allow in {
        "/v1/notifications": "DELETE, GET, HEAD, POST",
        f"/v1/notifications/{NOTIFICATION}": "DELETE, GET, HEAD",
        f"/v1/notifications/{NOTIFICATION}/timeline": "GET, HEAD",
        f"/v1/notifications/{NOTIFICATION}/read": "POST",
        "/v1/broadcasts": "GET, HEAD, POST",
        "/v1/broadcasts/x": "DELETE, GET, HEAD",
        "/v1/subscribers": "GET, HEAD",
        "/v1/subscribers/ada": "DELETE, GET, HEAD, PUT",
        "/v1/subscribers/import": "DELETE, GET, HEAD, POST, PUT",
        "/v1/subscribers/ada/tokens": "POST",
        "/v1/subscribers/ada/preferences": "GET, HEAD, PUT",
        "/v1/inbox/items": "GET, HEAD",
        "/v1/inbox/items/x": "GET, HEAD",
        "/v1/inbox/counts": "GET, HEAD",
        "/v1/inbox/read-all": "POST",
        "/v1/inbox/archive-read": "POST",
        "/v1/inbox/preferences": "GET, HEAD, PUT",
        "/v1/inbox/categories": "GET, HEAD",
        f"/v1/inbox/notifications/{NOTIFICATION}/read": "POST",
        "/healthz": "GET, HEAD",
        "/docs": "GET, HEAD",
        "/docs/reference.js": "GET, HEAD",
    }.items():
        for method in ("PATCH", "OPTIONS", "PROPFIND", "TRACE"):
            with subtests.test(path=path, method=method):
                answer = await client.request(method, path)
                assert_refused(answer, 405, "method_not_allowed")
                assert answer.headers["allow"] == allow


async def test_head_answers_as_get_does_but_for_the_body(
    client: httpx.AsyncClient,
    backend: httpx.AsyncClient,
    ada: httpx.AsyncClient,
    subtests: pytest.Subtests,
) -> None:
    item = await send(backend)
    await hinted(backend, item)
    announcement = await broadcast(backend)
    for speaker, path in (
        (backend, "/v1/notifications"),
        (backend, f"/v1/notifications/{item}"),
        (backend, f"/v1/notifications/{item}/timeline"),
        (backend, f"/v1/notifications/{NOTIFICATION}"),
        (backend, "/v1/broadcasts"),
        (backend, f"/v1/broadcasts/{announcement}"),
        (backend, "/v1/subscribers"),
        (backend, "/v1/subscribers/ada"),
        (backend, "/v1/subscribers/ada/preferences"),
        (backend, "/v1/subscribers/import"),
        (ada, f"/v1/inbox/items/{item}"),
        (ada, "/v1/inbox/counts?by=category"),
        (ada, "/v1/inbox/preferences"),
        (ada, "/v1/inbox/categories"),
        (ada, "/v1/inbox/items"),
        (ada, "/v1/inbox/counts"),
        (client, "/healthz"),
        (client, "/readyz"),
        (client, "/openapi.json"),
        (client, "/docs"),
        (client, "/demo"),
        (client, "/nope"),
        (client, "/v1/inbox/items"),
    ):
        with subtests.test(path=path):
            got, headed = await speaker.get(path), await speaker.head(path)
            assert headed.status_code == got.status_code
            assert headed.content == b""
            del got.headers["date"], headed.headers["date"]
            assert headed.headers == got.headers


async def test_head_is_no_method_of_what_cannot_be_got(client: httpx.AsyncClient) -> None:
    assert (await client.head("/v1/inbox/read-all")).status_code == 405


async def test_a_badly_encoded_path_is_400(
    address: Address, environment: Environment, subtests: pytest.Subtests
) -> None:
    for target in (
        b"/v1/subscribers/%zz",
        b"/v1/subscribers/%",
        b"/v1/subscribers/a%2",
        b"/v1/subscribers/%ff",
        b"/v1/subscribers/%c3%28",
        b"/v1/subscribers/%ed%a0%80",
        b"/v1/subscribers/a%00b",
        b"/v1/subscribers/%zz/",
        b"/v1/inbox/%ff",
        b"/%zz",
    ):
        with subtests.test(target=target):
            answer = await exchange(address, request("PUT", target, environment.management_headers))
            assert_refused(answer, 400, "invalid_request", "path")


async def test_segments_are_compared_decoded(address: Address, environment: Environment) -> None:
    target = b"/v1/%69nbox/count%73"
    answer = await exchange(address, request("GET", target, environment.subscriber_headers("ada")))
    assert answer.status_code == 200


async def test_what_the_parser_refuses_has_the_envelope_too(
    address: Address, subtests: pytest.Subtests
) -> None:
    for broken in (
        b"NONSENSE\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /?a=\xff HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: x\r\nA: b\x00c\r\n\r\n",
        b"GET http://h HTTP/1.1\r\nHost: x\r\n\r\n",
        b"CONNECT h:1 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"POST /v1/notifications HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"POST /v1/notifications HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
        b"POST /v1/notifications HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\nabc",
        b"GET /healthz HTTP/1.1\r\nHost: \x80\r\n\r\n",
    ):
        with subtests.test(broken=broken):
            answer = await exchange(address, broken)
            assert_refused(answer, 400, "invalid_request")


async def test_a_head_without_an_end_is_cut_off(address: Address) -> None:
    endless = [b"GET /healthz HTTP/1.1\r\nHost: x\r\nA: ", *[b"a" * 16_384] * 5]
    assert_refused(await exchange(address, *endless, pause_s=0.05), 400, "invalid_request", "head")


async def test_a_connection_serves_on_after_a_refusal(client: httpx.AsyncClient) -> None:
    """Also after a body that nobody read."""
    async with httpx.AsyncClient(
        base_url=client.base_url, limits=httpx.Limits(max_connections=1), timeout=30, trust_env=False
    ) as single:
        for _ in range(3):
            refused = await single.post("/v1/notifications", content=b"x" * 100_000)
            assert_refused(refused, 401, "unauthorized")
            assert refused.headers.get("connection") != "close"
            assert (await single.get("/healthz")).status_code == 200


async def test_an_unwanted_upgrade_is_an_ordinary_request(address: Address, environment: Environment) -> None:
    upgrade = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
    answer = await exchange(address, request("GET", b"/v1/inbox/ws", upgrade))
    assert_refused(answer, 404, "not_found")
    body = b'{"subscriber_id":"ada","category":"news"}'
    headers = {
        **environment.management_headers,
        "Connection": "Upgrade, HTTP2-Settings",
        "Upgrade": "h2c",
        "Content-Type": "application/json",
    }
    answer = await exchange(address, request("POST", b"/v1/notifications", headers, body))
    assert answer.status_code == 201
