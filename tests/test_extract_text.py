from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.extract.containers.file_format import detect_kind
from indexer.extract.dispatch import extract
from indexer.extract.formats.block_documents import find_page_source
from indexer.extract.formats.texts.text import sections
from indexer.extract.pages.pagination import PAGE_CHARS, PAGE_LINES, paginate_text
from indexer.extract.pages.typesetting import PageSource
from indexer.types.pieces import Extracted, Facts, PageText, Thumb, UnreadableError
from indexer.types.places import Kind, Page
from indexer.types.text.characters import clean
from indexer.types.text.tokens import tokens
from tests.library import READER

GERMAN = "Grüße aus München: 20 € für „Käse“.\n"


def text_page(path: Path, number: int) -> PageSource:
    return find_page_source(path, number, sections)


def read(path: Path) -> list[Extracted]:
    return list(extract(path))


def words_of(path: Path) -> list[str]:
    return [piece.text for piece in read(path) if isinstance(piece, PageText)]


def facts_of(path: Path) -> Facts:
    return next(piece for piece in read(path) if isinstance(piece, Facts))


@pytest.mark.parametrize(
    "data",
    [
        GERMAN.encode(),
        GERMAN.encode("utf-8-sig"),
        GERMAN.encode("utf-16"),
        b"\xfe\xff" + GERMAN.encode("utf-16-be"),
        GERMAN.encode("utf-16-le"),
        GERMAN.encode("utf-16-be"),
        GERMAN.encode("cp1252"),
        GERMAN.replace("\n", "\r\n").encode(),
    ],
)
def test_fault_63_a_text_is_read_in_every_usual_encoding(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "note.txt"
    path.write_bytes(data)
    assert detect_kind(path) is Kind.DOCUMENT
    assert words_of(path) == [GERMAN.strip()]


def test_fault_63_broken_utf8_is_read_with_replacements(tmp_path: Path) -> None:
    path = tmp_path / "note.txt"
    path.write_bytes(b"good \x81\x8d words \xff here")
    assert words_of(path)[0].startswith("good ")
    assert "words" in words_of(path)[0]


def test_pieces_of_a_text(tmp_path: Path) -> None:
    path = tmp_path / "note.txt"
    path.write_text("Some words.")
    words, facts, thumb = read(path)
    assert words == PageText("Some words.", Page(1))
    assert isinstance(facts, Facts)
    assert (facts.title, facts.pages, facts.notes) == ("note", 1, ())
    assert isinstance(thumb, Thumb)
    assert thumb.webp == b"", "a page of words is drawn when somebody looks at it"
    assert max(thumb.width_px, thumb.height_px) == 480


@pytest.mark.parametrize("name", ["empty.txt", "empty.md", "empty.pdf", "empty.png", "empty.wav"])
def test_fault_40_an_empty_file_says_so(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.touch()
    assert detect_kind(path) is not None
    with pytest.raises(UnreadableError, match=r"The file is empty\.") as refused:
        read(path)
    assert refused.value.reason == "empty"


def test_an_empty_file_of_no_kind_is_skipped(tmp_path: Path) -> None:
    (tmp_path / "empty.bin").touch()
    assert detect_kind(tmp_path / "empty.bin") is None


def test_a_text_of_blanks_says_so(tmp_path: Path) -> None:
    path = tmp_path / "blank.txt"
    path.write_text(" \n\n\t\n")
    with pytest.raises(UnreadableError, match="no words"):
        read(path)


def test_fault_41_a_text_named_png_is_a_text(tmp_path: Path) -> None:
    path = tmp_path / "picture.png"
    path.write_text("This is no picture.")
    assert detect_kind(path) is Kind.DOCUMENT
    assert words_of(path) == ["This is no picture."]


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("program", b"\x7fELF\x02\x01\x01" + bytes(range(256)) * 4),
        ("archive.zip", b"PK\x03\x04" + bytes(200)),
        ("page.ps", b"%!PS-Adobe-3.0\n"),
        ("latin", "Grüße und Küsse".encode("cp1252")),
    ],
)
def test_what_is_no_text_is_skipped(tmp_path: Path, name: str, data: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    assert detect_kind(path) is None
    with pytest.raises(UnreadableError, match=r"not a kind of file|which is not read") as refused:
        read(path)
    assert refused.value.reason == "unsupported"


def test_fault_63_a_text_with_zeros_is_none(tmp_path: Path) -> None:
    path = tmp_path / "note.txt"
    path.write_bytes(b"words\0\0\0words" + bytes(range(256)))
    with pytest.raises(UnreadableError, match="there is no text in it"):
        read(path)


@pytest.fixture
def nobody() -> Iterator[None]:
    """As somebody who may not read everything, which root may."""
    root = os.geteuid() == 0
    if root:
        os.seteuid(65_534)
    yield
    if root:
        os.seteuid(0)


def test_a_file_without_permission_says_so(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    path = tmp_path / "secret.txt"
    path.write_text("words")
    path.chmod(0)
    request.getfixturevalue("nobody")
    for call in (detect_kind, read):
        with pytest.raises(UnreadableError, match="not allowed to read") as refused:
            call(path)
        assert refused.value.reason == "permission"


def test_a_file_that_went_away_says_so(tmp_path: Path) -> None:
    with pytest.raises(UnreadableError, match="not there any more") as refused:
        read(tmp_path / "gone.txt")
    assert refused.value.reason == "vanished"


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    with pytest.raises(UnreadableError, match="a pipe or a device"):
        detect_kind(path)


def test_names_of_any_bytes(tmp_path: Path) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/new\nline \xff.txt"))
    path.write_text("Odd name.")
    assert words_of(path) == ["Odd name."]
    assert facts_of(path).title == "new\nline \ufffd"


def test_fault_63_unseen_characters_are_left_out() -> None:
    assert clean("co\u00adop\u200b\u202eabc\U000e0041\r\nu\u0308\ud800\x00") == "coopabc\nü?"
    assert clean("نمی\u200cخواهم 👩\u200d🚀") == "نمی\u200cخواهم 👩\u200d🚀"


def test_pages_end_with_paragraphs() -> None:
    paragraphs = [f"Paragraph {n}. " + "Some words stand here. " * 20 for n in range(40)]
    pages = paginate_text("\n\n".join(paragraphs))
    assert len(pages) > 5
    assert all(page.startswith("Paragraph") and page.endswith("here.") for page in pages)
    assert max(map(len, pages)) <= PAGE_CHARS
    assert paginate_text("one\ftwo") == ["one", "two"]


@given(st.lists(st.sampled_from(["word ", "\n", "\n\n", "end. ", "x" * 500, "\f", "東"])))
def test_pages_lose_nothing_but_white_space(parts: list[str]) -> None:
    text = "".join(part * 20 for part in parts)
    pages = paginate_text(text)
    assert "".join("".join(pages).split()) == "".join(text.split())
    assert all(len(page) <= PAGE_CHARS for page in pages)


@pytest.mark.parametrize(
    "text", ["x" * 200_000, "word " * 40_000, "line\n" * 20_000, "\n" * 100_000, "a\n\n" * 30_000]
)
def test_every_page_fits_on_its_picture(tmp_path: Path, text: str) -> None:
    path = tmp_path / "long.txt"
    path.write_text(text)
    pages = paginate_text(text)
    assert "".join("".join(pages).split()) == "".join(text.split())
    assert all(len(page.split("\n")) <= PAGE_LINES for page in pages)
    if pages:
        with text_page(path, 1).document() as document:
            assert document.page_count == 1
            assert document[0].rect.height < 1000


MARKDOWN = """# The *big* Plan

Some **bold** words, a [link](http://example.org) and ![a picture](http://example.org/x.png).

- one
- two

| a | b |
|---|---|
| c | d |

```
code = 1
```

<script>alert(1)</script>
"""


def test_markdown_has_its_title_and_its_words(tmp_path: Path) -> None:
    path = tmp_path / "plan.md"
    path.write_text(MARKDOWN)
    assert facts_of(path).title == "The big Plan"
    (words,) = words_of(path)
    assert words.startswith("The big Plan\n\nSome bold words, a link and !a picture.\n\none\n\ntwo")
    assert "code = 1" in words
    with text_page(path, 1).document() as document:
        spans = [
            span
            for block in document[0].get_text("dict")["blocks"]
            for line in block["lines"]
            for span in line["spans"]
        ]
    sizes = {word: span["size"] for span in spans for word in span["text"].split()}
    assert sizes["Plan"] > 1.5 * sizes["one"]


@pytest.mark.parametrize("name", ["page.txt", "page.md"])
def test_the_boxes_are_of_the_words_that_are_searched(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_text(MARKDOWN + "\nGrüße, Ελλάδα, Киев, 東京\n\nlast  line\tx = 1")
    source = text_page(path, 1)
    page = source.words()
    drawn = tokens(" ".join(word[4] for word in page["words"]))
    assert sorted(drawn) == sorted(tokens(source.text))
    for x0, y0, x1, y1, _, _ in page["words"]:
        assert 0 <= x0 < x1 <= page["width"]
        assert 0 <= y0 < y1 <= page["height"]
    lines = [word[5] for word in page["words"]]
    assert lines == sorted(lines)
    assert text_page(path, 1).words() == page


@pytest.mark.slow
def test_fault_63_one_line_of_forty_megabytes_is_read_as_far_as_promised(tmp_path: Path) -> None:
    path = tmp_path / "line.log"
    path.write_bytes(b"a word " * (40 << 20 >> 3))
    pieces = READER.extract(path)
    facts = next(piece for piece in pieces if isinstance(piece, Facts))
    assert "Only the first" in facts.notes[0].sentence
    assert 5_000 < (facts.pages or 0) <= 10_000


def test_a_table_of_values_is_rows_with_the_names_of_its_columns(tmp_path: Path) -> None:
    for name, mark in (("a.csv", ","), ("b.csv", ";"), ("c.tsv", "\t")):
        path = tmp_path / name
        lines = [mark.join(["Name", "Town", "Sum"])]
        lines += [mark.join([f"Person {n}", '"Bad ""X"""', str(n)]) for n in range(100)]
        path.write_text("\n".join(lines) + "\n")
        pages = words_of(path)
        assert pages[0].startswith('Name | Town | Sum\nPerson 0 | Bad "X" | 0\n')
        assert all(page.startswith("Name | Town | Sum\n") for page in pages)
        assert sum(page.count("Person") for page in pages) == 100
    prose = tmp_path / "prose.csv"
    prose.write_text("No table at all.\nOnly two lines of words.\n")
    assert words_of(prose) == ["No table at all.\nOnly two lines of words."]


def test_what_stands_before_a_markdown_text_is_its_title_and_date(tmp_path: Path) -> None:
    path = tmp_path / "post.md"
    path.write_text(
        '---\ntitle: "On bees"\ndate: 2024-03-01\ntags: [a]\n---\n# Hives\n\nThey hum.\n'
    )
    facts = facts_of(path)
    assert (facts.title, facts.made_at) == ("On bees", 1_709_251_200.0)
    (words,) = words_of(path)
    assert words.endswith("tags: [a]\n\nHives\n\nThey hum.")


@pytest.mark.parametrize(
    "name", ["a.py", "b.rs", "c.yaml", "d.srt", "e.vcf", "Makefile", "f.unheard"]
)
def test_whatever_decodes_as_text_is_read_as_text(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_text("first: Grüße\n\tsecond line\n")
    assert "Grüße" in words_of(path)[0]
