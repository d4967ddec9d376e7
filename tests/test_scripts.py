"""Every script is found, shown and marked: sentences of 26 languages, each with a word of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from indexer.extract.pages.mupdf import pymupdf
from indexer.extract.pages.page_words import page_words
from indexer.extract.pages.rasters import render
from indexer.extract.pages.typesetting import plain_page
from indexer.types.text.graphemes import grapheme_start
from retriever.marks.page_marks import page_marks
from retriever.marks.snippets import snippet, words_to_mark
from tests.library import small

LANGUAGES: dict[str, tuple[str, str]] = json.loads(
    (Path(__file__).parent / "data" / "languages.json").read_text("utf-8")
)
each_language = pytest.mark.parametrize("language", LANGUAGES)


def marked(words: list[Any], query: str) -> str:
    return "".join(words[i][4] for i in page_marks(words, words_to_mark(query)))


@each_language
def test_the_word_is_marked_in_its_snippet(language: str) -> None:
    sentence, word = LANGUAGES[language]
    shown = snippet(sentence, words_to_mark(word))
    marks = [shown.text[start:end] for start, end in shown.marks]
    assert [mark.strip("་") for mark in marks] == [word.strip("་")]


@each_language
def test_a_snippet_is_cut_between_graphemes(language: str) -> None:
    sentence, word = LANGUAGES[language]
    text = sentence.replace(" ", "") * 8
    for length in range(20, 60):
        shown = snippet(text, words_to_mark(word), length)
        start = text.find(shown.text.strip("… "))
        end = start + len(shown.text.strip("… "))
        assert start >= 0
        assert grapheme_start(text, start) == start
        assert grapheme_start(text, end) == end


@each_language
def test_a_page_has_our_own_words_where_their_ink_is(language: str) -> None:
    sentence, word = LANGUAGES[language]
    source = plain_page(f"First line.\n{sentence}\n\n{' '.join([sentence] * 9)}")
    page = source.words()
    text = "".join(shown for *_, shown, _ in page["words"])
    assert text == "".join(source.text.split())
    assert marked(page["words"], word).count(word) == 10
    with source.document() as document:
        picture = np.asarray(render(document[0], width_px=1785).convert("L")) < 140
    covered = np.zeros_like(picture)
    for x0, y0, x1, y1, shown, _ in page["words"]:
        assert 50 < x0 < x1 < page["width"] - 50, "nothing runs off the page"
        box = np.s_[int(3 * y0) : int(3 * y1) + 2, int(3 * x0) - 3 : int(3 * x1) + 4]
        assert picture[box].any(), shown
        covered[box] = True
    assert (picture & ~covered).sum() < 0.01 * picture.sum()


def test_each_language_is_found_in_its_file_and_marked_on_its_page(tmp_path: Path) -> None:
    folder = tmp_path / "library"
    folder.mkdir()
    for language, (sentence, _) in LANGUAGES.items():
        (folder / f"{language}.txt").write_text(f"{sentence}\n", "utf-8")
    with small(folder, tmp_path / "data") as library:
        library.service.run_once()
        assert library.catalog.files.failed() == []
        for language, (_, word) in LANGUAGES.items():
            assert folder / f"{language}.txt" in library.found(word), language


@pytest.mark.parametrize("font", ["china-s", "japan"])
def test_a_word_of_a_chinese_pdf_is_marked_alone(font: str) -> None:
    sentence, word = LANGUAGES["Chinese" if font == "china-s" else "Japanese"]
    document = pymupdf.open()
    page = document.new_page()
    page.insert_text((72, 72), sentence[: sentence.index(word)], fontname=font)
    page.insert_text((72, 100), f"{word}と平等", fontname=font)
    page.insert_text((72, 130), sentence, fontname=font)
    words = page_words(page)["words"]
    assert marked(words, word) == word * 2


def test_both_parts_of_a_hyphenated_word_are_marked() -> None:
    document = pymupdf.open()
    page = document.new_page()
    page.insert_text((72, 72), ["It was a remark-", "able and well-", "known ferry."])
    words = page_words(page)["words"]
    assert marked(words, "remarkable") == "remark-able"
    assert marked(words, "well-known") == "well-known"
    assert marked(words, "ferry remark") == "remark-ferry."
