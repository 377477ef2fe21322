"""Every page of the console, in light and in dark, wide and narrow, by the rules of axe-core."""

from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal
from uuid import uuid4

import httpx
import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page, ViewportSize, expect

from app.db.pool import Pool
from tests.e2e import console
from tests.e2e.browser import Devices
from tests.e2e.console import Console
from tests.factories import Environment
from tests.harness import Stack

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]  # every page, one after the other

_RULES: Final = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    "resultTypes": ["violations"],
}
_NARROW: Final = ViewportSize(width=390, height=800)
_WIDE: Final = ViewportSize(width=1280, height=860)


@pytest.fixture
async def stack(database_url: str, redis_url: str, environment: Environment) -> AsyncGenerator[Stack]:
    async with Stack.open(database_url, redis_url, **console.SETTINGS) as opened:
        yield opened


@pytest.fixture
async def paths(stack: Stack, environment: Environment, pool: Pool) -> list[str]:
    """Of every page, with something of each kind to show."""
    async with stack.client() as client:
        client.headers.update(environment.management_headers)
        later = (datetime.now(UTC) + timedelta(days=1)).isoformat()
        item = {
            "category": "comment",
            "payload": {
                "title": "Grace replied",
                "action_url": "https://example.com",
                "icon_url": "ftp://example.com/not-shown",
            },
        }
        ids = [
            (await _post(client, "/v1/notifications", {"subscriber_id": "ada", **item, **more}))[
                "notifications"
            ][0]["id"]
            for more in ({}, {}, {}, {"deliver_at": later})
        ]
        await client.post(f"/v1/notifications/{ids[0]}/read")
        await client.post(f"/v1/notifications/{ids[1]}/archive")
        broadcast = (await _post(client, "/v1/broadcasts", item))["id"]
        await _post(client, "/v1/broadcasts", {**item, "deliver_at": later})
        muted = {"preferences": [{"category": "news", "channel": "in_app", "enabled": False}]}
        assert (await client.put("/v1/subscribers/ada/preferences", json=muted)).status_code == 200
        del client.headers["Authorization"]
        client.headers["X-Bellwire-Admin"] = "test"
        login = {"email": console.EMAIL, "password": console.PASSWORD}
        await _post(client, "/admin/api/login", login, status=200)
        new = {"email": "grace@example.com", "name": "Grace", "role": "viewer", "password": console.PASSWORD}
        grace = (await _post(client, "/admin/api/users", new))["id"]
        await client.patch(f"/admin/api/users/{grace}", json={"disabled": True})
        key = (await _post(client, "/admin/api/environments/acme/api-keys", {"name": "Old"}))["id"]
        await client.post(f"/admin/api/environments/acme/api-keys/{key}/revoke")
        await client.post("/admin/api/environments/acme/hmac/rotate")
    await pool.execute(
        "INSERT INTO dead_letters (environment_id, id, job_type, payload, attempts, last_error)"
        " VALUES ($1, $2, 'hint', '{}', 10, 'ConnectionError')",
        environment.id,
        uuid4(),
    )
    acme = "/environments/acme"
    return [
        "",
        "/environments",
        acme,
        f"{acme}/notifications",
        f"{acme}/notifications?category=none",
        f"{acme}/notifications/{ids[0]}",
        f"{acme}/broadcasts",
        f"{acme}/broadcasts/new",
        f"{acme}/broadcasts/{broadcast}",
        f"{acme}/subscribers",
        f"{acme}/subscribers/ada",
        f"{acme}/subscribers/nobody",
        "/dead-letters",
        "/dead-letters?environment=acme",
        "/users",
        "/audit",
        "/account",
        "/no/such/page",
    ]


async def _post(client: httpx.AsyncClient, path: str, body: object, *, status: int = 201) -> Any:
    answer = await client.post(path, json=body)
    assert answer.status_code == status, answer.text
    return answer.json()


async def _violations(page: Page) -> list[str]:
    """What axe-core finds, each with the element it is about."""
    # An animation's half-way colours are not what anybody reads.
    await page.evaluate("Promise.all(document.getAnimations().map((one) => one.finished))")
    found = await Axe().run(page, options=_RULES)
    assert found.response["passes"], "no rule was tried"
    return [
        f"{page.url}: {rule['id']}: {node['html'][:200]} ({node.get('failureSummary', '')})"
        for rule in found.response["violations"]
        for node in rule["nodes"]
    ]


@pytest.mark.parametrize("size", [_WIDE, _NARROW], ids=["wide", "narrow"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_no_page_breaks_a_rule(
    scheme: Literal["light", "dark"], size: ViewportSize, chromium_path: str, stack: Stack, paths: list[str]
) -> None:
    """Without the policy, which would refuse axe-core itself; the other tests have it."""
    async with Devices.open(chromium_path, stack.api.url) as devices:
        window = Console(await devices.new(bypass_csp=True, color_scheme=scheme, viewport=size), stack)
        await window.open()
        await expect(window.field("Email")).to_be_visible()
        found = await _violations(window.page)
        await window.sign_in()
        for path in paths:
            await window.open(path)
            await expect(window.page.get_by_role("heading", level=1)).to_be_visible()
            found += await _violations(window.page)
            wide = await window.page.evaluate("document.documentElement.scrollWidth - innerWidth")
            assert wide <= 0, f"{path} is wider than the screen by {wide} px"
    assert found == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_no_dialog_breaks_a_rule(
    scheme: Literal["light", "dark"], chromium_path: str, stack: Stack, paths: list[str]
) -> None:
    dialogs = {
        "/environments": ["New environment"],
        paths[8]: ["Retract"],
        "/environments/acme": ["New API key", "Revoke test", "Rotate secret", "Complete rotation"],
        "/users": ["New user", "Edit: grace@example.com", "Delete: grace@example.com"],
        "/dead-letters": ["Replay all"],
    }
    found: list[str] = []
    async with Devices.open(chromium_path, stack.api.url) as devices:
        window = Console(await devices.new(bypass_csp=True, color_scheme=scheme), stack)
        await window.open()
        await window.sign_in()
        for path, buttons in dialogs.items():
            await window.open(path)
            for button in buttons:
                await window.button(button).first.click()
                await expect(window.page.get_by_role("dialog")).to_be_visible()
                found += await _violations(window.page)
                await window.page.keyboard.press("Escape")
                await expect(window.page.get_by_role("dialog")).to_have_count(0)
        await window.open("/environments/acme")
        await window.button("Show secret").click()
        found += await _violations(window.page)
    assert found == []
