"""What is in documents of office programs besides their paragraphs: pictures and files inside,
charts, text boxes, descriptions, inserted documents.

One library of a few documents, made with the libraries that people's programs are made with, and
searched as a person searches.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image as Picture

from indexer.extract.dispatch import extract
from indexer.types.pieces import PageText, UnreadableError
from indexer.types.places import Kind, Page
from tests.documents import eml
from tests.library import READER, Small, small

RED, GREEN, BLUE = (250, 5, 5), (5, 250, 5), (5, 5, 250)


def png(colour: tuple[int, int, int], side_px: int = 240) -> io.BytesIO:
    stream = io.BytesIO()
    Picture.new("RGB", (320 * side_px // 240, side_px), colour).save(stream, "PNG")
    stream.seek(0)
    return stream


def word(path: Path) -> Path:
    """A letter with a picture, a small one, a drawing of lines, and two inserted documents."""
    from docx import Document
    from docx.opc.constants import RELATIONSHIP_TYPE
    from docx.opc.packuri import PackURI
    from docx.opc.part import Part
    from docx.oxml import parse_xml

    inner: Any = Document()
    inner.add_paragraph("inserted owldocument")
    inserted = io.BytesIO()
    inner.save(inserted)
    page = (
        b"MIME-Version: 1.0\r\nContent-Type: multipart/related; boundary=x\r\n\r\n--x\r\n"
        b"Content-Type: text/html; charset=utf-8\r\n\r\n<p>inserted owlpage</p>\r\n--x--\r\n"
    )
    document: Any = Document()
    document.add_paragraph("Body of the letter")
    document.add_picture(png(RED))
    document.add_picture(png(BLUE, 60))
    chunks = {
        "docx": ("application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml",
                 inserted.getvalue()),
        "mht": ("message/rfc822", page),
    }  # fmt: skip
    for suffix, (kind, data) in chunks.items():
        part = Part(PackURI(f"/word/chunk.{suffix}"), kind, data, document.part.package)
        relation = document.part.relate_to(part, RELATIONSHIP_TYPE.A_F_CHUNK)
        names = " ".join(
            f'xmlns:{prefix}="http://schemas.openxmlformats.org/{name}"'
            for prefix, name in (("w", "wordprocessingml/2006/main"),
                                 ("r", "officeDocument/2006/relationships"))
        )  # fmt: skip
        document.element.body.append(parse_xml(f'<w:altChunk {names} r:id="{relation}"/>'))
    document.save(path)
    return path


def slides(path: Path) -> Path:
    from pptx import Presentation
    from pptx.util import Inches

    deck: Any = Presentation()
    for title, colour in (("Roost", RED), ("Nest", GREEN)):
        slide = deck.slides.add_slide(deck.slide_layouts[5])
        slide.shapes.title.text = title
        picture = slide.shapes.add_picture(png(colour), Inches(1), Inches(2))
        picture._element.nvPicPr.cNvPr.set("descr", f"{title} of the buzzardalt")
    film = io.BytesIO(b"\0\0\0\x18ftypmp42 and no film")
    slide.shapes.add_movie(film, 0, 0, Inches(1), Inches(1), png(BLUE), "video/mp4")
    deck.save(path)
    return path


def workbook(path: Path) -> Path:
    import xlsxwriter

    book = xlsxwriter.Workbook(path)
    sheet = book.add_worksheet("Counts")
    sheet.write_column("A1", ["Jan", "Feb"])
    sheet.write_column("B1", [3, 4])
    chart = book.add_chart({"type": "column"})
    chart.add_series({"name": "ospreyseries", "values": "=Counts!$B$1:$B$2"})
    chart.set_title({"name": "Birds by kestrelmonth"})
    sheet.insert_chart("D2", chart)
    sheet.insert_textbox("D20", "boxed harrierwords")
    picture = {"image_data": png(BLUE), "description": "the hobbymap"}
    sheet.insert_image("D30", "map.png", picture)
    sheet.set_header("&L&14Merlinheader &P")
    choices = {"validate": "list", "source": ["falconchoice", "other"], "input_message": "kitehint"}
    sheet.data_validation("A5", choices)
    alone = book.add_chartsheet("Alone")
    chart = book.add_chart({"type": "line"})
    chart.add_series({"values": "=Counts!$B$1:$B$2"})
    chart.set_title({"name": "The gosplot"})
    alone.set_chart(chart)
    book.close()
    return path


def opendocument(path: Path) -> Path:
    from odf.draw import Frame, Image
    from odf.opendocument import OpenDocumentText
    from odf.svg import Desc
    from odf.text import P

    document = OpenDocumentText()
    paragraph = P(text="A text with a drawing")
    frame = Frame(width="5cm", height="4cm")
    href = document.addPicture("Pictures/green.png", "image/png", png(GREEN).read())
    frame.addElement(Image(href=href, type="simple"))
    frame.addElement(Desc(text="plovermeadow"))
    paragraph.addElement(frame)
    document.text.addElement(paragraph)
    document.save(path)
    return path


def book(path: Path) -> Path:
    from ebooklib import epub

    made: Any = epub.EpubBook()
    made.set_title("Of waders")
    chapter = epub.EpubHtml(title="One", file_name="one.xhtml")
    chapter.content = "<h1>One</h1><p>Words of a dunlinchapter</p>"
    made.add_item(chapter)
    made.add_item(epub.EpubItem("p", "plate.png", "image/png", png(RED, 260).read()))
    made.spine = [chapter]
    made.add_item(epub.EpubNcx())
    epub.write_epub(path, made)
    return path


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Small]:
    folder = tmp_path_factory.mktemp("office") / "files"
    folder.mkdir()
    word(folder / "letter.docx")
    slides(folder / "talk.pptx")
    workbook(folder / "counts.xlsx")
    opendocument(folder / "text.odt")
    book(folder / "waders.epub")
    with small(folder, folder.parent / "data") as library:
        library.service.run_once()
        yield library


@pytest.mark.parametrize(
    ("words", "name", "page"),
    [
        ("owldocument", "letter.docx", 1),
        ("owlpage", "letter.docx", 1),
        ("Nest buzzardalt", "talk.pptx", 2),
        ("ospreyseries", "counts.xlsx", 1),
        ("kestrelmonth", "counts.xlsx", 1),
        ("harrierwords", "counts.xlsx", 1),
        ("hobbymap", "counts.xlsx", 1),
        ("Merlinheader", "counts.xlsx", 1),
        ("falconchoice", "counts.xlsx", 1),
        ("kitehint", "counts.xlsx", 1),
        ("gosplot", "counts.xlsx", 2),
        ("plovermeadow", "text.odt", 1),
        ("dunlinchapter", "waders.epub", 1),
    ],
)
def test_words_beside_the_paragraphs_are_found(
    library: Small, words: str, name: str, page: int
) -> None:
    found = [hit for hit in library.hits(words, kinds=frozenset({Kind.DOCUMENT})) if hit.passage]
    assert (found[0].item.name, found[0].passage and found[0].passage.place) == (name, Page(page))


@pytest.mark.parametrize(
    ("name", "pictures"),
    [
        ("letter.docx", ["image1.png"]),
        ("talk.pptx", ["Slide 1, Roost of the buzzardalt.png",
                       "Slide 2, Nest of the buzzardalt.png", "Slide 2, image3.png"]),
        ("counts.xlsx", ["Counts, the hobbymap.png"]),
        ("text.odt", ["plovermeadow.png"]),
        ("waders.epub", ["plate.png"]),
    ],
)  # fmt: skip
def test_pictures_inside_are_looked_at(library: Small, name: str, pictures: list[str]) -> None:
    outer = library.catalog.items.at_path(library.folder / name)
    assert outer is not None
    members = library.catalog.items.members(outer.content)
    assert {member.kind for member in members} == {Kind.PHOTO}
    assert {member.state for member in members} == {"understood"}
    texts = {content: text for content, *_, text in library.rows()}
    assert all(texts[member.content].endswith("picture.") for member in members)
    with library.catalog.database.reading() as db:
        rows = db.execute("SELECT name FROM members WHERE container = ? ORDER BY ordinal",
                          (outer.content,))  # fmt: skip
        assert [row["name"] for row in rows] == pictures
    for member in members:
        assert READER.picture(member.path, 100, member=member.member)[8:12] == b"WEBP"


def test_a_picture_is_found_by_what_is_seen_and_says_where_it_is(library: Small) -> None:
    pictures = library.hits("a blue picture", kinds=frozenset({Kind.PHOTO}))
    names = {hit.item.location.container_title for hit in pictures[:2]}
    assert names == {"counts", "Roost"}  # the picture in the workbook, and the poster of the film


def test_what_has_changed_gives_none_of_its_old_pictures(library: Small, tmp_path: Path) -> None:
    outer = library.catalog.items.at_path(library.folder / "letter.docx")
    assert outer is not None
    [member] = library.catalog.items.members(outer.content)
    other = tmp_path / "other.docx"
    with zipfile.ZipFile(library.folder / "letter.docx") as old, zipfile.ZipFile(other, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            new.writestr(name, data + b"x" if name.endswith(".png") else data)
    with pytest.raises(UnreadableError, match="changed"):
        READER.picture(other, 100, member=member.member)


def test_pictures_in_a_letter_that_is_attached_to_a_mail(tmp_path: Path) -> None:
    letter = word(tmp_path / "letter.docx")
    with small(tmp_path / "files", tmp_path / "data") as library:
        mail = eml(library.folder / "mail.eml", letter)
        library.service.run_once()
        outer = library.catalog.items.at_path(mail)
        assert outer is not None
        members = library.catalog.items.members(outer.content)
        assert [member.name for member in members] == ["letter.docx", "image1.png"]
        [picture] = [member for member in members if member.kind is Kind.PHOTO]
        assert picture.state == "understood"
        assert "A red picture." in [text for *_, text in library.rows()]
        assert READER.picture(mail, 100, member=picture.member)[8:12] == b"WEBP"


def test_drawings_of_lines_are_told(tmp_path: Path) -> None:
    letter = word(tmp_path / "letter.docx")
    drawn = tmp_path / "drawn.docx"
    with zipfile.ZipFile(letter) as old, zipfile.ZipFile(drawn, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            if name.endswith((".xml", ".rels")):
                data = data.replace(b"image1.png", b"image1.emf").replace(
                    b'<Default Extension="png"',
                    b'<Default Extension="emf" ContentType="image/x-emf"/><Default Extension="png"',
                )
            new.writestr(name.replace("image1.png", "image1.emf"), data)
    pieces = list(extract(drawn))
    assert "1 drawings inside it (EMF, WMF) were not looked at" in str(pieces)
    assert any(isinstance(piece, PageText) for piece in pieces)


def described(folder: Path) -> list[Path]:
    """A text, slides, a workbook and an OpenDocument text that say of themselves what they are
    about, in words that stand on none of their pages."""
    import docx
    import openpyxl
    import pptx
    from odf import dc, meta, opendocument, text

    letter, slides, book = docx.Document(), pptx.Presentation(), openpyxl.Workbook()
    letter.add_paragraph("Body of the letter")
    slides.slides.add_slide(slides.slide_layouts[6])
    book.active.append(["Body of the sheet"])
    paths = [folder / "letter.docx", folder / "slides.pptx", folder / "book.xlsx"]
    for path, document, bird in zip(
        paths,
        (letter, slides, book),
        ("pintail", "gadwall", "smew"),
        strict=True,
    ):
        properties = document.properties if document is book else document.core_properties
        properties.subject, properties.keywords = f"{bird}subject", f"{bird}key, {bird}other"
        document.save(path)
    open_text = opendocument.OpenDocumentText()
    open_text.text.addElement(text.P(text="Body of the text"))
    open_text.meta.addElement(dc.Subject(text="eidersubject"))
    for word in ("eiderkey", "eiderother"):
        open_text.meta.addElement(meta.Keyword(text=word))
    open_text.save(folder / "text.odt")
    return [*paths, folder / "text.odt"]


def test_a_document_is_found_by_its_subject_and_its_keywords(tmp_path: Path) -> None:
    with small(tmp_path / "lib", tmp_path / "data") as library:
        for path, bird in zip(
            described(library.folder), ("pintail", "gadwall", "smew", "eider"), strict=True
        ):
            library.service.run_once()
            for word in ("subject", "key", "other"):
                assert library.found(bird + word) == [path]
            first, *others = (piece for piece in extract(path) if isinstance(piece, PageText))
            assert first.text.endswith(f"\n\n{bird}subject\n{bird}key, {bird}other")
            assert others == []
