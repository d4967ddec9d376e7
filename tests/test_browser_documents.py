"""Documents of every kind in the browser: a hit says its sheet and opens there, words marked."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.browser import chromium, visit
from tests.documents import EACH, every_kind
from tests.served import Running, running, small_library

pytestmark = pytest.mark.browser

LONG_TITLE = "The flat in River Lane: contract, pictures and what the landlord said to us"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("library") / "files"
    every_kind(folder)
    (folder / "long.md").write_text(f"# {LONG_TITLE}\n\nWords of an otter.\n")
    with (
        small_library(folder, tmp_path_factory.mktemp("data")) as library,
        running(library) as server,
    ):
        yield server


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


def test_a_hit_says_its_sheet_and_opens_there(browser: Browser, served: Running) -> None:
    with visit(browser, served, "/?q=Ottilie%20Brandt") as tab:
        tab.see(".row.document")
        sheet = tab.page.locator(".place", has_text="p. 2 · People")
        tab.page.locator(".row.document").filter(has=sheet).first.locator("a.row-link").click()
        tab.see(".paper rect")
        assert "Page 2 of 2 · People" in tab.see(".viewer .pager").inner_text()


def test_a_long_title_has_room_on_a_phone(browser: Browser, served: Running) -> None:
    with visit(browser, served, "/?q=otter", width=390, height=640) as tab:
        tab.see(".row.document a.row-link").click()
        tab.see(".paper rect")
        tab.until("document.querySelector('.paper img').naturalWidth > 300")
        title = tab.see(".viewer h2")
        assert title.inner_text() == LONG_TITLE
        head, inside = tab.see(".viewer > header").bounding_box(), title.bounding_box()
        assert head is not None
        assert inside is not None
        assert head["y"] <= inside["y"]
        assert inside["y"] + inside["height"] <= head["y"] + head["height"]


@pytest.mark.slow
def test_every_kind_is_shown_with_its_words_marked(browser: Browser, served: Running) -> None:
    with visit(browser, served) as tab:
        for name, _, words, page in EACH:
            tab.open(f"/item/{served.item(name)}?q={words}&page={page}")
            assert tab.see(".paper rect.match").count() > 0
            tab.until("document.querySelector('.paper img').naturalWidth > 300")
