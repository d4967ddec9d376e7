"""Asking in a real browser: the answer while it is written, and its links to its sources."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from PIL import Image as Picture
from playwright.sync_api import Browser

from model.interface import (
    DEFAULT_WRITING,
    AnswerCitation,
    AnswerEnd,
    AnswerEvent,
    AnswerText,
    ConversationTurn,
    Evidence,
    WritingOptions,
)
from recollect import build
from tests.browser import Visit, chromium, visit
from tests.conftest import ROOT, Indexed
from tests.fake_model import FakeModel
from tests.served import EndlessModel, Running, running, small_library
from web.machine.settings import Settings

pytestmark = pytest.mark.browser

HOSTILE = [
    '<img src="http://far.example/a.png" onerror="alert(1)"> <script>alert(2)</script>\n\n',
    "![picture](http://far.example/b.png) and [a link](javascript:alert(3)) and ",
    "<http://far.example/c> and [again][ref]\n\n[ref]: http://far.example/d\n\n",
    '<iframe src="//far.example"></iframe>\n\n- **bold** and `code`\n- second\n\n',
    "| a | b |\n|---|---|\n| 1 | <b>2</b> |\n\n",
]
# What an answer may be made of, and no attribute beside these.
TAGS = set(
    "DIV P H3 H4 H5 H6 UL OL LI BLOCKQUOTE HR BR STRONG EM S CODE PRE TABLE THEAD TBODY".split()
)
TAGS |= {"TR", "TH", "TD", "SPAN", "BUTTON"}


class Quoter(FakeModel):
    """Quotes every source word for word, in pieces as small as a tokenizer's; `step` lets a test
    hold the answer between a mark and its citation."""

    def __init__(self) -> None:
        super().__init__()
        self.step = threading.Event()
        self.step.set()
        self.histories: list[list[ConversationTurn]] = []

    def answer(
        self,
        question: str,
        evidence: Sequence[Evidence],
        history: Sequence[ConversationTurn] = (),
        cancelled: Callable[[], bool] = lambda: False,
        options: WritingOptions = DEFAULT_WRITING,
    ) -> Iterator[AnswerEvent]:
        self.histories.append(list(history))
        if "unknown" in question:
            yield AnswerText("That is not in your library.")
        elif "hostile" in question:
            for piece in (letter for text in HOSTILE for letter in text):
                yield AnswerText(piece)
        elif "price" in question:
            yield AnswerText("The boat costs 1,580 euro.")
        else:
            yield AnswerText("What the sources say:\n\n")
            for source in (source for source in evidence if source.words):
                for word in f"{source.title} says so [{source.n}].\n\n".split(" "):
                    yield AnswerText(word + " ")
                self.step.wait(60)
                yield AnswerCitation(source.n, source.words)
        yield AnswerEnd("stop", 1.0, 1, 1.0, None)


def write_files(folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / "harbour notes.txt").write_text("The red boat lies in the harbour until noon.\n")
    Picture.new("RGB", (320, 200), (250, 10, 10)).save(folder / "red.png")
    seconds = np.arange(9 * 16_000) / 16_000
    high = 0.5 * np.sin(2 * np.pi * 900 * seconds) * (seconds < 3)
    low = 0.5 * np.sin(2 * np.pi * 200 * seconds) * (seconds >= 5)
    soundfile.write(folder / "tones.wav", (high + low).astype(np.float32), 16_000)


@pytest.fixture(scope="module")
def quoter() -> Quoter:
    return Quoter()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, quoter: Quoter) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("library") / "files"
    write_files(folder)
    data = tmp_path_factory.mktemp("data")
    with small_library(folder, data, quoter) as library, running(library) as server:
        yield server


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture
def demonstrated(demonstration_copy: Indexed) -> Iterator[Running]:
    """A server on the demonstration library, with the model that ships."""
    settings = Settings(data=demonstration_copy.data)
    with closing(build(settings)) as library, running(library) as server:
        yield server


@pytest.fixture(scope="module")
def opened(browser: Browser, served: Running) -> Iterator[Visit]:
    with visit(browser, served, "/ask") as visited:
        yield visited


@pytest.fixture
def tab(opened: Visit, quoter: Quoter) -> Iterator[Visit]:
    quoter.step.set()
    opened.reopen("/ask")
    yield opened
    quoter.step.set()
    assert opened.unexpected == []


def ask(tab: Visit, question: str, wait: bool = True) -> None:
    tab.page.locator(".composer textarea").fill(question)
    tab.page.keyboard.press("Enter")
    if wait:
        tab.see(".turn.last .outcome")


def cited_item(tab: Visit) -> Any:
    return tab.api(f"/api/items/{tab.page.url.split('item=')[1].split('&')[0]}/text")


def bare(text: str) -> str:
    return " ".join(text.split())


def test_no_mark_is_a_chip_before_its_citation_arrives(tab: Visit, quoter: Quoter) -> None:
    quoter.step.clear()
    ask(tab, "the red boat in the harbour", wait=False)
    tab.until("document.querySelector('.answer')?.textContent.includes('What the sources say')")
    assert tab.count(".answer .cite") == 0
    assert tab.see("button[aria-label='Stop']").is_visible()
    quoter.step.set()
    tab.see(".turn.last .outcome")
    assert tab.count(".answer .cite") > 0
    assert "[1]" not in tab.see(".answer").inner_text()


def test_a_chip_opens_the_page_with_the_quote_marked(tab: Visit, served: Running) -> None:
    ask(tab, "the red boat in the harbour")
    chip = tab.see(".cite.document")
    chip.hover()
    quote = tab.see(".card blockquote").inner_text()
    assert "text of the page" in tab.see(".card").inner_text()
    tab.page.keyboard.press("Escape")
    tab.gone(".card")
    chip.click()
    tab.see(".paper rect.passage")
    assert f"item={served.item('harbour notes.txt')}" in tab.page.url
    assert any(bare(quote) in bare(passage["text"]) for passage in cited_item(tab)["passages"])
    assert tab.see(".viewer .match-count").inner_text() == "passage marked"
    assert tab.count(".sources .source.open") == 1


def test_a_chip_plays_the_recording_from_just_before(tab: Visit, served: Running) -> None:
    ask(tab, "a loud low sound")
    chip = tab.page.locator(".cite.recording").first
    chip.wait_for()
    chip.click()
    tab.see(".transcript")
    start_s = float(tab.page.url.split("t=")[1])
    assert start_s - 2 <= tab.played_from_s() <= start_s + 0.1
    assert f"item={served.item('tones.wav')}" in tab.page.url
    places = [passage["place"] for passage in cited_item(tab)["passages"]]
    assert any(place["start_s"] - 0.1 <= start_s < place["end_s"] for place in places)


def test_a_chip_opens_the_picture(tab: Visit, served: Running) -> None:
    ask(tab, "a red picture")
    tab.see(".cite.photo").click()
    assert "red picture" in tab.see(".viewer figcaption").inner_text()
    assert f"item={served.item('red.png')}" in tab.page.url


def test_esc_closes_card_then_viewer(tab: Visit) -> None:
    ask(tab, "the red boat in the harbour")
    tab.see(".cite").click()
    tab.see(".viewer")
    tab.page.locator(".cite").first.focus()
    tab.page.keyboard.press("Shift+Tab")
    tab.page.keyboard.press("Tab")
    tab.see(".card")
    tab.page.keyboard.press("Escape")
    tab.gone(".card")
    assert tab.count(".viewer") == 1
    tab.page.keyboard.press("Escape")
    tab.gone(".viewer")
    assert tab.count(".turn") == 1


def test_a_hostile_answer_becomes_text_alone(tab: Visit) -> None:
    ask(tab, "be hostile")
    answer = tab.see(".answer")
    assert "<script>alert(2)</script>" in answer.inner_text()
    elements = tab.page.evaluate(
        """[...document.querySelectorAll('.answer .block, .answer .block *')].map(
             (node) => [node.tagName, node.getAttributeNames()])"""
    )
    assert {tag for tag, _ in elements} <= TAGS
    assert {name for _, names in elements for name in names} <= {"class", "title", "tabindex"}
    assert tab.count(".answer strong") == 1
    assert tab.count(".answer td") == 2


def test_an_answer_that_is_not_in_the_library_names_the_nearest_source(tab: Visit) -> None:
    ask(tab, "something unknown in the harbour")
    sentences = tab.see(".not-in-library").inner_text()
    assert sentences.startswith("Not in your library. I looked at ")
    assert "harbour notes" in sentences


def test_a_figure_that_stands_in_no_source_is_shown(tab: Visit) -> None:
    ask(tab, "What is the price of the red boat?")
    assert "1,580 stands in none of the sources" in tab.see(".turn.last .unfounded").inner_text()


def test_a_follow_up_carries_the_history(tab: Visit, quoter: Quoter) -> None:
    ask(tab, "the red boat in the harbour")
    ask(tab, "and until when in the harbour?")
    assert tab.count(".turn") == 2
    (earlier,) = quoter.histories[-1]
    assert earlier.question == "the red boat in the harbour"
    assert "harbour notes.txt says so [1]" in earlier.answer
    tab.page.reload()
    tab.see(".turn", 1)
    tab.page.get_by_text("New conversation").click()
    tab.gone(".turn")


def test_each_block_is_announced_once(tab: Visit) -> None:
    ask(tab, "the red boat in the harbour")
    announced = tab.page.locator("#announcements p").all_inner_texts()
    assert announced[0] == "Answering"
    assert announced[-1].startswith("Answer ready, ")
    assert len(announced) == len(set(announced))
    assert tab.see(".answer").get_attribute("aria-busy") == "false"


def test_text_selected_while_it_is_written_stays_selected(tab: Visit, quoter: Quoter) -> None:
    quoter.step.clear()
    ask(tab, "the red boat in the harbour", wait=False)
    tab.until("document.querySelectorAll('.answer .block').length >= 2")
    tab.page.evaluate("getSelection().selectAllChildren(document.querySelector('.answer .block'))")
    quoter.step.set()
    tab.see(".turn.last .outcome")
    assert tab.page.evaluate("getSelection().toString()").strip() == "What the sources say:"


def test_a_question_about_one_thing_names_it(tab: Visit, served: Running) -> None:
    tab.open(f"/item/{served.item('harbour notes.txt')}")
    tab.page.get_by_role("button", name="Ask about this").click()
    tab.page.locator(".composer .about", has_text="harbour notes").wait_for()
    ask(tab, "when does the boat leave?")
    assert "harbour notes" in tab.see(".turn .about").inner_text()
    assert tab.count(".sources .source.document") == 1


def test_stop_ends_the_writing(browser: Browser, tmp_path: Path) -> None:
    model = EndlessModel()
    write_files(tmp_path / "files")
    with (
        small_library(tmp_path / "files", tmp_path / "data", model) as library,
        running(library) as server,
        visit(browser, server, "/ask") as tab,
    ):
        ask(tab, "the harbour", wait=False)
        tab.until("document.querySelector('.answer')?.textContent.length > 20")
        tab.see("button[aria-label='Stop']").click()
        tab.see(".turn.last .outcome")
        written = tab.see(".answer").inner_text()
        assert model.stopped.wait(60)
        tab.page.wait_for_timeout(200)
        assert tab.see(".answer").inner_text() == written
        assert "Stopped" in tab.see(".outcome").inner_text()


def test_on_a_phone_a_tap_shows_the_quote_first(browser: Browser, served: Running) -> None:
    with visit(browser, served, "/ask", width=390, height=844, touch=True) as tab:
        ask(tab, "the red boat in the harbour")
        tab.see(".cite.document").tap()
        box = tab.see(".card").bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 390
        assert tab.count(".viewer") == 0
        tab.page.locator(".card button", has_text="Open").tap()
        tab.see(".viewer .paper rect.passage")


def test_the_demonstration_answers_and_its_citation_opens(
    browser: Browser, demonstrated: Running
) -> None:
    shipped = json.loads((ROOT / "model/pocket/demonstration.json").read_text())
    with visit(browser, demonstrated, "/ask") as tab:
        assert "Demonstration model" in tab.see(".demonstration").inner_text()
        for question in [row["question"] for row in shipped["questions"][:4]]:
            ask(tab, question, wait=False)
            tab.see(".turn.last .outcome")
            if tab.count(".turn.last .cite"):
                break
        chip = tab.page.locator(".turn.last .cite").first
        chip.hover()
        quote = tab.see(".card blockquote").inner_text()
        tab.page.keyboard.press("Escape")
        chip.click()
        tab.see(".viewer .actions")
        assert any(bare(quote) in bare(passage["text"]) for passage in cited_item(tab)["passages"])
