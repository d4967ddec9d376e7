"""Marks lie on their words in a real browser: every pixel of a marked word is under its mark, in
every form that a search finds it by."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

import httpx
import numpy as np
import pytest
import soundfile
from PIL import Image as Picture

from indexer.catalog.words import index
from tests.browser import Visit, chromium, visit
from tests.served import Running, running, small_library
from tests.test_page_words import COLOURS, ORIGINS, coloured_page
from tests.test_scripts import LANGUAGES

pytestmark = pytest.mark.browser

CASES = list(product((0, 90, 180, 270), (False, True), ORIGINS, (1, 2.5)))

# How many pixels of a colour the picture of the page has, how many of them lie under a mark, and
# how many pixels of other ink do.
INK_UNDER_MARKS = """([red, green, blue]) => {
  const image = document.querySelector('.paper img');
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
  const context = canvas.getContext('2d');
  context.drawImage(image, 0, 0);
  const page = image.getBoundingClientRect();
  const marks = [...document.querySelectorAll('.paper rect.match')].map((mark) => {
    const box = mark.getBoundingClientRect();
    const across = canvas.width / page.width, down = canvas.height / page.height;
    return [(box.left - page.left) * across - 2, (box.top - page.top) * down - 2,
      (box.right - page.left) * across + 2, (box.bottom - page.top) * down + 2]; });
  const pixels = context.getImageData(0, 0, canvas.width, canvas.height).data;
  const counts = { ink: 0, marked: 0, other: 0, marks: marks.length };
  for (let y = 0; y < canvas.height; y++) for (let x = 0; x < canvas.width; x++) {
    const at = 4 * (y * canvas.width + x);
    const [r, g, b] = [pixels[at], pixels[at + 1], pixels[at + 2]];
    const off = Math.abs(r - red) + Math.abs(g - green) + Math.abs(b - blue);
    const isInk = off < 90, isWhite = r + g + b > 640;
    if (!isInk && isWhite) continue;
    const under = marks.some(([x0, y0, x1, y1]) => x0 <= x && x <= x1 && y0 <= y && y <= y1);
    counts.ink += isInk; counts.marked += isInk && under; counts.other += under && off > 500;
  }
  return counts;
}"""


TEXTS = {
    "lease.txt": "The deposit of Müller is paid. Send an e-mail, call +49 (0)30 123 456-78.",
    "other.txt": "All deposits are kept.",
}


def case_name(case: tuple[int, bool, tuple[int, int], float]) -> str:
    rotate, crop, (x, y), unit = case
    return f"page {rotate} {crop:d} {x} {y} {unit}.pdf"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("library") / "files"
    folder.mkdir()
    for case in CASES:
        coloured_page(*case).save(folder / case_name(case))
    for language, (sentence, _) in LANGUAGES.items():
        (folder / f"{language}.txt").write_text(f"{sentence}\n", "utf-8")
    for name, text in TEXTS.items():
        (folder / name).write_text(f"{text}\n", "utf-8")
    Picture.new("RGB", (320, 200), (250, 10, 10)).save(folder / "sunset.png")
    wave = 0.5 * np.sin(2 * np.pi * 900 * np.arange(16_000) / 16_000)
    soundfile.write(folder / "whistle.wav", wave.astype(np.float32), 16_000)
    data = tmp_path_factory.mktemp("data")
    with small_library(folder, data) as library, running(library) as server:
        yield server


@pytest.fixture(scope="module")
def tab(served: Running) -> Iterator[Visit]:
    with chromium() as browser, visit(browser, served) as opened:
        yield opened


def shown(tab: Visit, served: Running, name: str, query: str) -> None:
    tab.open(f"/?q={query}&item={served.item(name)}&page=1")
    tab.see(".paper rect.match")
    tab.until("document.querySelector('.paper img').naturalWidth > 500")


def slow_but_one(case: tuple[int, bool, tuple[int, int], float]) -> Any:
    """Each rotation with and without a crop box stands for the rest in the fast suite."""
    marks = () if case[2:] == (ORIGINS[1], 1) else pytest.mark.slow
    return pytest.param(case, marks=marks, id=case_name(case))


@pytest.mark.parametrize("case", [slow_but_one(case) for case in CASES])
def test_a_mark_lies_on_its_word(
    tab: Visit, served: Running, case: tuple[int, bool, tuple[int, int], float]
) -> None:
    for word in ("Harbour", "downwards"):
        shown(tab, served, case_name(case), word)
        counts: dict[str, Any] = tab.page.evaluate(INK_UNDER_MARKS, list(COLOURS[word]))
        assert counts["marks"] == 1, counts
        assert counts["ink"] > 200, counts
        assert counts["marked"] == counts["ink"], counts
        assert counts["other"] == 0, counts


def test_neighbouring_words_from_right_to_left_have_one_mark(tab: Visit, served: Running) -> None:
    shown(tab, served, "Arabic.txt", "جميع الناس")
    [[x, width]] = tab.page.evaluate(
        """[...document.querySelectorAll('.paper rect.match')]
           .map((mark) => [mark.x.baseVal.value, mark.width.baseVal.value])"""
    )
    assert x > 60
    assert width > 30


@pytest.mark.parametrize("language", ["Urdu", "Hindi", "Khmer", "Tamil", "Thai", "Tibetan"])
def test_a_word_of_every_script_is_marked(tab: Visit, served: Running, language: str) -> None:
    sentence, word = LANGUAGES[language]
    shown(tab, served, f"{language}.txt", word)
    counts = tab.page.evaluate(INK_UNDER_MARKS, [28, 28, 30])
    assert 20 < counts["marked"] < 0.6 * counts["ink"], counts
    lines = tab.page.locator(".paper text").all_text_contents()
    assert "".join(lines).replace(" ", "") == sentence.replace(" ", "")
    tab.open(f"/?q={word}")
    marks = tab.see(".row.document").locator("mark").all_inner_texts()
    assert "".join(marks).strip("་") == word.strip("་")


def marked_words_of(api: httpx.Client, address: str, query: str) -> list[str]:
    """The marked words of a page, or of the words of an item."""
    answer = api.get(address, params={"q": query}).json()
    if "words" in answer:
        return [answer["words"][i][4].rstrip(".,") for i in answer["marks"]]
    return [
        passage["text"][start:end]
        for passage in answer["passages"]
        for start, end in passage["marks"]
    ]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("deposits", ["deposit"]),
        ("depos", ["deposit"]),
        ("mueller", ["Müller"]),
        ("email", ["e-mail"]),
        ("03012345678", ["+49", "(0)30", "123", "456-78"]),
        ('"deposits"', []),
        ("", []),
    ],
)
def test_a_page_is_marked_as_the_snippet_is(
    served: Running, api: httpx.Client, query: str, expected: list[str]
) -> None:
    item = served.item("lease.txt")
    assert marked_words_of(api, f"/api/items/{item}/page/1/words", query) == expected
    together = "".join(marked_words_of(api, f"/api/items/{item}/text", query))
    assert together.lstrip("+") == " ".join(expected).lstrip("+")
    if query and expected:
        hits = api.get("/api/search", params={"q": query, "by": "words"}).json()["hits"]
        [hit] = [hit for hit in hits if hit["id"] == item]
        snippet = "".join(hit["snippet"][start:end] for start, end in hit["marks"])
        assert snippet == together


def test_captions_and_transcripts_are_marked(served: Running, api: httpx.Client) -> None:
    photo, sound = served.item("sunset.png"), served.item("whistle.wav")
    assert marked_words_of(api, f"/api/items/{photo}/text", "pictures") == ["picture"]
    assert marked_words_of(api, f"/api/items/{sound}/text", "sounds, high") == ["high", "sound"]


def test_a_file_that_only_a_filter_has_found_is_marked(
    served: Running, api: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Enough other files hold the word as it was typed."""
    monkeypatch.setattr(index, "FORMS_BELOW", 1)
    item = served.item("lease.txt")
    assert marked_words_of(api, f"/api/items/{item}/page/1/words", "deposits") == ["deposit"]


def test_other_forms_are_marked_in_the_viewer(tab: Visit, served: Running) -> None:
    shown(tab, served, "lease.txt", "deposits")
    tab.open(f"/?q=pictures&item={served.item('sunset.png')}")
    assert tab.see("figcaption mark").inner_text() == "picture"
    tab.open(f"/?q=sounds&item={served.item('whistle.wav')}&t=0")
    assert tab.see(".transcript mark").inner_text() == "sound"
