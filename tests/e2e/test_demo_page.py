"""The demo page in a real browser, against real processes: what a person sees, without ever reloading."""

from collections.abc import AsyncGenerator
from typing import Final

import pytest
from playwright.async_api import Page, expect

from tests.e2e.browser import Devices
from tests.harness import Process, Stack

pytestmark = pytest.mark.browser

_KEY: Final = "bw_dev_key"


@pytest.fixture
async def demo(chromium_path: str, database_url: str, redis_url: str) -> AsyncGenerator[Stack]:
    async with Stack.open(
        database_url,
        redis_url,
        BELLWIRE_DEMO="true",
        BELLWIRE_DEV_ENVIRONMENT="demo",
        BELLWIRE_DEV_API_KEY=_KEY,
    ) as stack:
        yield stack


@pytest.fixture
async def devices(chromium_path: str, demo: Stack) -> AsyncGenerator[Devices]:
    async with Devices.open(chromium_path, demo.api.url, f"ws://{demo.gateway.address}") as opened:
        yield opened


async def _open(devices: Devices, demo: Stack, person: str) -> Page:
    """This person's page, connected, under a policy that allows nothing inline."""
    page = await devices.new()
    answer = await page.goto(f"{demo.api.url}/demo?as={person}")
    assert answer is not None
    policy = await answer.header_value("content-security-policy") or ""
    assert policy.startswith("default-src 'self'")
    assert "unsafe" not in policy
    await expect(page.get_by_test_id("status")).to_have_text("Live")
    return page


async def _post(demo: Stack, path: str, **body: object) -> None:
    async with demo.client() as client:
        response = await client.post(path, json=body, headers={"Authorization": f"Bearer {_KEY}"})
    assert response.status_code == 201, response.text


async def _notify(demo: Stack, person: str, **payload: object) -> None:
    await _post(demo, "/v1/notifications", subscriber_id=person, category="order.shipped", payload=payload)


async def test_the_badge_goes_up_after_a_post_and_down_after_a_click(demo: Stack, devices: Devices) -> None:
    page = await _open(devices, demo, "ada")
    await page.evaluate("window.neverReloaded = true")
    badge, unread = page.get_by_test_id("badge"), page.get_by_test_id("item-unread")
    await expect(badge).to_be_hidden()

    await _notify(demo, "ada", title="The first")
    await expect(badge).to_have_text("1")
    await page.get_by_test_id("bell").click()
    await expect(page.get_by_test_id("item")).to_have_count(1)
    await _notify(demo, "ada", title="The second")
    await expect(badge).to_have_text("2")
    await expect(page.get_by_test_id("item").first).to_contain_text("The second")
    await expect(unread).to_have_count(2)

    await page.get_by_text("The first").click()
    await expect(badge).to_have_text("1")
    await expect(unread).to_have_count(1)
    assert await page.evaluate("window.neverReloaded")
    assert devices.complaints == []


async def test_all_read_on_one_device_clears_the_other_and_leaves_others_alone(
    demo: Stack, devices: Devices
) -> None:
    phone, laptop = await _open(devices, demo, "ada"), await _open(devices, demo, "ada")
    grace = await _open(devices, demo, "grace")
    await _notify(demo, "ada", title="For Ada")
    await _post(demo, "/v1/broadcasts", category="news", payload={"title": "For everybody"})
    await expect(phone.get_by_test_id("badge")).to_have_text("2")
    await expect(laptop.get_by_test_id("badge")).to_have_text("2")
    await expect(grace.get_by_test_id("badge")).to_have_text("1")

    await laptop.get_by_test_id("bell").click()
    await expect(laptop.get_by_test_id("item-unread")).to_have_count(2)
    await phone.get_by_test_id("bell").click()
    await expect(phone.get_by_test_id("item")).to_have_count(2)
    await phone.get_by_test_id("mark-all-read").click()
    for device in (phone, laptop):
        await expect(device.get_by_test_id("badge")).to_be_hidden()
        await expect(device.get_by_test_id("item-unread")).to_have_count(0)
        await expect(device.get_by_test_id("item")).to_have_count(2)

    await grace.get_by_test_id("bell").click()
    await expect(grace.get_by_test_id("item-unread")).to_have_count(1)
    await expect(grace.get_by_test_id("badge")).to_have_text("1")
    assert devices.complaints == []


async def test_the_form_rings_the_bell_and_says_how_long_it_took(demo: Stack, devices: Devices) -> None:
    page = await _open(devices, demo, "ada")
    outcome, badge = page.get_by_test_id("send-outcome"), page.get_by_test_id("badge")
    await page.get_by_test_id("send-title").fill("It's <b>bold</b>")
    await page.get_by_test_id("send-submit").click()
    await expect(outcome).to_contain_text("201")
    await expect(outcome).to_contain_text("lit in")
    await expect(badge).to_have_text("1")
    await expect(page).to_have_title("(1) ada · Larkspur · Bellwire demo")

    await page.get_by_text("Everyone").click()
    await page.get_by_test_id("send-submit").click()
    await expect(badge).to_have_text("2")
    await page.get_by_text("One person").click()
    await page.get_by_test_id("send-recipient").fill("grace")
    await expect(page.get_by_test_id("curl")).to_contain_text('"subscriber_id": "grace"')
    await expect(page.get_by_test_id("curl")).to_contain_text(r"It'\''s <b>bold</b>")
    await page.get_by_test_id("send-submit").click()
    await expect(outcome).to_contain_text("see it at grace")
    await expect(badge).to_have_text("2")

    await page.get_by_test_id("person").select_option("grace")
    await expect(page).to_have_url(f"{demo.api.url}/demo?as=grace")
    await expect(badge).to_have_text("1")  # the broadcast came before grace existed
    await page.go_back()
    await expect(badge).to_have_text("2")
    assert devices.complaints == []


async def test_a_payload_is_text_and_links_only_to_the_web(demo: Stack, devices: Devices) -> None:
    page = await _open(devices, demo, "ada")
    await _notify(demo, "ada", title="<img src=x onerror=alert(1)>", body="<script>alert(2)</script>")
    await _notify(demo, "ada", title="a script", action_url="javascript:alert(3)")
    await _notify(demo, "ada", title="no text at all", body={"nested": ["x"]}, icon_url=7)
    await _notify(demo, "ada", title="a link", action_url="https://example.com/a?b")
    await page.get_by_test_id("bell").click()
    rows = page.get_by_test_id("item")
    await expect(rows).to_have_count(4)
    await expect(rows.nth(3)).to_contain_text("<img src=x onerror=alert(1)>")
    await expect(rows.nth(3)).to_contain_text("<script>alert(2)</script>")
    links = rows.get_by_role("link")
    await expect(links).to_have_count(1)
    await expect(links).to_have_attribute("href", "https://example.com/a?b")
    await expect(links).to_have_attribute("rel", "noopener noreferrer")
    await rows.nth(2).get_by_role("button").first.click()
    await expect(page.get_by_test_id("badge")).to_have_text("3")
    assert devices.complaints == []


async def test_the_keyboard_is_enough(demo: Stack, devices: Devices) -> None:
    page = await _open(devices, demo, "ada")
    for title in ("The first", "The second", "The third"):
        await _notify(demo, "ada", title=title)
    bell, rows = page.get_by_test_id("bell"), page.get_by_test_id("item")
    await expect(bell).to_have_accessible_name("Notifications: 3 unread notifications")
    await bell.press("Enter")
    await expect(rows).to_have_count(3)
    await rows.first.get_by_role("button").first.focus()
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Enter")
    await expect(page.get_by_test_id("badge")).to_have_text("2")
    await expect(rows.nth(1).get_by_test_id("item-unread")).to_have_count(0)

    await rows.nth(1).get_by_role("button", name="Archive").press("Enter")
    await expect(rows).to_have_count(2)
    await expect(rows.nth(1).get_by_role("button").first).to_be_focused()
    await expect(rows.nth(1)).to_contain_text("The first")
    await page.keyboard.press("Escape")
    await expect(page.get_by_test_id("list")).to_be_hidden()
    await expect(bell).to_be_focused()
    assert devices.complaints == []


async def test_a_lost_gateway_is_told_and_what_was_missed_is_caught_up(demo: Stack, devices: Devices) -> None:
    page = await _open(devices, demo, "ada")
    await page.evaluate("Math.random = () => 0.1")  # the backoff: never longer than 3 s
    await demo.gateway.killed()
    await expect(page.get_by_test_id("status")).to_contain_text("Reconnecting in")
    await _notify(demo, "ada", title="Sent meanwhile")
    async with Process.open("gateway", demo.environ):
        await expect(page.get_by_test_id("status")).to_have_text("Live", timeout=20_000)
        await expect(page.get_by_test_id("badge")).to_have_text("1")
        await page.get_by_test_id("bell").click()
        await expect(page.get_by_test_id("item")).to_contain_text("Sent meanwhile")
