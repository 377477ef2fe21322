"""A headless Chromium that is watched: what a page complains about, and whom it talks to."""

import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any, Final
from urllib.parse import urlsplit

from playwright.async_api import Browser, ConsoleMessage, Error, Page, async_playwright

_SILENT: Final = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


class Devices:
    """Browsers of several people, each with nothing in common with the others.

    complaints: errors and warnings on a console, uncaught exceptions, requests to other than `origins`.
    """

    def __init__(self, browser: Browser, origins: frozenset[str]) -> None:
        self.complaints: list[str] = []
        self._browser = browser
        self._origins = origins

    @classmethod
    @asynccontextmanager
    async def open(cls, chromium: str, *origins: str) -> AsyncGenerator["Devices"]:
        """origins: scheme, host and port of everything a page may talk to."""
        sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []  # Chromium's cannot be had as root
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=chromium, args=[*_SILENT, *sandbox])
            try:
                yield cls(browser, frozenset(origins))
            finally:
                await browser.close()

    async def new(self, **options: Any) -> Page:
        """A blank page on a device of its own. options: of Playwright's new_context."""
        context = await self._browser.new_context(**options)
        page = await context.new_page()
        page.on("console", self._on_console)
        page.on("pageerror", self._on_error)
        page.on("request", lambda request: self._on_address(request.url))
        page.on("websocket", lambda socket: self._on_address(socket.url))
        return page

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(message.text)

    def _on_error(self, error: Error) -> None:
        self.complaints.append(f"uncaught: {error.message}")

    def _on_address(self, url: str) -> None:
        parts = urlsplit(url)
        if f"{parts.scheme}://{parts.netloc}" not in self._origins:
            self.complaints.append(f"went to {url}")
