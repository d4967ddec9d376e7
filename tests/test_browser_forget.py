"""Forgetting in a real browser: asked once, gone from the page at once."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browser import chromium, visit
from tests.served import running, small_library, write_files

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


def test_a_thing_is_forgotten_after_one_question(browser: Browser, tmp_path: Path) -> None:
    write_files(tmp_path / "files")
    with (
        small_library(tmp_path / "files", tmp_path / "data") as library,
        running(library) as served,
        visit(browser, served, f"/?q=garden&item={served.item('garden.txt')}") as tab,
    ):
        tab.see(".viewer footer")
        assert tab.page.locator(".viewer .confirmation").count() == 0
        tab.page.get_by_role("button", name="Forget").click()
        question = tab.see(".viewer .confirmation").inner_text()
        assert "leave Recollect for good" in question
        assert "not touched" in question
        if folder := os.environ.get("RECOLLECT_SCREENSHOTS"):
            tab.page.screenshot(path=f"{folder}/forget.png")
        tab.page.get_by_role("button", name="Keep it").click()
        tab.until("!document.querySelector('.viewer .confirmation')")
        assert library.search("garden", by="words")["hits"], "nothing happens without a yes"
        tab.page.get_by_role("button", name="Forget").click()
        with tab.page.expect_response("**/api/forget") as answer:
            tab.page.get_by_role("button", name="Forget it").click()
        assert answer.value.json()["erased"] is True
        tab.until("!document.querySelector('.viewer')")
        tab.until("!document.body.textContent.includes('garden gate')")
        assert library.search("garden", by="words")["hits"] == []
        assert (tmp_path / "files" / "garden.txt").exists()
        assert tab.unexpected == []
