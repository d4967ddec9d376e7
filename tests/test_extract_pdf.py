from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from indexer.extract.containers.file_format import detect_kind
from indexer.extract.dispatch import extract, find_member
from indexer.extract.pages.mupdf import pymupdf
from indexer.types.pieces import (
    Extracted,
    Facts,
    MediaPart,
    Member,
    PageText,
    Thumb,
    UnreadableError,
)
from indexer.types.places import Kind, Page
from tests.library import READER

LINE = "The quarterly report of the harbour office."


def pdf(*pages: str, title: str | None = None) -> Any:
    document = pymupdf.open()
    for text in pages:
        page = document.new_page()
        if text:
            page.insert_textbox(pymupdf.Rect(72, 72, 500, 760), text, fontsize=11)
    if title is not None:
        document.set_metadata({"title": title})
    return document


def saved(path: Path, document: Any, **options: Any) -> Path:
    document.save(path, **options)
    document.close()
    return path


def read(path: Path) -> list[Extracted]:
    return list(extract(path))


def words_of(path: Path) -> list[PageText]:
    return [piece for piece in read(path) if isinstance(piece, PageText)]


def facts_of(path: Path) -> Facts:
    return next(piece for piece in read(path) if isinstance(piece, Facts))


def picture_png() -> bytes:
    stream = io.BytesIO()
    Image.effect_noise((200, 200), 80).save(stream, "PNG")
    return stream.getvalue()


def test_every_page_has_its_words(tmp_path: Path) -> None:
    path = saved(tmp_path / "report.pdf", pdf("First page words.", "Zweite Seite: Grüße."))
    assert detect_kind(path) is Kind.DOCUMENT
    assert words_of(path) == [
        PageText("First page words.", Page(1)),
        PageText("Zweite Seite: Grüße.", Page(2)),
    ]
    facts = facts_of(path)
    assert (facts.pages, facts.title, facts.notes) == (2, "report", ())
    thumb = next(piece for piece in read(path) if isinstance(piece, Thumb))
    assert max(thumb.width_px, thumb.height_px) == 480


def test_lines_are_joined_and_broken_words_made_whole(tmp_path: Path) -> None:
    text = "A docu-\nment of Müller-\nLüdenscheidt with RE-2024-\n0117 in it.\nSecond line."
    path = saved(tmp_path / "a.pdf", pdf(text))
    assert words_of(path)[0].text == (
        "A document of Müller-Lüdenscheidt with RE-2024-0117 in it. Second line."
    )


@pytest.mark.parametrize(
    ("given", "title"),
    [
        ("Annual Report 2024", "Annual Report 2024"),
        ("untitled", "Big Words"),
        ("", "Big Words"),
        ("Microsoft Word - thesis_v7.docx", "Big Words"),
        ("Microsoft Word - My Thesis", "My Thesis"),
        ("scan.pdf", "Big Words"),
    ],
)
def test_the_title_is_a_sane_one(tmp_path: Path, given: str, title: str) -> None:
    document = pdf(LINE, title=given)
    document[0].insert_text((72, 60), "Big Words", fontsize=24)
    assert facts_of(saved(tmp_path / "file.pdf", document)).title == title


def test_the_rows_of_a_table_stay_rows(tmp_path: Path) -> None:
    document = pdf("")
    document[0].insert_textbox(pymupdf.Rect(72, 60, 500, 100), "What the repairs will cost us.")
    for n, cells in enumerate([("Item", "Euro"), ("Roof repair", "1850"), ("Paint", "90")]):
        for x, text in zip((72, 250), cells, strict=True):
            document[0].insert_text((x, 140 + 14 * n), text, fontsize=11)
    document[0].insert_text((72, 300), "mount /dev/sda1\numount /mnt", fontname="cour")
    (words,) = words_of(saved(tmp_path / "offer.pdf", document))
    assert words.text == (
        "What the repairs will cost us.\n\nItem | Euro\nRoof repair | 1850\nPaint | 90\n\n"
        "mount /dev/sda1\numount /mnt"
    )


def test_a_page_without_words_is_to_be_looked_at(tmp_path: Path) -> None:
    document = pdf(LINE, "", "", "")
    document[1].insert_image(pymupdf.Rect(72, 72, 400, 400), stream=picture_png())
    for n in range(20):
        document[2].draw_rect(pymupdf.Rect(50 + 10 * n, 700 - 20 * n, 58 + 10 * n, 700), fill=(1,))
    path = saved(tmp_path / "scan.pdf", document)
    assert [piece for piece in read(path) if isinstance(piece, MediaPart)] == [
        MediaPart(Page(2)),
        MediaPart(Page(3)),
    ]
    assert facts_of(path).pages == 4


def test_a_scan_with_a_stamp_on_it_is_read_and_looked_at(tmp_path: Path) -> None:
    document = pdf("Scanned 2024-03-01 by the front desk", LINE)
    document[0].insert_image(document[0].rect, stream=picture_png(), overlay=False)
    document[1].insert_image(pymupdf.Rect(72, 300, 150, 380), stream=picture_png())
    path = saved(tmp_path / "stamped.pdf", document)
    assert [piece for piece in read(path) if isinstance(piece, MediaPart)] == [MediaPart(Page(1))]
    assert len(words_of(path)) == 2


def test_fault_44_a_locked_pdf_says_so(tmp_path: Path) -> None:
    path = saved(
        tmp_path / "locked.pdf",
        pdf(LINE),
        encryption=pymupdf.PDF_ENCRYPT_AES_256,
        user_pw="secret",
        owner_pw="owner",
    )
    with pytest.raises(
        UnreadableError, match="locked with a password; save it without one"
    ) as refused:
        read(path)
    assert refused.value.reason == "encrypted"


def test_fault_44_a_pdf_that_opens_without_password_is_read(tmp_path: Path) -> None:
    path = saved(
        tmp_path / "protected.pdf",
        pdf(LINE),
        encryption=pymupdf.PDF_ENCRYPT_AES_256,
        user_pw="",
        owner_pw="owner",
    )
    assert words_of(path) == [PageText(LINE, Page(1))]


@pytest.mark.parametrize("percent", range(50, 100, 3))
def test_fault_43_a_truncated_pdf_gives_the_pages_that_are_there(
    tmp_path: Path, percent: int
) -> None:
    whole = saved(tmp_path / "whole.pdf", pdf(*[f"{LINE} Page {n}." for n in range(1, 41)]))
    data = whole.read_bytes()
    path = tmp_path / "cut.pdf"
    path.write_bytes(data[: len(data) * percent // 100])
    pages = words_of(path)
    assert 10 <= len(pages) <= 40
    for words in pages:
        assert isinstance(words.place, Page)
        assert f"{LINE} Page {words.place.page}.".startswith(words.text)
    missing = 40 - len(pages)
    notes = [note.sentence for note in facts_of(path).notes]
    assert missing <= 1 or notes[0] in [
        f"{n} of 40 pages are damaged and could not be read." for n in (missing, missing - 1)
    ]


@pytest.mark.parametrize("kept", [9, 40, 200])
def test_fault_43_a_pdf_of_which_nothing_is_left_says_so(tmp_path: Path, kept: int) -> None:
    whole = saved(tmp_path / "whole.pdf", pdf(LINE))
    path = tmp_path / "cut.pdf"
    path.write_bytes(whole.read_bytes()[:kept])
    with pytest.raises(UnreadableError, match="cut off") as refused:
        read(path)
    assert refused.value.reason == "truncated"


def test_fault_45_a_damaged_pdf_says_so(tmp_path: Path) -> None:
    path = tmp_path / "bad.pdf"
    path.write_bytes(b"%PDF-1.7\n" + b"no objects here\n" * 50 + b"%%EOF\n")
    with pytest.raises(UnreadableError, match="damaged") as refused:
        read(path)
    assert refused.value.reason == "corrupt"


def test_fault_45_a_damaged_page_does_not_take_the_others_along(tmp_path: Path) -> None:
    document = pdf("First page words.", "Second page words.", "Third page words.")
    document.xref_set_key(-1, "Info", "null")
    document.update_object(document[1].xref, "(not a page)")
    path = saved(tmp_path / "hurt.pdf", document)
    assert [words.place for words in words_of(path)] in ([Page(1), Page(3)], [Page(1), Page(2)])


def test_fault_46_a_page_of_absurd_size_has_a_bounded_picture(tmp_path: Path) -> None:
    document = pymupdf.open()
    document.new_page(width=14_000, height=20)
    document.new_page(width=14_000, height=14_000)
    path = saved(tmp_path / "huge.pdf", document)
    thumb = next(piece for piece in read(path) if isinstance(piece, Thumb))
    assert (thumb.width_px, thumb.height_px) == (480, 1)


def test_fault_46_pages_and_words_beyond_the_limits_are_left_out_and_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = saved(tmp_path / "long.pdf", pdf(*(f"Page number {n} of many." for n in range(12))))
    monkeypatch.setattr("indexer.extract.formats.pdf.pdf.MAX_PAGES", 5)
    assert len(words_of(path)) == 5
    assert [note.sentence for note in facts_of(path).notes] == [
        "Only the first 5 of 12 pages were read."
    ]
    monkeypatch.setattr("indexer.extract.formats.pdf.pdf.MAX_CHARS", 50)
    assert len(words_of(path)) == 3
    assert [note.sentence for note in facts_of(path).notes] == [
        "Only the first 3 of 12 pages were read."
    ]


def test_fault_47_scripts_and_links_of_a_pdf_stay_where_they_are(
    tmp_path: Path,
) -> None:
    document = pdf(LINE)
    where = pymupdf.Rect(72, 72, 300, 100)
    document[0].insert_link({"kind": pymupdf.LINK_URI, "from": where, "uri": "http://192.0.2.1/x"})
    document[0].insert_link(
        {"kind": pymupdf.LINK_LAUNCH, "from": where, "file": "/bin/sh", "page": 0}
    )
    action = document.get_new_xref()
    document.update_object(action, "<</S/JavaScript/JS(app.launchURL\\('http://192.0.2.1'\\))>>")
    document.xref_set_key(document.pdf_catalog(), "OpenAction", f"{action} 0 R")
    path = saved(tmp_path / "live.pdf", document)
    pieces = READER.extract(path)
    assert [piece.text for piece in pieces if isinstance(piece, PageText)] == [LINE]
    assert READER.page(path, 1, 200)[8:12] == b"WEBP"


def test_comments_beside_a_page_are_found_with_it(tmp_path: Path) -> None:
    document = pdf(LINE)
    page = document[0]
    page.add_text_annot((300, 300), "Ask the surveyor first")
    page.add_highlight_annot(pymupdf.Rect(72, 72, 200, 90)).set_info(content="A remark")
    page.add_freetext_annot(pymupdf.Rect(72, 400, 300, 430), "typed on the page")
    [piece] = words_of(saved(tmp_path / "notes.pdf", document))
    assert "Ask the surveyor first" in piece.text
    assert "A remark" in piece.text
    assert piece.text.count("typed on the page") == 1


def test_comments_and_files_that_are_written_within_a_page_are_found(tmp_path: Path) -> None:
    """As fpdf2 writes them: no objects of their own."""
    document = pdf(LINE)
    stream, page = document.get_new_xref(), document[0]
    document.update_object(stream, "<< /Type /EmbeddedFile >>")
    document.update_stream(stream, b"The ruffwords of a pinned file")
    remark = "<< /Type /Annot /Subtype /Text /Rect [0 0 9 9] /Contents (The knotremark) >>"
    file = (
        "<< /Type /Annot /Subtype /FileAttachment /Rect [9 9 20 20] /FS << /Type /Filespec "
        f"/F (ruff.txt) /EF << /F {stream} 0 R >> >> >>"
    )
    document.xref_set_key(page.xref, "Annots", f"[{remark} {file}]")
    path = saved(tmp_path / "within.pdf", document)
    assert "The knotremark" in words_of(path)[0].text
    [member] = [piece for piece in extract(path) if isinstance(piece, Member)]
    assert member.name == "ruff.txt"
    assert find_member(path, member).data == b"The ruffwords of a pinned file"


@pytest.mark.parametrize("letter", ["\ufffd", "\ue021"])
def test_a_page_whose_letters_have_no_meaning_is_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, letter: str
) -> None:
    path = saved(tmp_path / "glyphs.pdf", pdf(LINE))
    garbled = " ".join(letter * len(word) for word in LINE.split()) * 9
    monkeypatch.setattr("indexer.extract.formats.pdf.pdf.text_of", lambda blocks: garbled)
    pieces = read(path)
    assert MediaPart(Page(1)) in pieces
    assert not [piece for piece in pieces if isinstance(piece, PageText)]
