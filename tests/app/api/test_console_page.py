"""/admin: one page at every address but those of the admin API, and its parts, under a strict policy."""

import re
from typing import Final

import httpx

from tests.app.api.wire import assert_refused

_LOADED: Final = re.compile(r"""(?:src|href)="(/admin/assets/[^"]+)"|(?:from|import) '(\.[^']+)'""")
_PAGE: Final = re.compile(r"\['[^']*', '([a-z-]+)'\]")


async def test_every_address_is_the_same_page(client: httpx.AsyncClient) -> None:
    first = await client.get("/admin")
    assert first.status_code == 200
    assert first.headers["content-type"] == "text/html; charset=utf-8"
    for path in (
        "/admin/login",
        "/admin/environments/a%2Fb/notifications",
        "/admin/apiary",
        "/admin/no/such/page",
    ):
        assert (await client.get(path)).content == first.content, path
    assert (await client.head("/admin/login")).status_code == 200


async def test_below_the_api_there_is_no_page(client: httpx.AsyncClient) -> None:
    for path in ("/admin/api", "/admin/api/no/such/path", "/admin/api/console.html"):
        assert_refused(await client.get(path), 404, "not_found")
    assert_refused(await client.post("/admin/login"), 405, "method_not_allowed")


async def test_the_policy_allows_its_own_server_and_nothing_inline(client: httpx.AsyncClient) -> None:
    for path in ("/admin", "/admin/users", "/admin/assets/core/main.js"):
        headers = (await client.get(path)).headers
        policy = headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self';")
        for word in (
            "base-uri 'none'",
            "frame-ancestors 'none'",
            "form-action 'none'",
            "trusted-types 'none'",
        ):
            assert word in policy
        assert "unsafe" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["cache-control"] == "no-cache"
    page = (await client.get("/admin")).text
    assert "style=" not in page
    assert re.search(r"<script(?![^>]* src=)", page) is None


async def test_an_unchanged_part_is_not_sent_again(client: httpx.AsyncClient) -> None:
    etag = (await client.get("/admin/assets/core/main.js")).headers["etag"]
    again = await client.get("/admin/assets/core/main.js", headers={"If-None-Match": etag})
    assert (again.status_code, again.content) == (304, b"")


async def test_all_that_the_page_loads_is_there(client: httpx.AsyncClient) -> None:
    """Modules and the modules they import, those of the JavaScript client too."""
    shell = await client.get("/admin")
    router = (await client.get("/admin/assets/core/router.js")).text
    pages = [f"/admin/assets/pages/{name}.js" for name in ("not-found", *_PAGE.findall(router))]
    assert len(pages) > 12
    wanted = [found[0] for found in _LOADED.findall(shell.text)] + pages
    seen: set[str] = set()
    while wanted:
        path = wanted.pop()
        if path in seen:
            continue
        seen.add(path)
        answer = await client.get(path)
        assert answer.status_code == 200, path
        if path.endswith(".js"):
            assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
            base = httpx.URL(path)
            wanted += [base.join(found[1]).path for found in _LOADED.findall(answer.text) if found[1]]
    assert any("/client/" in path for path in seen)


async def test_nothing_else_of_the_disk(client: httpx.AsyncClient) -> None:
    for name in (
        "core/..%2F..%2Fguard.py",
        "%2E%2E/guard.py",
        "core/nope.js",
        "client/package.json",
        "core/main.js%00",
        "etc/passwd",
        "core",
        "core/main.js/x",
    ):
        answer = await client.get(f"/admin/assets/{name}")
        assert answer.status_code in (400, 404), name
        assert_refused(answer, answer.status_code, answer.json()["error"]["code"])
