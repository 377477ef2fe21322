"""Getting about in the console: addresses, the keyboard, the focus."""

from collections.abc import AsyncGenerator
from datetime import datetime
from urllib.parse import quote
from zoneinfo import ZoneInfo

import pytest
from playwright.async_api import expect

from app.contract.admin import CAPABILITIES
from app.db.pool import Pool
from tests.app.api.admin.people import PASSWORD, make_admin
from tests.e2e import console
from tests.e2e.browser import Devices
from tests.e2e.console import Console
from tests.factories import Environment
from tests.harness import Stack

pytestmark = pytest.mark.browser


@pytest.fixture
async def stack(database_url: str, redis_url: str, environment: Environment) -> AsyncGenerator[Stack]:
    async with Stack.open(database_url, redis_url, **console.SETTINGS) as opened:
        yield opened


@pytest.fixture
async def devices(chromium_path: str, stack: Stack) -> AsyncGenerator[Devices]:
    async with Devices.open(chromium_path, stack.api.url) as opened:
        yield opened


@pytest.fixture
async def window(devices: Devices, stack: Stack) -> Console:
    """Nobody is signed in."""
    return Console(await devices.new(), stack)


async def test_the_keyboard_is_enough(window: Console, devices: Devices) -> None:
    """From the sign-in to a new environment; dialogs keep the focus and give it back."""
    keyboard = window.page.keyboard
    await window.open()
    await expect(window.field("Email")).to_be_focused()
    await keyboard.type(console.EMAIL)
    await keyboard.press("Tab")
    await keyboard.type(console.PASSWORD)
    await keyboard.press("Enter")
    await window.at("Overview", "")
    await expect(window.page.get_by_role("heading", level=1)).to_be_focused()

    await window.page.keyboard.press("Control+Home")
    await window.page.evaluate("document.activeElement.blur()")
    await keyboard.press("Tab")
    await expect(window.page.get_by_role("link", name="Skip to content")).to_be_focused()
    await keyboard.press("Enter")
    await expect(window.page.get_by_role("main")).to_be_focused()

    await window.page.get_by_role("link", name="Environments").focus()
    await keyboard.press("Enter")
    await window.at("Environments", "/environments")
    await expect(window.page.get_by_role("heading", level=1)).to_be_focused()
    await keyboard.press("Tab")
    await expect(window.button("New environment")).to_be_focused()
    await keyboard.press("Enter")
    await expect(window.field("Name")).to_be_focused()
    await keyboard.press("Escape")
    await expect(window.dialog("New environment")).to_have_count(0)
    await expect(window.button("New environment")).to_be_focused()

    await keyboard.press("Enter")
    await keyboard.type("Staging")
    await keyboard.press("Tab")
    await keyboard.type("not a slug")
    await keyboard.press("Enter")
    await expect(window.field("Slug")).to_be_focused()
    await expect(window.field("Slug")).to_have_attribute("aria-invalid", "true")
    await keyboard.press("Control+A")
    await keyboard.type("acme")
    await keyboard.press("Enter")
    await expect(
        window.page.locator(".field-error", has_text="slug")
    ).to_be_visible()  # the API's: it is taken
    await keyboard.press("Control+A")
    await keyboard.type("staging")
    await keyboard.press("Enter")
    await window.at("Staging", "/environments/staging")
    complaints = [line for line in devices.complaints if "409" not in line]
    assert complaints == []


async def test_the_sign_in_leads_to_where_one_wanted_to_go(window: Console, devices: Devices) -> None:
    wanted = "/environments/acme/notifications?category=a%26b"
    await window.open(wanted)
    await window.sign_in()
    await window.at("Notifications", wanted)
    await expect(window.field("Category (exact)")).to_have_value("a&b")
    assert devices.complaints == []


async def test_the_sign_in_leads_nowhere_else(window: Console) -> None:
    for elsewhere in ("https://example.com/admin", "//example.com/admin", "/demo", "javascript:alert(1)"):
        await window.open(f"/login?next={quote(elsewhere, safe='')}")
        await window.sign_in()
        await window.at("Overview", "")
        await window.button("Sign out").click()
        await expect(window.field("Email")).to_be_focused()


async def test_back_and_forward_go_through_filters_and_pages(
    window: Console, stack: Stack, devices: Devices, environment: Environment
) -> None:
    async with stack.client() as client:
        for n in range(3):
            body = {"subscriber_id": "ada/?&#%", "category": f"c{n}", "payload": {"title": f"Title {n}"}}
            sent = await client.post("/v1/notifications", json=body, headers=environment.management_headers)
            assert sent.status_code == 201
    page, base = window.page, "/environments/acme/notifications"
    await window.open(base)
    await window.sign_in()
    await expect(window.row("Title")).to_have_count(3)
    await page.evaluate("window.neverReloaded = true")
    await window.field("Category (exact)").fill("c1")
    await page.keyboard.press("Enter")
    await window.at("Notifications", f"{base}?category=c1")
    await expect(window.row("Title")).to_have_count(1)
    await expect(window.field("Category (exact)")).to_be_focused()
    await window.field("Status").select_option("scheduled")
    await window.at("Notifications", f"{base}?category=c1&status=scheduled")
    await expect(page.get_by_text("Nothing fits these filters")).to_be_visible()
    await page.go_back()
    await expect(window.row("Title")).to_have_count(1)
    await expect(window.field("Status")).to_have_value("")
    await page.get_by_role("link", name="Title 1").click()
    await window.at("Title 1")
    await page.get_by_role("main").get_by_role("link", name="ada/?&#%").click()
    await window.at("ada/?&#%", "/environments/acme/subscribers/" + quote("ada/?&#%", safe=""))
    for title in ("Title 1", "Notifications"):
        await page.go_back()
        await window.at(title)
    await expect(window.field("Category (exact)")).to_have_value("c1")
    await page.go_forward()
    await window.at("Title 1")
    assert await page.evaluate("window.neverReloaded")
    assert devices.complaints == []


async def test_an_unknown_address_is_a_page_that_says_so(window: Console, devices: Devices) -> None:
    await window.open("/no/such<page>")
    await window.sign_in()
    await window.at("Page not found")
    await expect(window.page.get_by_text("/admin/no/such<page>")).to_be_visible()
    await window.open("/environments/nope")
    await window.at("Not found")
    assert [line for line in devices.complaints if "404" not in line] == []


async def test_long_lists_go_on_by_links(
    window: Console, stack: Stack, environment: Environment, devices: Devices
) -> None:
    async with stack.client() as client:
        for batch in range(2):
            people = [f"p{batch}-{n}" for n in range(40)]
            body = {"subscriber_ids": people, "category": "c", "payload": {"title": "One of many"}}
            await client.post("/v1/notifications", json=body, headers=environment.management_headers)
    await window.open("/environments/acme/notifications?category=c")
    await window.sign_in()
    rows = window.row("One of many")
    await expect(rows).to_have_count(50)
    await window.page.get_by_role("link", name="Older").click()
    await expect(rows).to_have_count(30)
    await expect(window.field("Category (exact)")).to_have_value("c")
    await window.page.get_by_role("link", name="Newest").click()
    await expect(rows).to_have_count(50)
    assert devices.complaints == []


async def test_times_are_local_and_their_titles_exact(
    devices: Devices, stack: Stack, environment: Environment
) -> None:
    """Filters are typed in the person's zone, and stand in the address in UTC."""
    async with stack.client() as client:
        body = {"subscriber_id": "ada", "category": "c", "payload": {"title": "Now"}}
        await client.post("/v1/notifications", json=body, headers=environment.management_headers)
        [sent] = (await client.get("/v1/notifications", headers=environment.management_headers)).json()[
            "items"
        ]
    visible = datetime.fromisoformat(sent["visible_at"])
    window = Console(await devices.new(timezone_id="Asia/Kolkata", locale="en-GB"), stack)
    await window.open("/environments/acme/notifications")
    await window.sign_in()
    shown = window.row("Now").locator("time")
    await expect(shown).to_have_attribute("title", f"{visible:%Y-%m-%d %H:%M:%S.%f} UTC")
    local = visible.astimezone(ZoneInfo("Asia/Kolkata"))
    await expect(shown).to_have_text(f"{local.day} {local:%b %Y, %H:%M:%S}")

    await window.field("From").fill("2026-01-02T05:30")
    await window.button("Filter").click()
    await window.at("Notifications", "/environments/acme/notifications?after=2026-01-02T00%3A00%3A00.000Z")
    await expect(window.field("From")).to_have_value("2026-01-02T05:30")
    await expect(window.row("Now")).to_have_count(1)
    await window.field("Until").fill("2026-01-03T05:30")
    await window.button("Filter").click()
    await expect(window.page.get_by_text("Nothing fits these filters")).to_be_visible()
    assert devices.complaints == []


async def test_a_role_is_offered_what_it_may_do(
    window: Console, stack: Stack, devices: Devices, pool: Pool
) -> None:
    """Whoever loses a role while a page is open is told by it; any other page says whose it is."""
    grace = await make_admin(pool, "operator")
    await window.open("/environments/acme/broadcasts/new")
    await window.sign_in(grace.email, PASSWORD)
    await window.field("Title").fill("Too late")
    await pool.execute("UPDATE admin_users SET role = 'viewer' WHERE email = $1", grace.email)
    await window.button("Send broadcast").click()
    await window.button("Send it").click()
    cannot = "Your role, viewer, cannot send broadcasts or take them back. The roles operator and admin can."
    await expect(window.page.get_by_role("alert")).to_have_text(cannot)
    await window.open("/environments/acme/broadcasts/new")
    await window.at("Not for your role")
    await expect(window.page.get_by_text(cannot)).to_be_visible()
    menu = window.page.get_by_role("navigation", name="Console")
    for name in ("Users", "Audit", "Keys and settings"):
        await expect(menu.get_by_role("link", name=name)).to_have_count(0)

    await window.open("/environments/acme")
    await window.at("Acme")
    await expect(window.page.get_by_role("heading", name="API keys")).to_have_count(0)
    for name in ("Rotate secret", "Show secret", "Save settings"):
        await expect(window.button(name)).to_have_count(0)
    await window.open("/users")
    await window.at("Not for your role")
    await expect(window.page.get_by_text("Your role, viewer, cannot manage users")).to_be_visible()
    await expect(window.button("Try again")).to_have_count(0)

    await pool.execute("UPDATE admin_users SET role = 'admin' WHERE email = $1", grace.email)
    await window.page.get_by_role("link", name="Dead letters").click()
    await window.page.go_back()
    await window.at("Users")  # the page has not been loaded anew
    assert [line for line in devices.complaints if "403 (Forbidden)" not in line] == []


async def test_what_is_said_of_roles_is_what_the_server_does(window: Console) -> None:
    await window.open("/login")
    said = await window.page.evaluate("import('/admin/assets/core/roles.js').then((roles) => ({ ...roles }))")
    assert set(said["ROLES"]) == set(CAPABILITIES)
    assert {capability: set(of["roles"]) for capability, of in said["CAPABILITIES"].items()} == {
        capability: {role for role, has in CAPABILITIES.items() if capability in has}
        for capability in CAPABILITIES["admin"]
    }
