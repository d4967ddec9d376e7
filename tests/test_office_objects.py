"""Objects inside documents, and parts that are damaged or hidden: their words are found, or a note
says that they are not read."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from indexer.extract.dispatch import extract
from indexer.extract.pages.mupdf import pymupdf
from indexer.types.notes import NoteCode
from indexer.types.pieces import Facts, PageText
from indexer.types.places import Page
from tests.compounds import compound_file, packaged
from tests.documents import docx, ods, xlsx, zipped
from tests.library import Small, small
from tests.test_office_found import workbook

RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def letter(path: Path) -> Path:
    """A letter that holds a packed text, an old equation and a workbook."""
    from docx import Document
    from docx.opc.packuri import PackURI
    from docx.opc.part import Part
    from docx.oxml import parse_xml

    table = xlsx(path.with_name("inner.xlsx"))
    objects = {
        "oleObject1.bin": (
            "oleObject",
            compound_file(
                {"\x01Ole10Native": packaged("Siskin plan.txt", b"The siskinplan of the hedge.")}
            ),
        ),
        "oleObject2.bin": ("oleObject", compound_file({"Equation Native": b"\x1c\0"})),
        "Workbook1.xlsx": ("package", table.read_bytes()),
    }
    table.unlink()
    document: Any = Document()
    document.add_paragraph("Body of the letter")
    for name, (kind, data) in objects.items():
        part = Part(PackURI(f"/word/embeddings/{name}"), "application/x-object", data,
                    document.part.package)  # fmt: skip
        relation = document.part.relate_to(part, f"{RELATIONS}/{kind}")
        paragraph = document.add_paragraph()
        paragraph.add_run()._r.append(
            parse_xml(
                '<w:object xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main" '
                'xmlns:o="urn:schemas-microsoft-com:office:office" '
                f'xmlns:r="{RELATIONS}"><o:OLEObject Type="Embed" r:id="{relation}"/></w:object>'
            )
        )
    document.save(path)
    return path


def deck(path: Path) -> Path:
    from pptx import Presentation
    from pptx.chart.data import CategoryChartData
    from pptx.enum.chart import XL_CHART_TYPE
    from pptx.enum.shapes import PROG_ID
    from pptx.util import Inches

    presentation: Any = Presentation()
    slide = presentation.slides.add_slide(presentation.slide_layouts[5])
    slide.shapes.title.text = "Waxwing deck"
    numbers: Any = CategoryChartData()  # type: ignore[no-untyped-call]  # without types
    numbers.categories = ["East"]
    numbers.add_series("waxwingseries", (7,))
    side = Inches(3)
    slide.shapes.add_chart(XL_CHART_TYPE.COLUMN_CLUSTERED, 0, 0, side, side, numbers)
    report = docx(path.with_name("inner.docx"))
    slide.shapes.add_ole_object(io.BytesIO(report.read_bytes()), PROG_ID.DOCX, 0, 0, side, side)
    report.unlink()
    slide.notes_slide.notes_text_frame.text = "Notes of the waxwing"
    presentation.save(path)
    return path


def chart(title: str) -> Any:
    from odf.chart import Chart, PlotArea, Series, Title
    from odf.opendocument import OpenDocumentChart
    from odf.table import Table, TableCell, TableRow
    from odf.text import P

    document = OpenDocumentChart()
    drawn = Chart(attributes={"class": "chart:bar"})
    name = Title()
    name.addElement(P(text=title))
    drawn.addElement(name)
    area = PlotArea()
    area.addElement(Series())
    drawn.addElement(area)
    data = Table(name="local-table")
    row = TableRow()
    for text in ("Fieldfare count", "17"):
        cell = TableCell()
        cell.addElement(P(text=text))
        row.addElement(cell)
    data.addElement(row)
    drawn.addElement(data)
    document.chart.addElement(drawn)
    return document


def opendocument(path: Path) -> Path:
    """A text with a chart, a formula, and an object of another program."""
    from odf.draw import Frame, Object, ObjectOle
    from odf.opendocument import OpenDocumentText
    from odf.text import P

    document: Any = OpenDocumentText()
    references = [document.addObject(chart("Birds by redwingmonth")), "./Object 2"]
    for reference in references:
        frame = Frame(width="5cm", height="4cm")
        frame.addElement(Object(href=reference))
        paragraph = P(text="A text with an object")
        paragraph.addElement(frame)
        document.text.addElement(paragraph)
    frame = Frame(width="5cm", height="4cm")
    frame.addElement(ObjectOle(href="./Object 3"))
    paragraph = P()
    paragraph.addElement(frame)
    document.text.addElement(paragraph)
    document.save(path)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(
            "Object 2/content.xml",
            '<math xmlns="http://www.w3.org/1998/Math/MathML"><semantics><mi>x</mi><annotation '
            'encoding="StarMath 5.0">brambling over 4</annotation></semantics></math>',
        )
        packed = packaged("linnet.txt", b"A linnetpaper from elsewhere.")
        archive.writestr("Object 3", compound_file({"\x01Ole10Native": packed}))
        archive.writestr("ObjectReplacements/Object 3", b"VCLMTF no picture")
    return path


def sheets(path: Path) -> Path:
    """A workbook with a chart on its second sheet and a box of text on its first."""
    ods(path)
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(opendocument(path.with_name("text.odt"))) as archive:
        objects = {name: archive.read(name) for name in archive.namelist() if "Object" in name}
    members |= objects
    first, second = b'table:name="Stock">', b'table:name="Orders">'
    assert first in members["content.xml"]
    folder = next(name for name in objects if name.endswith("1/content.xml")).partition("/")[0]
    members["content.xml"] = (
        members["content.xml"]
        .replace(
            first,
            first + b"<table:shapes><draw:frame><draw:text-box><text:p>A twitebox</text:p>"
            b"</draw:text-box></draw:frame></table:shapes>",
        )
        .replace(
            second,
            second + b"<table:table-row><table:table-cell><draw:frame><draw:object "
            b'xmlns:draw="urn:oasis:names:tc:opendocument:xmlns:drawing:1.0" '
            b'xmlns:xlink="http://www.w3.org/1999/xlink" xlink:href="./%s"/></draw:frame>'
            b"</table:table-cell></table:table-row>" % folder.encode(),
        )
    )
    return zipped(path, dict(members))


def layers(path: Path) -> Path:
    with pymupdf.open() as document:
        page = document.new_page()
        draft = document.add_ocg("Draft", on=False)
        page.insert_text((72, 72), "What is seen of the plan")
        page.insert_text((72, 130), "the serinremark of the draft", oc=draft)
        document.save(path)
    return path


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Small]:
    folder = tmp_path_factory.mktemp("objects") / "files"
    folder.mkdir()
    letter(folder / "letter.docx")
    deck(folder / "deck.pptx")
    sheets(folder / "stock.ods")  # makes text.odt too
    layers(folder / "layers.pdf")
    with small(folder, folder.parent / "data") as library:
        library.service.run_once()
        yield library


@pytest.mark.parametrize(
    ("words", "name", "page"),
    [
        ("siskinplan", "Siskin plan.txt", 1),
        ("Ottilie Brandt", "Workbook1.xlsx", 2),
        ("seventy crates", "Slide 1, Microsoft_Word_Document1.docx", 1),
        ("redwingmonth", "text.odt", 1),
        ("Fieldfare count", "text.odt", 1),
        ("brambling over", "text.odt", 1),
        ("linnetpaper", "linnet.txt", 1),
        ("twitebox", "stock.ods", 1),
        ("serinremark", "layers.pdf", 1),
    ],
)
def test_words_of_objects_are_found(library: Small, words: str, name: str, page: int) -> None:
    hits = [hit for hit in library.hits(words) if hit.passage]
    places = [(hit.item.name, hit.passage and hit.passage.place) for hit in hits]
    assert (name, Page(page)) in places
    texts = [hit.passage.text for hit in hits if hit.passage and hit.item.name == name]
    assert words.split()[0] in texts[0]


def test_a_chart_on_a_sheet_is_found_on_its_page(library: Small) -> None:
    [hit] = [hit for hit in library.hits("redwingmonth") if hit.item.name == "stock.ods"]
    assert hit.passage is not None
    assert hit.passage.place == Page(2)


def facts_of(path: Path) -> Facts:
    return next(piece for piece in extract(path) if isinstance(piece, Facts))


def test_objects_that_hold_no_file_are_told(library: Small) -> None:
    [note] = facts_of(library.folder / "letter.docx").notes
    assert note.code is NoteCode.PARTS_LEFT_OUT
    assert "Objects of other programs inside it were not read: 1;" in note.sentence
    assert facts_of(library.folder / "text.odt").notes == ()


def test_hidden_layers_are_told_and_marked(library: Small) -> None:
    path = library.folder / "layers.pdf"
    [note] = facts_of(path).notes
    assert note.code is NoteCode.LAYERS_HIDDEN
    assert "“Draft”" in note.sentence
    [text] = [piece.text for piece in extract(path) if isinstance(piece, PageText)]
    assert text == "What is seen of the plan\n\n[hidden: the serinremark of the draft]"


def torn(path: Path, member: str) -> Path:
    """The document, of which the last third of a member is missing."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    [name] = [name for name in members if member in name]
    members[name] = members[name][: len(members[name]) * 2 // 3]
    return zipped(path, dict(members))


@pytest.mark.parametrize(
    ("make", "name", "member", "words", "code"),
    [
        (deck, "a.pptx", "charts/chart", "Notes of the waxwing", NoteCode.PARTS_DAMAGED),
        (deck, "a.pptx", "notesSlides/notesSlide", "waxwingseries", NoteCode.PARTS_DAMAGED),
        (deck, "a.pptx", "slides/slide1.xml", "Slide 1", NoteCode.SLIDES_DAMAGED),
        (workbook, "a.xlsx", "charts/chart1.xml", "gosplot", NoteCode.PARTS_DAMAGED),
        (workbook, "a.xlsx", "drawings/drawing1.xml", "kitehint", NoteCode.PARTS_DAMAGED),
        (workbook, "a.xlsx", "drawings/_rels/drawing1", "harrierwords", NoteCode.PARTS_DAMAGED),
        (workbook, "a.xlsx", "worksheets/sheet1.xml", "harrierwords", NoteCode.SHEETS_DAMAGED),
        (docx, "a.docx", "word/styles.xml", "Harbour report", NoteCode.PARTS_DAMAGED),
        (docx, "a.docx", "word/header1.xml", "seventy crates", NoteCode.PARTS_DAMAGED),
        (opendocument, "a.odt", "Object 2/content.xml", "redwingmonth", NoteCode.PARTS_DAMAGED),
        (ods, "a.ods", "content.xml", "Screws", NoteCode.SHEETS_DAMAGED),
    ],
)
def test_a_damaged_part_is_told_and_the_rest_is_read(
    tmp_path: Path, make: Callable[[Path], Path], name: str, member: str, words: str, code: NoteCode
) -> None:
    path = make(tmp_path / name)
    assert code not in [note.code for note in facts_of(path).notes]
    pieces = list(extract(torn(path, member)))
    [notes] = [piece.notes for piece in pieces if isinstance(piece, Facts)]
    assert code in [note.code for note in notes]
    assert words in "\n".join(piece.text for piece in pieces if isinstance(piece, PageText))
