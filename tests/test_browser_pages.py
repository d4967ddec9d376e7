"""Every page at every width in both themes: nothing wider than the window, nothing axe objects to,
nothing on the console, nothing from elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

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
    tab.until("[...document.images].every((image) => image.complete || image.loading === 'lazy')")


def answered(tab: Visit) -> None:
    tab.open("/ask")
    tab.page.locator(".composer textarea").fill("the red boat in the river")
    tab.page.keyboard.press("Enter")
    tab.see(".turn.last .outcome")


def everywhere(tab: Visit, served: Running) -> Iterator[str]:
    """Shows every page, one after the other; the last one is an answer."""
    for address in pages(served):
        settle(tab, address)
        yield address
    answered(tab)
    yield "an answer"


def test_every_page_is_sound(browser: Browser, served: Running) -> None:
    """In light on a screen, in dark on a phone, and on the narrowest of them."""
    with visit(browser, served, reduced_motion=True) as tab:
        for address in everywhere(tab, served):
            assert moving(tab) == [], address
            assert wide(tab) <= 1440, address
            assert tab.accessibility() == [], address
            tab.page.set_viewport_size({"width": 390, "height": 844})
            tab.page.emulate_media(color_scheme="dark")
            assert wide(tab) <= 390, address
            assert small(tab) == [], address
            assert tab.accessibility() == [], address
            tab.page.set_viewport_size({"width": 320, "height": 640})
            assert wide(tab) <= 320, address
            assert small(tab) == [], address
            tab.page.set_viewport_size({"width": 1440, "height": 900})
            tab.page.emulate_media(color_scheme="light")


# The same for pages that began at each width and in each theme.


@pytest.mark.slow
@pytest.mark.parametrize(("theme", "width"), list(product(["light", "dark"], [390, 1440])))
def test_axe_finds_nothing(browser: Browser, served: Running, theme: Theme, width: int) -> None:
    with visit(browser, served, theme=theme, width=width, reduced_motion=True) as tab:
        for address in everywhere(tab, served):
            assert tab.accessibility() == [], address


@pytest.mark.slow
@pytest.mark.parametrize("width", [320, 390, 1440, 2560])
def test_nothing_is_wider_than_the_window_or_too_small(
    browser: Browser, served: Running, width: int
) -> None:
    with visit(browser, served, width=width) as tab:
        for address in everywhere(tab, served):
            assert wide(tab) <= width, address
            assert small(tab) == [], address


def wide(tab: Visit) -> int:
    """How far right anything reaches that is not inside something that scrolls or hides, px."""
    return int(
        tab.page.evaluate(
            """() => { const clipped = (node) => { for (; node; node = node.parentElement) {
                 if (getComputedStyle(node).overflowX !== 'visible') return true; } return false; };
               const edges = [...document.querySelectorAll('body *')]
                 .filter((node) => !clipped(node))
                 .map((node) => node.getBoundingClientRect().right);
               return Math.max(document.documentElement.scrollWidth, ...edges.map(Math.floor)); }"""
        )
    )


def small(tab: Visit) -> list[str]:
    """What is pressed and measures less than 24 by 24 px; words of a sentence that are links are
    exempt (WCAG 2.5.8)."""
    controls: list[str] = tab.page.evaluate(
        """[...document.querySelectorAll('button, select, input, textarea, a, summary')]
           .filter((node) => node.checkVisibility() && !node.matches('p a, .skip, .row-link'))
           .map((node) => [node.outerHTML.slice(0, 120), node.getBoundingClientRect()])
           .filter(([, box]) => box.width < 24 || box.height < 24)
           .map(([html, box]) => `${html} ${box.width}x${box.height}`)"""
    )
    return controls


def moving(tab: Visit) -> list[float]:
    """How long what moves is in motion, ms, where it can be seen."""
    running_ms: list[float] = tab.page.evaluate(
        "document.getAnimations().map((animation) => animation.effect.getTiming().duration)"
    )
    return [ms for ms in running_ms if ms > 10]


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
            """performance.getEntriesByType('resource')
                 .filter((entry) => entry.name.includes('/static/'))
                 .map((entry) => entry.decodedBodySize)"""
        )
        assert sum(sizes) < 250_000
        assert tab.see(".home h1").is_visible()


def test_every_control_is_reached_by_tab_with_a_ring(browser: Browser, served: Running) -> None:
    with visit(browser, served, "/?q=comet") as tab:
        tab.see(".row.document")
        reached = []
        for _ in range(40):
            tab.page.keyboard.press("Tab")
            name, ring = tab.page.evaluate(
                """() => { const node = document.activeElement;
                     if (node === document.body) return ['', true];
                     const row = node.closest('.row, .box');
                     const styles = [node, row].filter(Boolean)
                       .map((part) => getComputedStyle(part));
                     return [node.getAttribute('aria-label') || node.textContent.trim(),
                       styles.some((style) => style.outlineStyle !== 'none')]; }"""
            )
            reached.append(name)
            assert ring or name == "", f"no ring on {name}"
        order = " | ".join(reached)
        for name in ("Skip to the content", "Ask", "Library", "Search documents", "All", "Theme"):
            assert name in order
        assert order.index("Skip") < order.index("Ask") < order.index("Search documents")
