"""The console in a real browser, against real processes: what an administrator does with it."""

import re
from typing import Final
from uuid import uuid4

import httpx
import pytest
from playwright.async_api import expect

from app.db.pool import Pool
from app.security import proofs
from tests.e2e import console
from tests.e2e.browser import Devices
from tests.e2e.console import Console
from tests.factories import make_environment
from tests.harness import Stack, eventually

pytestmark = pytest.mark.browser

_SIGNED_OUT: Final = "Failed to load resource: the server responded with a status of 401 (Unauthorized)"


async def _create_environment(admin: Console) -> None:
    await admin.follow("Environments")
    await admin.button("New environment").click()
    await admin.field("Name").fill("Acme & Söhne")
    await admin.field("Slug").fill("acme")
    await admin.button("Create environment").click()
    await admin.at("Acme & Söhne", "/environments/acme")


async def _create_key(admin: Console, name: str) -> str:
    await admin.button("New API key").click()
    await admin.field("Name").last.fill(name)
    await admin.button("Create key").click()
    shown = admin.dialog(f"Key for {name}")
    key = await shown.locator("code.value").text_content() or ""
    await shown.get_by_role("button", name="I have copied it").click()
    await expect(shown).to_be_hidden()
    return key


async def _send(stack: Stack, key: str, **body: object) -> httpx.Response:
    async with stack.client() as client:
        return await client.post("/v1/notifications", json=body, headers={"Authorization": f"Bearer {key}"})


async def _inbox_status(stack: Stack, secret: str) -> int:
    """What a front end of `ada` is answered, with a proof by this secret."""
    headers = {
        "X-Bellwire-Environment": "acme",
        "X-Bellwire-Subscriber": "ada",
        "X-Bellwire-Subscriber-Hash": proofs.subscriber_hash(secret, "ada"),
    }
    async with stack.client() as client:
        return (await client.get("/v1/inbox/counts", headers=headers)).status_code


async def test_from_a_new_environment_to_the_timeline_of_its_first_notification(
    admin: Console, stack: Stack, devices: Devices
) -> None:
    """The key is shown once; revoked, it is refused. What the bell ignores is said to be ignored."""
    await _create_environment(admin)
    await expect(admin.page.get_by_text("No API key yet")).to_be_visible()
    key = await _create_key(admin, "Billing")
    assert re.fullmatch(r"bw_[\w-]{43}", key)
    await expect(admin.row("Billing")).to_contain_text("active")
    assert key not in await admin.page.content()

    payload = {"title": "<b>Paid</b>", "n": 2**70, "action_url": "javascript:alert(1)"}
    sent = await _send(stack, key, subscriber_id="ada", category="billing", payload=payload)
    assert sent.status_code == 201, sent.text
    await _send(stack, key, subscriber_id="grace", category="billing", payload={"title": "For Grace"})
    await admin.follow("Notifications")
    await admin.at("Notifications", "/environments/acme/notifications")
    await expect(admin.row("For Grace")).to_be_visible()
    await admin.field("Subscriber").fill("ada")
    await admin.button("Filter").click()
    await admin.at("Notifications", "/environments/acme/notifications?subscriber_id=ada")
    await expect(admin.row("For Grace")).to_have_count(0)
    await admin.page.get_by_role("link", name="<b>Paid</b>").click()
    await admin.at("<b>Paid</b>")
    steps = admin.page.locator(".timeline li")
    await expect(steps.nth(0)).to_contain_text(re.compile(r"Created.*\d\d:\d\d:\d\d\.\d{3}"))
    await expect(steps.nth(3)).to_contain_text(re.compile("Read.*not yet"))
    await expect(admin.page.get_by_role("region", name="The payload")).to_contain_text(f'"n": {2**70}')
    await expect(admin.page.get_by_text("action_url is not a web address")).to_be_visible()
    await expect(admin.page.get_by_text("A click opens")).to_have_count(0)

    item = sent.json()["notifications"][0]["id"]
    undo = admin.page.get_by_role("region", name="A request that takes it back")
    await expect(undo).to_contain_text(f"curl -X DELETE {stack.api.url}/v1/notifications/{item} ")
    async with stack.client() as client:
        read = await client.post(f"/v1/notifications/{item}/read", headers={"Authorization": f"Bearer {key}"})
        assert read.status_code == 204
    await admin.button("Refresh").click()
    await expect(steps.filter(has_text="Read")).to_contain_text(re.compile(r"Read \+[\d.]+ (ms|sec)"))
    await expect(steps.nth(3)).to_contain_text(re.compile("Seen.*not yet"))  # reading is not seeing
    await expect(admin.fact("Status")).to_have_text("read")

    await admin.follow("Keys and settings")
    await admin.button("Revoke Billing").click()
    await admin.button("Revoke key").click()
    await expect(admin.row("Billing")).to_contain_text("revoked")
    await admin.told("Billing revoked.")

    async def refused() -> int:
        return (await _send(stack, key, subscriber_id="ada", category="billing")).status_code

    await eventually(refused, lambda status: status == 401)
    assert devices.complaints == []


async def test_a_secret_is_rotated_with_an_overlap(
    admin: Console, stack: Stack, devices: Devices, pool: Pool
) -> None:
    """Both secrets are good until the rotation is completed; then only the new one. None is lost unawares."""
    await _create_environment(admin)
    secret = admin.page.locator(".reveal code")
    await expect(secret).to_have_count(0)
    await admin.button("Show secret").click()
    previous = await secret.text_content() or ""
    assert previous.startswith("bws_")
    assert await _inbox_status(stack, previous) == 200

    await admin.button("Rotate secret").click()
    await admin.dialog("Rotate the secret?").get_by_role("button", name="Rotate secret").click()
    await expect(admin.page.get_by_text("A rotation is under way")).to_be_visible()
    await admin.button("Show secret").click()
    current = await secret.text_content() or ""
    assert current != previous

    async def both() -> list[int]:
        return [await _inbox_status(stack, previous), await _inbox_status(stack, current)]

    await eventually(both, lambda statuses: statuses == [200, 200])
    await admin.button("Rotate secret").click()
    again = admin.dialog("Rotate the secret?")
    await expect(again).to_contain_text("Rotating again drops the previous one at once")
    await again.get_by_role("button", name="Cancel").click()
    await admin.button("Complete rotation").click()
    await admin.dialog("Complete the rotation?").get_by_role("button", name="Complete rotation").click()
    await expect(admin.page.get_by_text("A rotation is under way")).to_have_count(0)
    await eventually(both, lambda statuses: statuses == [401, 200])
    await pool.execute("UPDATE environments SET previous_secret = 'bws_x' WHERE slug = 'acme'")
    await admin.button("Rotate secret").click()  # by somebody else it was, just now
    await expect(again.get_by_role("button", name="Drop the previous one and rotate")).to_be_visible()
    assert devices.complaints == []


async def test_inboxes_are_opened_to_everybody_only_on_purpose(admin: Console, pool: Pool) -> None:
    """What is given up is told before proof of identity is no longer required; not when it is again."""
    required = "SELECT require_subscriber_hash FROM environments WHERE slug = 'acme'"
    await _create_environment(admin)
    proof = admin.page.get_by_role("checkbox", name="Require proof of identity")
    question = admin.dialog("Stop requiring proof of identity?")
    await proof.uncheck()
    await admin.button("Save settings").click()
    await expect(question).to_contain_text("Anybody who knows an id can then read that inbox")
    await expect(admin.button("Keep it required")).to_be_focused()
    await admin.button("Keep it required").click()
    await expect(question).to_have_count(0)
    assert await pool.fetchval(required) is True
    await admin.button("Save settings").click()
    await admin.button("Stop requiring proof").click()
    await admin.told("Settings saved.")
    assert await pool.fetchval(required) is False
    await proof.check()
    await admin.button("Save settings").click()
    await expect(question).to_have_count(0)
    await expect(proof).to_be_checked()

    async def is_required() -> bool:
        return bool(await pool.fetchval(required))

    await eventually(is_required)


async def test_dead_letters_are_replayed(admin: Console, stack: Stack, devices: Devices, pool: Pool) -> None:
    """One, then the rest; the worker takes them from there. The address says whose are shown."""
    await make_environment(pool, "acme")
    for error in ("first failure", "second failure", "third failure"):
        await pool.execute(
            "INSERT INTO dead_letters (environment_id, id, job_type, payload, attempts, last_error)"
            " SELECT id, $1, 'no_such_job', '{}', 10, $2 FROM environments WHERE slug = 'demo'",
            uuid4(),
            error,
        )
    await admin.open("/dead-letters")
    await expect(admin.row("failure")).to_have_count(3)
    await expect(admin.row("first failure")).to_contain_text("demo")
    await admin.field("Environment").select_option("acme")
    await admin.at("Dead letters", "/dead-letters?environment=acme")
    await expect(admin.page.get_by_text("No dead letters of this environment")).to_be_visible()
    await admin.field("Environment").select_option("demo")
    await admin.at("Dead letters", "/dead-letters?environment=demo")
    await expect(admin.row("failure")).to_have_count(3)
    await admin.row("first failure").get_by_role("button", name=re.compile("^Replay")).click()
    await admin.told("1 job put back in the queue.")
    await expect(admin.row("failure")).to_have_count(2)
    await admin.button("Replay all").click()
    await expect(admin.field("Of")).to_have_value("demo")
    await admin.button("Replay them").click()
    await expect(admin.page.get_by_text("No dead letters of this environment")).to_be_visible()
    assert await pool.fetchval("SELECT count(*) FROM outbox WHERE job_type = 'no_such_job'") == 3
    assert devices.complaints == []


async def test_a_user_who_is_disabled_is_signed_out_and_comes_back_to_the_same_page(
    admin: Console, stack: Stack, devices: Devices
) -> None:
    await admin.follow("Users")
    await admin.button("New user").click()
    await admin.field("Email").fill("grace@example.com")
    await admin.field("Name").fill("Grace")
    await admin.field("Role").select_option("viewer")
    await admin.field("Password").fill("short")
    await admin.button("Create user").click()
    await expect(admin.dialog("New user")).to_be_visible()
    await expect(admin.field("Password")).to_have_attribute("aria-invalid", "true")
    await expect(admin.field("Password")).to_be_focused()
    await admin.field("Password").fill(console.PASSWORD)
    await admin.button("Create user").click()
    await expect(admin.row("grace@example.com")).to_contain_text("active")

    grace = Console(await devices.new(), stack)
    await grace.open()
    await grace.sign_in("grace@example.com")
    await grace.at("Overview", "")
    menu = grace.page.get_by_role("navigation", name="Console")
    await expect(menu.get_by_role("link", name="Users")).to_have_count(0)
    await grace.open("/users")
    await grace.at("Not for your role")
    await grace.open()
    await grace.at("Overview")

    await admin.button("Disable: grace@example.com").click()
    await admin.button("Disable user").click()
    await expect(admin.row("grace@example.com")).to_contain_text("disabled")
    await expect(grace.page).to_have_url(re.compile(r"/admin/login"), timeout=10_000)
    await grace.field("Email").fill("grace@example.com")
    await grace.field("Password").fill(console.PASSWORD)
    await grace.button("Sign in").click()
    await expect(grace.page.get_by_role("alert").filter(visible=True)).to_be_visible()

    await admin.button("Enable: grace@example.com").click()
    await admin.button("Enable user").click()
    await expect(admin.row("grace@example.com")).to_contain_text("active")
    await admin.follow("Audit")
    await expect(admin.row("user.update").first).to_contain_text(console.EMAIL)
    assert [line for line in devices.complaints if line != _SIGNED_OUT] == []


async def test_the_overview_is_live_and_says_what_it_does_not_know(
    admin: Console, stack: Stack, devices: Devices
) -> None:
    page = admin.page
    await expect(admin.gauge("dead-letters").locator(".figure")).to_have_text("0")
    ada = await devices.new()
    await ada.goto(f"{stack.api.url}/demo?as=ada")
    await expect(admin.gauge("connections").locator(".figure")).to_have_text("1", timeout=15_000)
    await expect(page.get_by_role("img", name=re.compile("^Connections: now 1,"))).to_be_visible()
    await expect(admin.gauge("hint-latency").locator(".figure")).to_have_text("unknown")
    await _send(stack, "bw_dev_key", subscriber_id="ada", category="x")
    await expect(admin.gauge("hint-latency").locator(".figure")).to_have_text(
        re.compile(r"[\d.]+ ms"), timeout=15_000
    )
    assert devices.complaints == []
