"""Takes the README's pictures: `python docs/pictures/take.py LINK` with the link that
`recollect demo` printed. Needs a Chromium."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Page, sync_playwright

HERE = Path(__file__).parent
QUESTION = "When do we arrive in Lisbon?"


def main(link: str) -> None:
    address = urlsplit(link)
    root = f"{address.scheme}://{address.netloc}"
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        page = chromium.new_page(viewport={"width": 1440, "height": 900})
        page.goto(link)
        page.goto(f"{root}/?q=deposit")
        page.get_by_role("link", name="Lease Lindenstrasse 12").first.click()
        take(page, "search")
        page.goto(f"{root}/ask")
        page.locator("main textarea, main input").first.fill(QUESTION)
        page.keyboard.press("Enter")
        page.get_by_text("quote checked").wait_for(timeout=60_000)
        take(page, "ask")
        chromium.close()


def take(page: Page, name: str) -> None:
    page.wait_for_timeout(2_000)
    page.screenshot(path=HERE / f"{name}.png")


if __name__ == "__main__":
    main(sys.argv[1])
