"""What is in a PDF besides its lines: broken words, columns, attached files, its own description.

One library of a few PDFs, searched as a person searches.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from PIL import Image as Picture

from indexer.extract.dispatch import extract
from indexer.extract.formats.pdf.hyphens import join_lines
from indexer.extract.formats.pdf.metadata import parse_date_s
from indexer.extract.pages.mupdf import pymupdf
from indexer.types.pieces import Facts, PageText, UnreadableError
from indexer.types.places import Kind, Page
from tests.library import READER, Small, small

LEFT = (
    "The council met on the|second of May and dis-|cussed the whinchatgate|at the northern wharf.|"
    "No decision was taken.||A week later the mayor|asked for new figures|which nobody had made."
).split("|")
RIGHT = (
    "Members of the redpoll|club have to pay their|fees before the end of|the month, or else lose|"
    "the key to the gate.|They may appeal in|writing until August|and then have a hear-|"
    "ing before the board."
).split("|")


def paper(*pages: str, **metadata: str) -> Any:
    """A PDF of these pages."""
    document = pymupdf.open()
    for text in pages:
        document.new_page().insert_text((72, 72), text)
    document.set_metadata(metadata)
    return document


def done(document: Any, path: Path) -> Path:
    document.save(path)
    document.close()
    return path


def two_columns(document: Any, gap: float = 20, line: float = 14, lower: float = 0) -> Any:
    """A page of two columns, written row by row; the lines of the right one stand a little lower.
    Lengths in points."""
    page = document.new_page()
    page.insert_text((72, 60), "Minutes and notices of the week", fontsize=16)
    for number, (left, right) in enumerate(zip(LEFT, RIGHT, strict=True)):
        if left:
            page.insert_text((72, 100 + line * number), left)
        page.insert_text((192 + gap, 100 + line * number + lower), right)
    return page


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Small]:
    folder = tmp_path_factory.mktemp("papers") / "files"
    folder.mkdir()
    words = "Light and photo-\nsynthesis of well-\nknown herbs, Kinder-\nund Jugendhilfe."
    broken = paper(f"{words}\n\n\nState-of-the-\nart. Wohnungs-\nsuche of fieldfare-")
    broken.new_page().insert_text((72, 72), "migration in autumn")
    page = broken.new_page()
    page.insert_text((72, 72), "The left column\nof a paper on remark-")
    page.insert_text((320, 72), "ablestonechat birds\nand where they nest")
    done(broken, folder / "broken.pdf")
    columns = pymupdf.open()
    two_columns(columns)
    done(columns, folder / "columns.pdf")

    portfolio = paper("For the best experience, use a newer reader.")
    invoice = paper("Invoice about the pontoon, hoopoeinvoice.")
    stream = io.BytesIO()
    Picture.new("RGB", (320, 240), (250, 5, 5)).save(stream, "PNG")
    portfolio.embfile_add("invoice.pdf", invoice.tobytes(), filename="invoice.pdf")
    portfolio[0].add_file_annot((300, 300), stream.getvalue(), "wharf.png")
    done(portfolio, folder / "portfolio.pdf")

    book = paper("First page.", "Second page.",
        title="The Osprey Almanac", author="Wilhelmine Habicht", keywords="merlinword",
        subject="kestrelmatter", creationDate="D:20190502101500+02'00'",
    )  # fmt: skip
    book.set_toc([[1, "On gyrfalconry", 1], [1, "Bitternchapter", 2]])
    done(book, folder / "book.pdf")
    with small(folder, folder.parent / "data") as library:
        library.service.run_once()
        yield library


@pytest.mark.parametrize(
    ("words", "name", "page"),
    [
        ("photosynthesis", "broken", 1),
        ("well-known", "broken", 1),
        ("Kinder", "broken", 1),
        ('"Kinder- und Jugendhilfe"', "broken", 1),
        ('"state-of-the-art"', "broken", 1),
        ("Wohnungssuche", "broken", 1),
        ("Wohnungs-suche", "broken", 1),
        ("fieldfaremigration", "broken", 1),
        ('"migration in autumn"', "broken", 2),
        ("remarkablestonechat", "broken", 3),
        ("discussed", "columns", 1),
        ('"whinchatgate at the northern wharf"', "columns", 1),
        ('"a hearing before the board"', "columns", 1),
        ("hoopoeinvoice", "invoice", 1),
        ("Habicht", "book", 1),
        ("kestrelmatter", "book", 1),
        ("merlinword", "book", 1),
        ("osprey", "book", 1),
        ("gyrfalconry", "book", 1),
        ("Bitternchapter", "book", 2),
    ],
)
def test_it_is_found_on_its_page(library: Small, words: str, name: str, page: int) -> None:
    hit = library.hits(words)[0]
    assert hit.passage is not None
    assert (Path(hit.item.name).stem, hit.passage.place) == (name, Page(page))


def test_files_in_a_pdf_are_its_members(library: Small) -> None:
    [outer] = [hit.item for hit in library.hits("experience")]
    members = library.catalog.items.members(outer.content)
    assert [(member.name, member.kind) for member in members] == [
        ("invoice.pdf", Kind.DOCUMENT), ("wharf.png", Kind.PHOTO),
    ]  # fmt: skip
    invoice, photo = members
    assert invoice.location.container == outer.item
    assert READER.page(invoice.path, 1, 200, invoice.member)[8:12] == b"WEBP"
    assert READER.picture(photo.path, 100, member=photo.member)[8:12] == b"WEBP"
    assert photo.member is not None
    data = READER.member_bytes(photo.path, photo.member, 0, 1 << 20)
    assert (data[:4], len(data)) == (b"\x89PNG", photo.member.size)
    assert [text for *_, text in library.rows()].count("A red picture.") == 1


def test_a_pdf_that_has_changed_gives_none_of_its_old_files(library: Small, tmp_path: Path) -> None:
    [hit] = library.hits("hoopoeinvoice")
    other = done(paper("No files."), tmp_path / "other.pdf")
    with pytest.raises(UnreadableError, match="changed"):
        READER.page(other, 1, 200, hit.item.member)


def test_a_pdf_is_filtered_by_its_own_date(library: Small) -> None:
    made = datetime(2019, 5, 2, 8, 15, tzinfo=UTC).timestamp()
    [hit] = library.hits("page", after=made - 1, before=made + 1)
    assert (hit.item.made_at, hit.item.title) == (made, "The Osprey Almanac")
    assert library.hits("page", after=made + 1, before=made + 2) == []


def test_a_damaged_file_in_a_pdf_is_told(tmp_path: Path) -> None:
    document = paper("Outer words.")
    document.embfile_add("torn.pdf", b"%PDF-1.7 and no more", filename="torn.pdf")
    pieces = list(extract(done(document, tmp_path / "outer.pdf")))
    assert [piece.text for piece in pieces if isinstance(piece, PageText)] == ["Outer words."]
    assert "“torn.pdf” could not be read" in str(pieces)


@pytest.mark.parametrize(
    ("gap", "line", "lower"), [(12, 14, 0), (30, 20, 0), (80, 26, 3), (30, 12, 6)]
)
def test_columns_of_prose_are_no_table(
    tmp_path: Path, gap: float, line: float, lower: float
) -> None:
    document = pymupdf.open()
    two_columns(document, gap, line, lower)
    text = next(iter(extract(done(document, tmp_path / "a.pdf"))))
    assert isinstance(text, PageText)
    assert " | " not in text.text
    assert "discussed the whinchatgate at the northern wharf. No decision was taken." in text.text
    assert "which nobody had made." in text.text
    assert "They may appeal in writing until August and then have a hearing" in text.text


def test_a_table_of_sentences_stays_a_table(tmp_path: Path) -> None:
    rows = [
        ("Who pays the harbour fee?", "The owner of the boat pays it."),
        ("Where is the office open?", "It is open at the old gate."),
        ("When does the ferry leave?", "Every hour from the north pier."),
        ("What does a ticket cost?", "Four euros for every person."),
    ]
    document = pymupdf.open()
    page = document.new_page()
    for number, row in enumerate(rows):
        for x, cell in zip((72, 300), row, strict=True):
            page.insert_text((x, 100 + 14 * number), cell)
    text = next(iter(extract(done(document, tmp_path / "a.pdf"))))
    assert isinstance(text, PageText)
    assert text.text == "\n".join(" | ".join(row) for row in rows)


@pytest.mark.parametrize(
    ("lines", "text"),
    [
        ("a docu-\nment", "a document"),
        ("Müller-\nLüdenscheidt", "Müller-Lüdenscheidt"),
        ("Ein-\nund Ausgabe", "Ein- und Ausgabe"),
        ("well-\nbeing", "well-being"),
        ("cut-and-\npaste", "cut-and-paste"),
        ("long-estab-\nlished", "long-established"),
        ("full-upgrade or full-\nupgrade", "full-upgrade or full-upgrade"),
        ("soft\u00ad\nware", "software"),
        ("no. 2024-\n0117", "no. 2024-0117"),
        ("the end-", "the end-"),
    ],
)
def test_a_word_broken_at_the_end_of_a_line(lines: str, text: str) -> None:
    assert join_lines(lines) == text


@pytest.mark.parametrize(
    ("written", "moment"),
    [
        ("D:20240301123000+01'00'", datetime(2024, 3, 1, 11, 30, tzinfo=UTC)),
        ("D:20240301123000+01'00", datetime(2024, 3, 1, 11, 30, tzinfo=UTC)),
        ("D:20240301123000-0500", datetime(2024, 3, 1, 17, 30, tzinfo=UTC)),
        ("D:20240301123000Z", datetime(2024, 3, 1, 12, 30, tzinfo=UTC)),
        ("20240301", datetime(2024, 3, 1, tzinfo=UTC)),
        ("D:2024", datetime(2024, 1, 1, tzinfo=UTC)),
        ("2024-03-01T12:30:00Z", datetime(2024, 3, 1, 12, 30, tzinfo=UTC)),
    ],
)
def test_dates_as_pdfs_write_them(written: str, moment: datetime) -> None:
    assert parse_date_s(written) == moment.timestamp()


@pytest.mark.parametrize("written", ["", "yesterday", "D:20241301", "D:00000000000000", None])
def test_what_is_no_date_gives_none(written: str | None) -> None:
    assert parse_date_s(written) is None


def test_what_xmp_says_serves_where_the_information_is_silent(tmp_path: Path) -> None:
    document = paper("Words of a page.")
    document.set_xml_metadata(
        """<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF
        xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description
        xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:xmp="http://ns.adobe.com/xap/1.0/"
        xmp:CreateDate="2018-07-01T10:00:00Z"><dc:creator><rdf:Seq><rdf:li>Ottilie Brandt</rdf:li>
        </rdf:Seq></dc:creator></rdf:Description></rdf:RDF></x:xmpmeta>"""
    )
    path = done(document, tmp_path / "xmp.pdf")
    pieces = READER.extract(path)
    [page] = [piece for piece in pieces if isinstance(piece, PageText)]
    [facts] = [piece for piece in pieces if isinstance(piece, Facts)]
    assert page.text == "Words of a page.\n\nOttilie Brandt"
    assert facts.made_at == datetime(2018, 7, 1, 10, tzinfo=UTC).timestamp()


def book(path: Path, *, covers: int = 0) -> Path:
    """A book with its title over every page and the number of the page below it; the second of its
    six pages has nothing else."""
    document = pymupdf.open()
    for _ in range(covers):
        document.new_page().insert_text((72, 300), "Lanterns of Ostrava", fontsize=28)
    for number in range(1, 7):
        page = document.new_page()
        page.insert_text((72, 40), "Lanterns of Ostrava", fontsize=9)
        page.insert_text((290, 800), f"- {number} -", fontsize=9)
        if number != 2:
            words = f"The {('first', '', 'third', 'fourth', 'fifth', 'sixth')[number - 1]} lamp."
            page.insert_text((72, 100), f"{words} Gas came to the mill in winter.", fontsize=11)
    return done(document, path)


def test_running_heads_and_numbers_of_pages_are_read_once(tmp_path: Path) -> None:
    pages = {
        piece.place: piece.text
        for piece in extract(book(tmp_path / "b.pdf"))
        if isinstance(piece, PageText)
    }
    assert "Lanterns of Ostrava" in pages[Page(1)]
    assert Page(2) not in pages
    for number in range(3, 7):
        assert pages[Page(number)].endswith("lamp. Gas came to the mill in winter.")


def test_a_table_that_goes_on_keeps_its_numbers_and_names(tmp_path: Path) -> None:
    """Lines at the edge of a page that are alike but for their numbers are no running lines."""
    document = pymupdf.open()
    for number in range(6):
        page = document.new_page()
        for row in range(30):
            amount = 17 * row + 5 * number
            page.insert_text((72, 60 + 20 * row), f"Item {40 * number + row}, {amount} euros")
    words = "".join(
        piece.text
        for piece in extract(done(document, tmp_path / "t.pdf"))
        if isinstance(piece, PageText)
    )
    assert all(f"Item {40 * n + row}," in words for n in range(6) for row in range(30))


@pytest.mark.parametrize("covers", [0, 1])
def test_a_book_is_found_by_its_title_where_something_stands(tmp_path: Path, covers: int) -> None:
    folder = tmp_path / "books"
    folder.mkdir()
    book(folder / "x1.pdf", covers=covers)
    with small(folder, tmp_path / "data") as library:
        library.service.run_once()
        (hit,) = library.hits("lanterns of ostrava")
        assert hit.place == Page(1)
        assert {other.place for other in hit.more}.isdisjoint({Page(2 + covers)})
        (hit,) = library.hits("fourth lamp")
        assert hit.place == Page(4 + covers)
