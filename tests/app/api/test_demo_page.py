"""/demo: only where it is asked for, and from two directories only."""

import httpx
import msgspec
import pytest

from app.settings import Address, Settings
from tests.app.api.wire import assert_refused


class TestWhereItIsOn:
    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return msgspec.structs.replace(
            settings,
            demo=True,
            dev_environment="demo",
            dev_api_key="bw_dev_key",
            gateway_listen=Address("0.0.0.0", 8081),  # noqa: S104 - never bound
        )

    async def test_the_page_and_its_parts(self, client: httpx.AsyncClient) -> None:
        page = await client.get("/demo")
        assert page.headers["content-type"].startswith("text/html")
        assert "default-src 'self'" in page.headers["content-security-policy"]
        for name, media_type in (("demo.js", "text/javascript"), ("bellwire.js", "text/javascript")):
            answer = await client.get(f"/demo/{name}")
            assert answer.status_code == 200
            assert answer.headers["content-type"].startswith(media_type)

    async def test_nothing_else_of_the_disk(self, client: httpx.AsyncClient) -> None:
        for name in (
            "..%2Fmain.py",
            "%2Fetc%2Fpasswd",
            "package.json",
            "test",
            "demo.js%00",
            "%2E%2E%2Fx.js",
            "nope.js",
        ):
            answer = await client.get(f"/demo/{name}")
            assert answer.status_code in (400, 404), name
            assert_refused(answer, answer.status_code, answer.json()["error"]["code"])

    async def test_the_page_is_told_where_the_gateway_is(self, client: httpx.AsyncClient) -> None:
        for host, gateway in (
            ("app.example.com:8080", "ws://app.example.com:8081/v1/inbox/ws"),
            ("app.example.com", "ws://app.example.com:8081/v1/inbox/ws"),
            ("[::1]:8080", "ws://[::1]:8081/v1/inbox/ws"),
            ("[", "ws://localhost:8081/v1/inbox/ws"),
        ):
            config = await client.get("/demo/config.json", headers={"Host": host})
            assert config.json() == {
                "environment": "demo",
                "gateway_url": gateway,
                "api_url": "",
                "api_key": "bw_dev_key",
            }


class TestWhereItIsOff:
    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return msgspec.structs.replace(settings, demo=False)

    async def test_there_is_no_such_path(self, client: httpx.AsyncClient) -> None:
        for path in ("/demo", "/demo/config.json", "/demo/demo.js"):
            assert_refused(await client.get(path), 404, "not_found")
