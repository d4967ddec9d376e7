"""Searching in a real browser: words first, meaning later, and opening the place of a hit."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile
from PIL import Image as Picture
from playwright.sync_api import Browser, Route

from indexer.extract.pages.mupdf import pymupdf
from tests.browser import PATIENCE_S, Visit, chromium, visit
from tests.films import tracks_film, variable_mp3
from tests.pitches import rising, second_played
from tests.served import Running, running, small_library, write_files

pytestmark = pytest.mark.browser

LISTED = 60  # hits that the page asks for at once
LATER_S = 40.0  # what the second track says differs by so many seconds
ROWS = "#main .group:not(.by-meaning) [data-row]"


def write_more(folder: Path) -> None:
    """Three pages of which the second speaks of the lantern, photos of several shapes, and a
    recording that is high until the third second and low from the fifth on."""
    with pymupdf.open() as document:
        for text in ("The first page.", "The lantern hangs in the old harbour.", "The last page."):
            page = document.new_page()
            page.insert_text((72, 700), text)
        document.save(folder / "harbour.pdf")
    for n, (width, height, colour) in enumerate(
        [(640, 360, (0, 0, 250)), (300, 500, (0, 10, 240)), (500, 480, (5, 0, 250))]
    ):
        Picture.new("RGB", (width, height), colour).save(folder / f"sky {n}.png")
    seconds = np.arange(9 * 16_000) / 16_000
    high = 0.5 * np.sin(2 * np.pi * 900 * seconds) * (seconds < 3)
    low = 0.5 * np.sin(2 * np.pi * 200 * seconds) * (seconds >= 5)
    soundfile.write(folder / "two tones.wav", (high + low).astype(np.float32), 16_000)
    tracks_film(
        folder / "dubbed.mka",
        [
            (rising(6, 48_000, loud=0.05), {"language": "eng"}),
            (rising(6, 48_000, from_s=LATER_S), {"language": "ger", "title": "Surround"}),
        ],
        video=None,
        audio="libopus",
    )
    variable_mp3(folder / "headless.mp3", rising(20, 44_100), 44_100, header=False)
    for n in range(12):
        (folder / f"diary {n:02}.txt").write_text(f"Day {n}: we saw the comet again.\n")
    letter = "The observatory on the hill is closed until the roof has been mended."
    (folder / "observatory.txt").write_text(letter)
    (folder / "observatory copy.txt").write_text(letter)
    (folder / "observatory.html").write_text(f"<p>{letter}")
    for n in range(LISTED + 2):
        (folder / f"stamp {n:02}.txt").write_text(f"Stamp {n} of the collection.\n")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("library") / "files"
    write_files(folder)
    write_more(folder)
    data = tmp_path_factory.mktemp("data")
    with small_library(folder, data) as library, running(library) as server:
        yield server


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def opened(browser: Browser, served: Running) -> Iterator[Visit]:
    with visit(browser, served) as visited:
        yield visited


@pytest.fixture
def tab(opened: Visit) -> Iterator[Visit]:
    opened.reopen("/")
    yield opened
    assert opened.unexpected == []


class HeldRequests:
    """Requests that are not sent on before `release`."""

    def __init__(self, tab: Visit, pattern: str) -> None:
        self._tab = tab
        self._held: list[Route] | None = []
        tab.page.route(pattern, self._hold)

    def _hold(self, route: Route) -> None:
        if self._held is None:
            route.continue_()
        else:
            self._held.append(route)

    def wait(self) -> None:
        end = time.monotonic() + PATIENCE_S
        while not self._held:
            assert time.monotonic() < end, "it was never requested"
            self._tab.page.wait_for_timeout(20)

    def release(self) -> None:
        self.wait()
        held, self._held = self._held or [], None
        for route in held:
            route.continue_()


def typed(tab: Visit, words: str) -> None:
    tab.page.locator("#q").click()
    tab.page.keyboard.type(words, delay=20)


def test_what_is_typed_finds_a_page_and_marks_the_word_on_it(tab: Visit, served: Running) -> None:
    typed(tab, "lantern")
    row = tab.see(".row.document")
    assert row.locator("mark").inner_text() == "lantern"
    assert "p. 2" in row.inner_text()
    assert "Searched all" in tab.see(".coverage").inner_text()
    row.locator("[data-row]").click()
    assert "Page 2 of 3" in tab.see(".viewer .pager").inner_text()
    mark = tab.see(".paper rect.match").bounding_box()
    word = tab.page.evaluate(
        """() => { const line = [...document.querySelectorAll('.paper text')]
            .find((text) => text.textContent.includes('lantern'));
          const start = line.textContent.indexOf('lantern');
          const box = line.getBoundingClientRect();
          const at = line.getExtentOfChar(start);
          const scale = box.width / line.getBBox().width;
          return box.x + (at.x - line.getBBox().x) * scale; }"""
    )
    assert mark is not None
    assert abs(mark["x"] - word) < 12
    image = tab.see(".paper img")
    tab.until("document.querySelector('.paper img').naturalWidth > 500")
    box = image.bounding_box()
    assert box is not None
    assert box["y"] <= mark["y"] <= box["y"] + box["height"]
    assert f"item={served.item('harbour.pdf')}" in tab.page.url
    assert "page=2" in tab.page.url


def test_the_words_on_a_page_can_be_selected(tab: Visit, served: Running) -> None:
    tab.open(f"/item/{served.item('harbour.pdf')}?page=2")
    line = tab.see(".paper text")
    line.scroll_into_view_if_needed()
    box = line.bounding_box()
    assert box is not None
    middle = box["y"] + box["height"] / 2
    tab.page.mouse.move(box["x"] + 1, middle)
    tab.page.mouse.down()
    tab.page.mouse.move(box["x"] + box["width"] - 1, middle, steps=8)
    tab.page.mouse.up()
    assert "lantern hangs in the old" in tab.page.evaluate("getSelection().toString()")


def test_photos_are_found_by_what_is_on_them(tab: Visit, served: Running) -> None:
    typed(tab, "blue picture")
    tab.page.keyboard.press("Enter")
    photo = tab.see(".photos li a")
    assert "blue" in (photo.locator("img").get_attribute("alt") or "")
    assert "blue" in photo.inner_text()
    photo.click()
    picture = tab.see(".viewer .picture img")
    tab.until("document.querySelector('.picture img').naturalWidth > 100")
    assert "blue" in tab.see(".viewer figcaption").inner_text()
    assert picture.get_attribute("src") == f"/api/items/{item_in(tab.page.url)}/picture"


def item_in(address: str) -> str:
    return address.split("item=")[1].split("&")[0]


def test_a_recording_plays_from_the_second_that_was_found(tab: Visit) -> None:
    typed(tab, "low")
    tab.see(".row.recording")
    row = tab.page.locator(".row.recording", has_text="two tones").first
    start_s = sounding_start(tab, "two tones.wav", "low")
    assert 4 < start_s < 6
    row.locator("button.play").click()
    assert start_s - 2 <= tab.played_from_s() <= start_s + 0.1
    row.locator("[data-row]").click()
    current_line = tab.see(".transcript [aria-current]")
    assert "low" in current_line.inner_text()
    tab.see(".transcript li").locator("p").click()
    current = "document.querySelector('.transcript [aria-current]')"
    tab.until(f"{current}?.textContent.includes('high')")


def sounding_start(tab: Visit, name: str, words: str) -> float:
    hits = tab.api(f"/api/search?q={words}&kind=recording")["hits"]
    (hit,) = [hit for hit in hits if hit["path"].endswith(name)]
    return float(hit["place"]["start_s"])


def test_a_hit_in_a_second_track_names_it_and_plays_it(tab: Visit, served: Running) -> None:
    typed(tab, "loud high")
    tab.see(".row.recording")
    row = tab.page.locator(".row.recording", has_text="dubbed").first
    assert "0:00 · 2: German (Surround)" in row.locator(".place").inner_text()
    address = f"/api/items/{served.item('dubbed.mka')}/audio"
    row.locator("button.play").click()
    tab.played_from_s()
    playing = "document.getElementById('sound').getAttribute('src')"
    assert tab.page.evaluate(playing) == f"{address}?track=2"
    row.locator("[data-row]").click()
    choice = tab.see(".player .select select")
    assert choice.evaluate("box => box.selectedOptions[0].text") == "2: German (Surround)"
    assert "high" in tab.see(".transcript li").inner_text()
    choice.select_option(label="1: English")
    tab.until(f"{playing} === '{address}?track=1'")
    assert "quiet" in tab.see(".transcript li").inner_text()
    assert "track=1" in tab.page.url
    for track, later_s in ((1, 0.0), (2, LATER_S)):
        heard_s, _ = second_played(tab.page, f"{address}?track={track}", 3.0)
        assert heard_s == pytest.approx(3 + later_s, abs=0.1)
    assert all("ScriptProcessor" in line for line in tab.unexpected), tab.unexpected
    tab.unexpected.clear()


def test_the_second_shown_is_the_second_heard(browser: Browser, served: Running) -> None:
    with visit(browser, served) as tab:  # a tab of its own: what is heard is measured
        address = f"/api/items/{served.item('headless.mp3')}/audio"
        heard_s, duration_s = second_played(tab.page, address, 14.3)
        assert heard_s == pytest.approx(14.3, abs=0.1)
        assert duration_s == pytest.approx(20, abs=0.1)
        assert all("ScriptProcessor" in line for line in tab.unexpected), tab.unexpected
        tab.unexpected.clear()


def test_a_link_to_a_second_starts_paused_there(tab: Visit, served: Running) -> None:
    tab.open(f"/item/{served.item('two tones.wav')}?t=6")
    tab.see(".player .clock")
    tab.until("document.getElementById('sound').currentTime > 5.9")
    assert tab.page.evaluate("document.getElementById('sound').paused")
    tab.until("document.querySelector('.clock').textContent.includes('0:06 / 0:09')")
    slider = tab.see(".wave input")
    assert slider.get_attribute("aria-valuetext") == "0:06 of 0:09"
    tab.until("document.querySelector('.wave path').getAttribute('d')")


def test_a_link_to_a_page_opens_it_and_pages_turn(tab: Visit, served: Running) -> None:
    tab.open(f"/item/{served.item('harbour.pdf')}?page=2")
    assert "Page 2 of 3" in tab.see(".pager").inner_text()
    tab.page.keyboard.press("n")
    tab.until("location.search === '?page=3'")
    assert tab.see("button[aria-label='Next page']").is_disabled()
    tab.page.keyboard.press("p")
    tab.page.keyboard.press("p")
    tab.until("location.search === '?page=1'")


def test_an_unknown_link_says_so(browser: Browser, served: Running) -> None:
    with visit(browser, served, f"/item/{'a' * 26}") as tab:
        assert "not in your library" in tab.see(".viewer .problem").inner_text()
        tab.expect_message("404")


def test_nothing_jumps_when_meaning_arrives(tab: Visit) -> None:
    by_meaning = HeldRequests(tab, "**/api/search?*by=all*")
    tab.page.evaluate(
        """() => { window.shift = 0; new PerformanceObserver((list) => {
            for (const entry of list.getEntries()) window.shift += entry.value;
          }).observe({type: 'layout-shift', buffered: true}); }"""
    )
    typed(tab, "lantern")
    tab.see(".row.document")
    tab.page.evaluate("window.shift = 0")
    before = positions(tab)
    assert tab.count(".by-meaning.waiting") == 1
    by_meaning.release()
    tab.gone(".by-meaning.waiting")
    assert positions(tab) == before
    assert tab.page.evaluate("window.shift") == 0
    assert "diary" in tab.see(".by-meaning .rows").inner_text()


def positions(tab: Visit) -> list[list[object]]:
    rows: list[list[object]] = tab.page.evaluate(
        f"""[...document.querySelectorAll('{ROWS}')]
            .map((row) => [row.textContent, row.getBoundingClientRect().top])"""
    )
    return rows


def test_an_answer_to_an_older_query_never_wins(tab: Visit) -> None:
    older = HeldRequests(tab, "**/api/search?*q=lantern&*")
    typed(tab, "lantern")
    older.wait()
    tab.page.locator("#q").fill("zebras")
    tab.page.keyboard.press("Enter")
    tab.page.locator(".row.document", has_text="zebras").first.wait_for()
    older.release()
    tab.page.wait_for_timeout(300)  # the answer arrives, unless its request was aborted
    assert "zebras" in tab.see(".row.document").inner_text()
    assert "lantern" not in tab.see("#main").inner_text()


def test_esc_closes_one_thing_at_a_time(tab: Visit) -> None:
    typed(tab, "lantern")
    tab.page.keyboard.press("Enter")
    tab.see(".row.document")
    tab.page.keyboard.press("ArrowDown")
    tab.page.keyboard.press("Enter")
    tab.see(".viewer")
    tab.page.keyboard.press("?")
    tab.see("dialog[open]")
    tab.page.keyboard.press("Escape")
    tab.gone("dialog[open]")
    assert tab.count(".viewer") == 1
    tab.page.keyboard.press("Escape")
    tab.gone(".viewer")
    assert "q=lantern" in tab.page.url
    assert tab.page.evaluate("document.activeElement.hasAttribute('data-row')")
    tab.page.keyboard.press("Escape")
    tab.until("location.search === ''")
    assert tab.page.locator("#q").input_value() == ""


def test_going_back_keeps_query_and_scroll(tab: Visit) -> None:
    tab.open("/?q=comet&kind=document")
    tab.see(".row.document", 11)
    tab.page.evaluate("window.scrollTo(0, 300)")
    tab.page.locator("[data-row]", has_text="diary").nth(6).click()
    tab.see(".viewer .paper rect")
    assert tab.page.evaluate("scrollY") == 300, "the list stays where it is beside its viewer"
    tab.page.go_back()
    tab.gone(".viewer")
    assert tab.page.evaluate("scrollY") == 300
    tab.page.keyboard.press("g")
    tab.page.keyboard.press("l")
    tab.see(".library h1")
    tab.page.go_back()
    tab.see(".row.document", 11)
    tab.until("Math.abs(scrollY - 300) <= 2")
    assert tab.page.locator("#q").input_value() == "comet"


def test_filters_of_another_page_do_not_follow_into_a_search(tab: Visit) -> None:
    tab.open("/library?kind=photo&state=understood")
    tab.see(".files tbody tr")
    typed(tab, "lantern")
    assert "lantern" in tab.see(".row.document").inner_text()
    assert "kind" not in tab.page.url
    tab.page.locator(".chip.photo").click()
    tab.until("location.search.includes('kind=photo')")
    tab.page.locator("#q").fill("comet")
    tab.until("location.search.includes('q=comet')")
    assert "kind=photo" in tab.page.url


def test_what_was_typed_before_the_scripts_ran_counts(browser: Browser, served: Running) -> None:
    with visit(browser, served) as tab:
        script = HeldRequests(tab, "**/static/app.js")
        tab.page.goto(tab.url + "/", wait_until="commit")
        box = tab.page.locator("#q")
        box.wait_for(state="visible")
        box.fill("lantern")
        script.release()
        assert "lantern" in tab.see(".row.document").inner_text()


def test_an_example_picture_finds_its_like(tab: Visit, tmp_path: Path) -> None:
    Picture.new("RGB", (64, 64), (240, 0, 10)).save(tmp_path / "like.png")
    tab.page.locator("input[type=file]").set_input_files(tmp_path / "like.png")
    assert "like.png" in tab.see(".example").inner_text()
    assert "red picture" in tab.see(".photos li").inner_text()
    tab.page.locator("input[type=file]").set_input_files(
        {"name": "a.zip", "mimeType": "application/zip", "buffer": b"x"}
    )
    assert "Search by a picture" in tab.see(".refusal").inner_text()
    tab.page.locator(".example button").click()
    tab.gone(".example")


def test_filters_that_are_typed_are_shown_and_can_be_taken_back(tab: Visit) -> None:
    typed(tab, "comet -again ext:zip")
    tab.see(".empty")
    assert tab.page.locator(".typed-filter").all_inner_texts() == ["without “again”", ".zip"]
    for gone in ("-again", "ext:zip"):
        tab.see(f'.typed-filter button[aria-label="Take {gone} out"]').click()
    tab.until("!document.querySelector('.typed-filter')")
    tab.see(ROWS)
    assert tab.page.locator("#q").input_value() == "comet"
    typed(tab, " in March 1999 on:never")
    tab.see(".empty")
    assert tab.count(".typed-filter.unknown") == 1
    assert tab.accessibility() == []
    tab.page.get_by_label('Search for the words "in March 1999" instead').click()
    tab.until("document.querySelector('#q').value === 'comet \"in March 1999\" on:never'")
    tab.reopen("/?q=comet+from:nobody")
    assert "No mail of the library is from “nobody”." in tab.see(".typed-filter").inner_text()


def test_a_long_list_goes_on_below(tab: Visit) -> None:
    tab.reopen("/?q=stamp&kind=document")
    tab.see(".more-rows button")
    assert tab.page.locator(ROWS).count() == LISTED
    tab.page.get_by_role("button", name="More results").click()
    tab.gone(".more-rows")
    assert tab.page.locator(ROWS).filter(has_text="stamp ").count() == LISTED + 2


def test_no_matches_offer_what_else_to_try(tab: Visit) -> None:
    tab.open("/?q=river&kind=photo&when=week")
    assert "Nothing matches" in tab.see(".empty h2").inner_text()
    assert tab.see(".empty a").inner_text() == "Search everything"
    tab.see(".empty a", 1).click()
    assert "river" in tab.see(".question").inner_text()


def test_a_browser_that_lost_its_key_shows_what_to_do(browser: Browser, served: Running) -> None:
    with visit(browser, served) as tab:
        tab.see(".home h1")
        tab.page.context.clear_cookies()
        typed(tab, "lantern")
        assert "link" in tab.see(".bar").inner_text()
        tab.expect_message("401")


def test_a_lost_server_is_shown_until_it_answers(browser: Browser, served: Running) -> None:
    with visit(browser, served) as tab:
        tab.see(".home h1")
        tab.page.context.set_offline(True)
        typed(tab, "lantern")
        assert "Start it again" in tab.see(".bar").inner_text()
        assert tab.page.locator("#q").input_value() == "lantern"
        tab.page.context.set_offline(False)
        tab.gone(".bar")
        assert "lantern" in tab.see(".row.document").inner_text()
        tab.expect_message("ERR_INTERNET_DISCONNECTED")


def test_an_example_that_cannot_be_read_takes_the_place_of_the_last_rows(
    tab: Visit, tmp_path: Path
) -> None:
    tab.open("/?q=garden")
    tab.see("[data-row]")
    broken = tmp_path / "holiday.png"
    broken.write_bytes(b"\x89PNG\r\n\x1a\n no picture follows")
    tab.page.locator("input[type=file]").set_input_files(broken)
    sentence = tab.see(".results .problem").inner_text()
    assert sentence.startswith("holiday.png: ")
    tab.gone("[data-row]")
    tab.expect_message("422")


@pytest.mark.parametrize("width", [390, 1440])
def test_a_copy_is_named_beside_the_hit_and_opens(tab: Visit, width: int) -> None:
    size = tab.page.viewport_size
    tab.page.set_viewport_size({"width": width, "height": 900})
    tab.open("/?q=observatory")
    tab.see("[data-row]")
    [hit] = tab.api("/api/search?q=observatory&by=words")["hits"]
    others = {copy["path"].rpartition("/")[2]: copy["id"] for copy in hit["also_in"]}
    names = {"observatory.txt", "observatory copy.txt", "observatory.html"}
    assert {*others, hit["path"].rpartition("/")[2]} == names
    assert tab.count("#main h3:has-text('observatory')") == 1
    name, copy = next((name, id) for name, id in others.items() if id != hit["id"])
    tab.see(f"#main .meta .more a:has-text('{name}')").click()
    tab.until(f"new URLSearchParams(location.search).get('item') === '{copy}'")
    tab.page.get_by_text("The observatory on the hill").last.wait_for()
    if size is not None:
        tab.page.set_viewport_size(size)
