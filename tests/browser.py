"""A real headless Chromium, and visits that record everything a page should not do."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import httpx
import pytest
from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, sync_playwright

from tests.conftest import Served
from tests.served import Running

AXE = (Path(__file__).parent / "axe" / "axe.min.js").read_text()
NAMES = ("chromium", "chromium-browser", "google-chrome")

# How long anything may take on a machine that does a lot else.
PATIENCE_S = 60.0

# What a browser sends when a person opens a link from outside of a page.
NAVIGATION = {"Sec-Fetch-Site": "none"}

Theme = Literal["light", "dark"]


@contextmanager
def chromium() -> Iterator[Browser]:
    """The browser of this machine. Without one the tests are skipped, in CI they fail."""
    program = next((path for name in NAMES if (path := shutil.which(name))), None)
    if program is None:
        sentence = "no Chromium on this machine: the browser is NOT tested (apt install chromium)"
        if os.environ.get("CI") == "true":
            pytest.fail(sentence)
        pytest.skip(sentence)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program,
            args=["--no-sandbox", "--autoplay-policy=no-user-gesture-required"],
        )
        try:
            yield browser
        finally:
            browser.close()


@dataclass
class Visit:
    """One tab. `unexpected` is what the console said, policy violations among it, and every request
    that left this machine."""

    page: Page
    url: str
    unexpected: list[str] = field(default_factory=list)

    def open(self, address: str) -> None:
        self.page.goto(self.url + address)

    def reopen(self, address: str) -> None:
        """The same tab for another test: it has stored nothing, and holds no request back."""
        self.page.unroute_all(behavior="ignoreErrors")
        self.page.evaluate("localStorage.clear(); sessionStorage.clear()")
        self.unexpected.clear()
        self.open(address)

    def see(self, selector: str, number: int = 0) -> Locator:
        """Waits until it is visible."""
        element = self.page.locator(selector).nth(number)
        element.wait_for(state="visible")
        return element

    def gone(self, selector: str) -> None:
        self.page.locator(selector).wait_for(state="detached")

    def count(self, selector: str) -> int:
        return self.page.locator(selector).count()

    def until(self, expression: str) -> None:
        """Waits until a JavaScript expression holds."""
        # Playwright's own wait needs an eval that the page's policy forbids.
        end = time.monotonic() + PATIENCE_S
        while not self.page.evaluate(expression):
            assert time.monotonic() < end, f"never became true: {expression}"
            self.page.wait_for_timeout(20)

    def played_from_s(self) -> float:
        """Waits until the recording plays; the second from which it was played."""
        self.until("document.getElementById('sound')?.played.length")
        return float(self.page.evaluate("document.getElementById('sound').played.start(0)"))

    def expect_message(self, part: str) -> None:
        """Waits for the browser's own line about a refused request, and forgets it."""
        end = time.monotonic() + PATIENCE_S
        while not self.unexpected:
            assert time.monotonic() < end, f"nothing was said of {part}"
            self.page.wait_for_timeout(20)
        assert all(part in line for line in self.unexpected), self.unexpected
        self.unexpected.clear()

    def api(self, address: str) -> Any:
        """What the API answers to this browser."""
        answer = self.page.request.get(self.url + address)
        assert answer.ok, answer.text()
        return answer.json()

    def accessibility(self) -> list[str]:
        """What axe finds wrong with the page as it stands."""
        if not self.page.evaluate("'axe' in window"):
            self.page.evaluate(AXE)
        result = self.page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        return [
            f"{violation['id']}: {node['html'][:160]}"
            for violation in result["violations"]
            for node in violation["nodes"]
        ]


def launch(served: Running | Served) -> str:
    """A fresh link that lets one browser in."""
    if isinstance(served, Running):
        return served.launch_url()
    key = {"Authorization": f"Bearer {served.token}"}
    answer = httpx.post(f"{served.url}/api/launch", json={}, headers=key, trust_env=False)
    return str(answer.json()["url"])


@contextmanager
def visit(
    browser: Browser,
    served: Running | Served,
    address: str | None = None,
    *,
    width: int = 1440,
    height: int = 900,
    theme: Theme = "light",
    touch: bool = False,
    reduced_motion: bool = False,
) -> Iterator[Visit]:
    """A browser that came in by its link, at an address where one is given (its page is then the
    first that is drawn); fails at the end if anything unexpected was recorded."""
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme=theme,
        has_touch=touch,
        reduced_motion="reduce" if reduced_motion else "no-preference",
    )
    context.set_default_timeout(PATIENCE_S * 1000)
    page = context.new_page()
    visited = Visit(page, served.url)
    unexpected = visited.unexpected
    page.on("console", lambda message: unexpected.append(_line(message)))
    page.on("pageerror", lambda error: unexpected.append(f"error: {error}"))
    page.on("request", lambda request: _note_foreign(request.url, served.url, unexpected))
    try:
        if address is None:
            page.goto(launch(served))
        else:
            context.request.get(launch(served), headers=NAVIGATION, max_redirects=0)
            visited.open(address)
        yield visited
        assert unexpected == []
    finally:
        context.close()


def _line(message: ConsoleMessage) -> str:
    return f"{message.type}: {message.text} ({message.location.get('url')})"


def _note_foreign(address: str, origin: str, unexpected: list[str]) -> None:
    if not address.startswith((origin, f"blob:{origin}")):
        unexpected.append(f"request to {address}")
