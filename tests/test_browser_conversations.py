"""Conversations in a real browser: kept over a reload, found, renamed, saved, deleted."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browser import Theme, Visit, chromium, visit
from tests.served import Running, running, small_library
from tests.test_conversations import Reader

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    base = tmp_path_factory.mktemp("conversations")
    (base / "files").mkdir()
    (base / "files" / "harbour notes.txt").write_text("The red boat lies in the harbour.\n")
    (base / "files" / "diary.txt").write_text("The violet kite hangs in the tree.\n")
    with (
        small_library(base / "files", base / "data", Reader()) as opened,
        running(opened) as server,
    ):
        yield server


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def opened(browser: Browser, served: Running) -> Iterator[Visit]:
    with visit(browser, served, "/ask") as visited:
        yield visited


@pytest.fixture
def tab(opened: Visit, served: Running) -> Iterator[Visit]:
    conversations = served.library.conversations
    for conversation in conversations.page(limit=200)["conversations"]:
        conversations.delete(conversation["id"])
    opened.reopen("/ask")
    yield opened
    assert opened.unexpected == []


def ask(tab: Visit, question: str) -> None:
    tab.page.locator(".composer textarea").fill(question)
    tab.page.keyboard.press("Enter")
    tab.see(".turn.last .outcome")


def listed(tab: Visit) -> list[str]:
    return tab.page.locator(".conversations li bdi").all_inner_texts()


def test_a_conversation_stays_over_a_reload_and_in_another_tab(tab: Visit) -> None:
    ask(tab, "Where is the red boat?")
    ask(tab, "And the harbour?")
    address = tab.page.url
    assert "/ask?c=" in address
    answer = tab.see(".answer").inner_text()
    tab.page.reload()
    tab.see(".turn", 1)
    assert tab.see(".answer").inner_text() == answer
    assert tab.see(".conversation-head h1").inner_text() == "Where is the red boat?"
    tab.see(".cite").click()
    tab.see(".viewer .paper rect.passage")
    tab.page.evaluate("sessionStorage.clear()")
    tab.open(address.removeprefix(tab.url))
    tab.see(".turn", 1)
    announced = tab.page.locator("#announcements p").all_inner_texts()
    assert announced == [], "what was read before is not read again"


def test_it_is_there_again_after_another_page(tab: Visit) -> None:
    ask(tab, "Where is the red boat?")
    tab.page.get_by_role("link", name="Library", exact=True).click()
    tab.see(".library")
    tab.page.get_by_role("link", name="Ask", exact=True).click()
    tab.see(".turn")
    tab.until("location.search.includes('c=')")
    assert "c=" in tab.page.url


def test_all_are_listed_and_found_by_their_words(tab: Visit) -> None:
    ask(tab, "Where is the red boat?")
    tab.page.get_by_role("button", name="New conversation").click()
    tab.gone(".turn")
    ask(tab, "What hangs in the tree?")
    tab.page.get_by_role("button", name="All conversations").click()
    tab.see(".conversations li", 1)
    assert listed(tab) == ["What hangs in the tree?", "Where is the red boat?"]
    tab.page.get_by_role("searchbox", name="Search the conversations").fill("viol kit")
    tab.until("document.querySelectorAll('.conversations li').length === 1")
    assert listed(tab) == ["What hangs in the tree?"]
    tab.page.get_by_role("searchbox", name="Search the conversations").fill("nowhere")
    assert tab.see(".conversations .quiet-note").inner_text() == "No conversation has these words."
    tab.page.get_by_role("searchbox", name="Search the conversations").fill("boat")
    tab.page.get_by_role("link", name="Where is the red boat?").click()
    tab.see(".turn")
    assert tab.see(".question").inner_text() == "Where is the red boat?"


def test_it_is_renamed_saved_and_deleted(tab: Visit, tmp_path: Path) -> None:
    ask(tab, "Where is the red boat?")
    tab.page.get_by_role("button", name="Rename").click()
    tab.page.get_by_role("textbox", name="Title of the conversation").fill("By the sea")
    tab.page.keyboard.press("Enter")
    tab.until("document.querySelector('.conversation-head h1')?.textContent === 'By the sea'")
    with tab.page.expect_download() as download:
        tab.page.get_by_role("link", name="Save").click()
    assert download.value.suggested_filename == "By the sea.md"
    download.value.save_as(tmp_path / "saved.md")
    saved = (tmp_path / "saved.md").read_text()
    assert saved.startswith("# By the sea\n")
    assert "“The red boat lies in the harbour.”" in saved
    tab.page.get_by_role("button", name="Delete", exact=True).click()
    tab.page.get_by_role("button", name="Delete it").click()
    tab.gone(".turn")
    tab.gone(".conversations")
    tab.page.go_back()
    assert tab.see(".problem").inner_text() == "This conversation was deleted."
    tab.expect_message("404")


def test_a_forgotten_file_leaves_the_open_conversation(tab: Visit, served: Running) -> None:
    ask(tab, "What hangs in the tree?")
    kite = tab.page.locator(".source", has_text="diary")
    kite.locator("a").click()
    tab.page.locator(".viewer").get_by_role("button", name="Forget", exact=True).click()
    tab.page.get_by_role("button", name="Forget it").click()
    assert "has been forgotten" in tab.see(".turn .problem").inner_text()
    assert "violet kite" not in tab.see("main").inner_text()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1440])
def test_nothing_is_wrong_for_axe_and_nothing_runs_over(
    browser: Browser, served: Running, theme: Theme, width: int
) -> None:
    with visit(browser, served, "/ask", width=width, theme=theme) as tab:
        ask(tab, "Where is the red boat, " + "and the very long word of the harbour " * 4 + "?")
        tab.page.get_by_role("button", name="Delete", exact=True).click()
        assert tab.accessibility() == []
        tab.page.get_by_role("button", name="Rename").click()
        assert tab.accessibility() == []
        assert tab.page.evaluate("document.documentElement.scrollWidth") <= width
        tab.page.get_by_role("button", name="All conversations").click()
        tab.see(".conversations li")
        assert tab.accessibility() == []
        assert tab.page.evaluate("document.documentElement.scrollWidth") <= width
