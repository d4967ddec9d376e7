"""Every page at every width in both themes: nothing wider than the window, nothing axe objects to,
nothing on the console, nothing from elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from PIL import Image as Picture
from playwright.sync_api import Browser

from tests.browser import Theme, Visit, chromium, visit
from tests.served import Running, running, small_library, write_files

pytestmark = pytest.mark.browser

LONG = "a very long name without an end " * 7
ODD_NAMES = (
    f"{LONG}.txt",
    "مذكرات الرحلة إلى البحر.txt",
    "🚲🚲🚲 summer 🏖️.txt",
    "x" * 200 + ".txt",
)


def slow(*values: object) -> Any:
    """A case that another one mostly covers: kept for the long proofs."""
    return pytest.param(*values, marks=pytest.mark.slow)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("library") / "files"
    write_files(folder)
    for name in ODD_NAMES:
        (folder / name).write_text(f"The comet was seen. {'x' * 300} {name}\n")
    for n, size in enumerate([(900, 200), (200, 700), (500, 400)]):
        Picture.new("RGB", size, (10 * n, 10, 250)).save(folder / f"{'p' * 120} {n}.png")
    data = tmp_path_factory.mktemp("data")
    with small_library(folder, data) as library, running(library) as server:
        yield server


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


def pages(served: Running) -> list[str]:
    document, photo, sound = (served.item(n) for n in ("boats.pdf", "sunset.png", "whistle.wav"))
    return [
        "/",
        "/?q=comet",
        "/?q=picture&kind=photo",
        f"/?q=boat&item={document}&page=1",
        f"/?q=picture&item={photo}",
        f"/?q=sound&item={sound}&t=1",
        f"/item/{document}?page=2",
        f"/item/{photo}",
        "/ask",
        "/library",
        "/?q=river&kind=photo",
    ]


def settle(tab: Visit, address: str) -> None:
    tab.open(address)
    tab.see("main > *")
    tab.until("!document.querySelector('[aria-busy=true], .pill:not(.good)')")
    tab.page.wait_for_timeout(250)


def answered(tab: Visit) -> None:
    tab.open("/ask")
    tab.page.locator(".composer textarea").fill("the red boat in the river")
    tab.page.keyboard.press("Enter")
    tab.see(".turn.last .outcome")


@pytest.mark.parametrize(
    ("theme", "width"), [("light", 1440), ("dark", 390), slow("dark", 1440), slow("light", 390)]
)
def test_axe_finds_nothing(browser: Browser, served: Running, theme: Theme, width: int) -> None:
    with visit(browser, served, theme=theme, width=width, reduced_motion=True) as tab:
        for address in pages(served):
            settle(tab, address)
            assert tab.accessibility() == [], address
        answered(tab)
        assert tab.accessibility() == []


@pytest.mark.parametrize("width", [320, slow(390), 1440, slow(2560)])
def test_nothing_is_wider_than_the_window(browser: Browser, served: Running, width: int) -> None:
    with visit(browser, served, width=width) as tab:
        for address in pages(served):
            settle(tab, address)
            assert wide(tab) <= width, address
        answered(tab)
        assert wide(tab) <= width


def wide(tab: Visit) -> int:
    """How far right anything reaches that is not inside something that scrolls or hides, px."""
    return int(
        tab.page.evaluate(
            """() => { const kept = (one) => { for (; one; one = one.parentElement) {
                 if (getComputedStyle(one).overflowX !== 'visible') return true; } return false; };
               const far = [...document.querySelectorAll('body *')].filter((one) => !kept(one))
                 .map((one) => one.getBoundingClientRect().right);
               return Math.max(document.documentElement.scrollWidth, ...far.map(Math.floor)); }"""
        )
    )


@pytest.mark.parametrize("width", [390, slow(1440)])
def test_everything_pressed_is_large_enough(browser: Browser, served: Running, width: int) -> None:
    """24 by 24 px at least; words of a sentence that are links are exempt (WCAG 2.5.8)."""
    with visit(browser, served, width=width) as tab:
        for address in pages(served):
            settle(tab, address)
            small = tab.page.evaluate(
                """[...document.querySelectorAll('button, select, input, textarea, a, summary')]
                   .filter((one) => one.checkVisibility() && !one.matches('p a, .skip, .whole'))
                   .map((one) => [one.outerHTML.slice(0, 120), one.getBoundingClientRect()])
                   .filter(([, box]) => box.width < 24 || box.height < 24)
                   .map(([html, box]) => `${html} ${box.width}x${box.height}`)"""
            )
            assert small == [], address


def test_a_chosen_theme_stays_without_a_flash(browser: Browser, served: Running) -> None:
    with visit(browser, served, theme="light") as tab:
        background = "getComputedStyle(document.body).backgroundColor"
        light = tab.page.evaluate(background)
        button = tab.see("button[aria-label^='Theme']")
        button.click()
        button.click()
        assert "Dark" in (button.get_attribute("aria-label") or "")
        dark = tab.page.evaluate(background)
        assert dark != light
        tab.page.goto(tab.url + "/library", wait_until="commit")
        tab.page.locator("header.top").wait_for()
        assert tab.page.evaluate(background) == dark


def test_a_light_page_costs_little(browser: Browser, served: Running) -> None:
    with visit(browser, served) as tab:
        sizes = tab.page.evaluate(
            """performance.getEntriesByType('resource').filter(
                 (one) => one.name.includes('/static/')).map((one) => one.decodedBodySize)"""
        )
        assert sum(sizes) < 250_000
        assert tab.see(".home h1").is_visible()


def test_every_control_is_reached_by_tab_with_a_ring(browser: Browser, served: Running) -> None:
    with visit(browser, served) as tab:
        tab.open("/?q=comet")
        tab.see(".row.document")
        reached = []
        for _ in range(40):
            tab.page.keyboard.press("Tab")
            name, ring = tab.page.evaluate(
                """() => { const one = document.activeElement;
                     if (one === document.body) return ['', true];
                     const row = one.closest('.row, .box');
                     const shown = [one, row].filter(Boolean).map((it) => getComputedStyle(it));
                     return [one.getAttribute('aria-label') || one.textContent.trim(),
                       shown.some((style) => style.outlineStyle !== 'none')]; }"""
            )
            reached.append(name)
            assert ring or name == "", f"no ring on {name}"
        order = " | ".join(reached)
        for name in ("Skip to the content", "Ask", "Library", "Search documents", "All", "Theme"):
            assert name in order
        assert order.index("Skip") < order.index("Ask") < order.index("Search documents")


def test_reduced_motion_moves_nothing(browser: Browser, served: Running) -> None:
    with visit(browser, served, reduced_motion=True) as tab:
        for address in pages(served)[:4]:
            settle(tab, address)
            running_ms = tab.page.evaluate(
                "document.getAnimations().map((one) => one.effect.getTiming().duration)"
            )
            assert [ms for ms in running_ms if ms > 10] == []
