"""Broadcasts from the console: composed, previewed, sent, scheduled, taken back."""

import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from playwright.async_api import Locator, expect

from tests.e2e.browser import Devices
from tests.e2e.console import Console
from tests.harness import Stack

pytestmark = pytest.mark.browser


async def test_a_composed_broadcast_is_previewed_sent_seen_and_taken_back(
    admin: Console, stack: Stack, devices: Devices
) -> None:
    ada = await devices.new()
    await ada.goto(f"{stack.api.url}/demo?as=ada")
    await expect(ada.get_by_test_id("status")).to_have_text("Live")

    await admin.follow("Broadcasts")
    await expect(admin.page.get_by_text("No broadcast yet")).to_be_visible()
    await admin.page.get_by_role("link", name="Compose").first.click()
    await admin.at("New broadcast", "/environments/demo/broadcasts/new")
    await expect(admin.page.get_by_text("1 person", exact=True)).to_be_visible()
    await admin.field("Title").fill("Dark mode is here")
    await admin.field("Body").fill("<i>Everywhere</i>.")
    preview = admin.page.locator(".preview")
    await expect(preview).to_contain_text("Dark mode is here")
    await expect(preview).to_contain_text("<i>Everywhere</i>.")
    await admin.button("Send broadcast").click()
    await expect(admin.dialog("Send to 1 person?")).to_be_visible()
    await admin.button("Send it").click()
    await admin.at("Dark mode is here")

    await expect(ada.get_by_test_id("badge")).to_have_text("1")
    await ada.get_by_test_id("bell").click()
    await expect(ada.get_by_test_id("item")).to_contain_text("Dark mode is here")

    await admin.follow("Subscribers")
    await admin.field("Subscriber id").fill("ada")
    await admin.button("Look up").click()
    await admin.at("ada", "/environments/demo/subscribers/ada")
    await expect(admin.fact("Unread")).to_have_text("1")
    watermarks = admin.page.get_by_role("region", name="Watermarks").get_by_role("row")
    await expect(watermarks.filter(has_text="read")).to_have_text(re.compile("none.*none"))
    await expect(watermarks.filter(has_text="seen")).to_have_text(re.compile(r"none.*\d\d:\d\d:\d\d"))
    await admin.page.locator(".bell").get_by_role("button", name="Dark mode is here").click()
    await admin.at("Dark mode is here")

    broadcast = admin.page.url.rsplit("/", 1)[1]
    await admin.button("Retract").click()
    await admin.button("Retract broadcast").click()
    await admin.at("Broadcasts", "/environments/demo/broadcasts")
    await expect(ada.get_by_test_id("badge")).to_be_hidden()
    await expect(ada.get_by_test_id("item")).to_have_count(0)
    await admin.follow("Audit")
    for action in ("broadcast.send", "broadcast.delete"):
        await expect(admin.row(action).get_by_title(broadcast)).to_be_visible()
        await expect(admin.row(action)).to_contain_text("title: Dark mode is here")
        await expect(admin.row(action)).to_contain_text("category: announcement")
    assert devices.complaints == []


async def test_a_broadcast_is_scheduled_and_cancelled(stack: Stack, devices: Devices) -> None:
    """Times that cannot be are told at their field; the question says when, where, and in how long."""
    tokyo = ZoneInfo("Asia/Tokyo")  # no hour there is twice
    admin = Console(await devices.new(timezone_id=str(tokyo), locale="en-GB"), stack)
    await admin.open("/environments/demo/broadcasts/new")
    await admin.sign_in()
    await admin.field("Title").fill("Maintenance")
    await admin.page.get_by_text("Picture, delivery and expiry").click()
    deliver, expire, errors = (
        admin.field("Deliver at"),
        admin.field("Expire at"),
        admin.page.locator(".field-error"),
    )
    now = datetime.now(tokyo)

    async def told(control: Locator, moment: datetime, text: str) -> None:
        await control.fill(f"{moment:%Y-%m-%dT%H:%M}")
        await admin.page.get_by_role("button", name=re.compile("^(Send|Schedule) broadcast$")).click()
        await expect(control).to_be_focused()
        await expect(errors.filter(visible=True)).to_have_text(text)

    await told(expire, now - timedelta(days=1), "This moment is past: nobody would see it.")
    await told(deliver, now - timedelta(days=2), "This moment is past. Leave it empty to send at once.")
    await told(deliver, now, "This moment is past. Leave it empty to send at once.")
    later = datetime.fromtimestamp(now.timestamp() + 27.5 * 3600, tokyo)
    await deliver.fill(f"{later:%Y-%m-%dT%H:%M}")
    await told(expire, later, "It would expire before it is delivered.")
    await expire.fill("")
    await deliver.fill(f"{later + timedelta(days=500):%Y-%m-%dT%H:%M}")
    await admin.button("Schedule broadcast").click()
    await admin.button("Schedule it").click()
    await expect(errors.filter(visible=True)).to_have_text("“Deliver at” must be at most 13 months away.")
    await expect(deliver).to_be_focused()

    await deliver.fill(f"{later:%Y-%m-%dT%H:%M}")
    await admin.button("Schedule broadcast").click()
    question = admin.dialog("Schedule for 0 people?")
    await expect(question).to_contain_text(
        re.compile(
            rf"{later:%A}.* {later.day} {later:%B %Y}.* {later:%H:%M} \(Asia/Tokyo\), in 1 day 3 hours\."
        )
    )
    await admin.button("Schedule it").click()
    await admin.at("Maintenance")
    await admin.button("Cancel").click()
    await admin.button("Keep it").click()
    await expect(admin.fact("Status")).to_have_text("scheduled")
    await admin.button("Cancel").click()
    await admin.button("Cancel broadcast").click()
    await admin.at("Broadcasts", "/environments/demo/broadcasts")
    await expect(admin.page.get_by_text("No broadcast yet")).to_be_visible()
    assert [line for line in devices.complaints if "400 (Bad Request)" not in line] == []
