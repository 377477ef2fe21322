"""The console as a person uses it: by what stands on the page."""

import re
from typing import Final

from playwright.async_api import Locator, Page, expect

from tests.harness import Stack

EMAIL: Final = "admin@example.com"
PASSWORD: Final = "a password of some length"
SETTINGS: Final = {"BELLWIRE_ADMIN_EMAIL": EMAIL, "BELLWIRE_ADMIN_PASSWORD": PASSWORD}


class Console:
    """One browser window."""

    def __init__(self, page: Page, stack: Stack) -> None:
        self.page = page
        self._base = f"{stack.api.url}/admin"

    async def open(self, path: str = "") -> None:
        await self.page.goto(self._base + path)

    async def sign_in(self, email: str = EMAIL, password: str = PASSWORD) -> None:
        """From the sign-in, to wherever it leads."""
        await self.field("Email").fill(email)
        await self.field("Password").fill(password)
        await self.button("Sign in").click()
        await expect(self.field("Password")).to_have_count(0)

    async def at(self, title: str, path: str | None = None) -> None:
        """Waits for the page of this title. path: below /admin."""
        await expect(self.page.get_by_role("heading", level=1, name=title, exact=True)).to_be_visible()
        await expect(self.page).to_have_title(f"{title} · Bellwire")
        if path is not None:
            await expect(self.page).to_have_url(self._base + path)

    async def follow(self, name: str) -> None:
        """A link of the menu."""
        await self.page.get_by_role("navigation", name="Console").get_by_role("link", name=name).click()

    async def told(self, text: str) -> None:
        await expect(self.page.locator("#status")).to_have_text(text)

    def button(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=name, exact=True)

    def field(self, name: str) -> Locator:
        return self.page.get_by_label(name, exact=True)

    def dialog(self, title: str) -> Locator:
        return self.page.get_by_role("dialog", name=title, exact=True)

    def row(self, text: str) -> Locator:
        return self.page.get_by_role("row").filter(has_text=re.compile(re.escape(text)))

    def gauge(self, name: str) -> Locator:
        """A card of the overview."""
        return self.page.get_by_test_id(f"gauge-{name}")

    def fact(self, name: str) -> Locator:
        return (
            self.page.locator("dl.facts > div")
            .filter(has=self.page.get_by_text(name, exact=True))
            .locator("dd")
        )
