from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from indexer.extract.containers.archives import BOMB
from indexer.extract.containers.file_format import detect_format, detect_kind
from indexer.extract.dispatch import extract
from indexer.extract.limits import MAX_ROWS
from indexer.extract.process.reader import ReaderProcess
from indexer.types.pieces import Extracted, Facts, PageText, Thumb, UnreadableError
from indexer.types.places import Kind, Page
from tests.documents import docx, odp, ods, odt, pptx, xlsx, zipped
from tests.library import READER

MADE_AT = 1_709_296_200.0
Make = Callable[[Path], Path]


def read(path: Path) -> list[Extracted]:
    return list(extract(path))


def words_of(path: Path) -> list[PageText]:
    return [piece for piece in read(path) if isinstance(piece, PageText)]


def text_of(path: Path) -> str:
    return "\n".join(words.text for words in words_of(path))


def facts_of(path: Path) -> Facts:
    return next(piece for piece in read(path) if isinstance(piece, Facts))


def refused(path: Path) -> UnreadableError:
    """Why the child, with its limits, gives nothing."""
    with pytest.raises(UnreadableError) as caught:
        READER.extract(path)
    return caught.value


def outcome(reader: ReaderProcess, path: Path) -> tuple[list[Extracted], UnreadableError | None]:
    """What a file gives, or why it gives nothing."""
    try:
        return reader.extract(path), None
    except UnreadableError as problem:
        return [], problem


def repacked(path: Path, **changed: bytes | None) -> Path:
    """The same container with members replaced; None leaves one out. `__` stands for `/`."""
    replacements = {name.replace("__", "/"): content for name, content in changed.items()}
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    for name, content in replacements.items():
        known = next((member for member in members if member.partition(".")[0] == name), name)
        if content is None:
            members.pop(known)
        else:
            members[known] = content
    return zipped(path, dict(members))


def test_a_word_document_has_its_words_in_order_and_what_stands_beside_them(tmp_path: Path) -> None:
    path = docx(tmp_path / "report.docx")
    assert detect_kind(path) is Kind.DOCUMENT
    first, second = words_of(path)
    assert first.text == (
        "Harbour report\n\nThe crane lifted seventy crates of oranges.\n\n"
        "Ship | Crates\nAurora | 70"
    )
    assert second.place == Page(2)
    assert second.text.startswith("On the second page the fog came in.")
    assert "Confidential harbour paper" in second.text
    facts = facts_of(path)
    assert (facts.title, facts.pages, facts.made_at) == ("The harbour report", 2, MADE_AT)
    thumb = next(piece for piece in read(path) if isinstance(piece, Thumb))
    assert max(thumb.width_px, thumb.height_px) == 480


W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"


def body(inner: str) -> bytes:
    return (f'<w:document xmlns:w="{W}"><w:body>{inner}</w:body></w:document>').encode()


def run(text: str) -> str:
    return f"<w:r><w:t>{text}</w:t></w:r>"


def test_word_shows_what_a_reader_of_word_sees(tmp_path: Path) -> None:
    inner = (
        f"<w:p><w:ins>{run('inserted')}</w:ins><w:del><w:r><w:delText>deleted</w:delText></w:r>"
        f"</w:del><w:hyperlink>{run(' linked')}</w:hyperlink></w:p>"
        f"<w:sdt><w:sdtContent><w:p>{run('controlled')}</w:p></w:sdtContent></w:sdt>"
        f"<w:p><w:r><w:pict><w:txbxContent><w:p>{run('boxed')}</w:p></w:txbxContent></w:pict>"
        "</w:r><w:r><w:instrText>PAGEREF x</w:instrText></w:r></w:p>"
        f"<w:p><w:r><w:lastRenderedPageBreak/><w:t>second page</w:t></w:r></w:p>"
    )
    path = repacked(docx(tmp_path / "a.docx"), word__document=body(inner))
    pages = words_of(path)
    assert pages[0].text == "inserted linked\n\ncontrolled\n\nboxed"
    assert pages[1].text.startswith("second page")


def test_word_shows_equations_choices_ruby_and_hidden_words(tmp_path: Path) -> None:
    math = "http://schemas.openxmlformats.org/officeDocument/2006/math"
    drawing = "http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing"
    inner = (
        f'<w:p><m:oMath xmlns:m="{math}"><m:r><m:t>owlmath=42</m:t></m:r></m:oMath></w:p>'
        f'<w:p><w:r><w:drawing><d:docPr xmlns:d="{drawing}" id="5" descr="A barn owl"/>'
        "</w:drawing></w:r></w:p>"
        '<w:p><w:r><w:fldChar><w:ffData><w:ddList><w:listEntry w:val="owlchoice"/></w:ddList>'
        "</w:ffData></w:fldChar></w:r></w:p>"
        f"<w:p><w:r><w:ruby><w:rt>{run('とうきょう')}</w:rt><w:rubyBase>{run('東京')}"
        f"</w:rubyBase></w:ruby></w:r>{run('都庁')}</w:p>"
        f"<w:p>{run('seen')}<w:r><w:rPr><w:vanish/></w:rPr><w:t>secret</w:t></w:r></w:p>"
    )
    text = words_of(repacked(docx(tmp_path / "a.docx"), word__document=body(inner)))[0].text
    assert text.startswith(
        "owlmath=42\n\nA barn owl\n\nowlchoice\n\n東京都庁\n\nseen [hidden: secret]"
    )


def test_word_shows_choices_of_whole_paragraphs_and_old_shapes(tmp_path: Path) -> None:
    inner = (
        '<w:sdt><w:sdtPr><w:dropDownList><w:listItem w:displayText="siskinchoice" w:value="1"/>'
        f"</w:dropDownList></w:sdtPr><w:sdtContent><w:p>{run('chosen')}</w:p></w:sdtContent></w:sdt>"
        '<w:p><w:r><w:pict><v:shape xmlns:v="urn:schemas-microsoft-com:vml" alt="A heron">'
        '<v:textpath string="BITTERN"/></v:shape></w:pict></w:r></w:p>'
    )
    text = words_of(repacked(docx(tmp_path / "a.docx"), word__document=body(inner)))[0].text
    assert text.startswith("siskinchoice\n\nchosen\n\nA heron BITTERN")


def test_rich_text_is_read(tmp_path: Path) -> None:
    path = tmp_path / "letter.rtf"
    path.write_bytes(rb"{\rtf1\ansi\ansicpg1252 Dear Ruth,\par M\'fcller says \u8364? 45.\par}")
    assert text_of(path) == "Dear Ruth,\n\nMüller says € 45."


def test_slides_keep_their_numbers_tables_and_notes(tmp_path: Path) -> None:
    first, second = words_of(pptx(tmp_path / "plan.pptx"))
    assert (first.text, first.label) == ("Ferry plan\n\nTwo ferries a day", "Slide 1")
    assert second.place == Page(2)
    for words in ("Costs", "Item | Euro\nDiesel | 4810", "Notes\n\nMention the subsidy"):
        assert words in second.text
    assert facts_of(tmp_path / "plan.pptx").title == "Ferry plan"


def test_sheets_are_lines_with_their_values_as_they_are_shown(tmp_path: Path) -> None:
    budget, people = words_of(xlsx(tmp_path / "budget.xlsx"))
    assert budget.text == (
        "Budget\n\nPost | Euro | Paid\nRoof repair | 1850.5 | 2024-03-01\nPaint | 90"
    )
    assert (people.label, people.place) == ("People", Page(2))


def test_a_long_sheet_repeats_what_its_columns_are_called(tmp_path: Path) -> None:
    from openpyxl import Workbook

    book: Any = Workbook()
    book.active.append(["Name", "Amount"])
    for n in range(200):
        book.active.append([f"Person {n}", n])
    book.save(tmp_path / "long.xlsx")
    pages = words_of(tmp_path / "long.xlsx")
    assert len(pages) > 3
    assert all("Name | Amount" in page.text for page in pages)
    assert sum("Person 150 | 150" in page.text for page in pages) == 1


@pytest.mark.parametrize(
    ("make", "name", "words"),
    [
        (odt, "a.odt", ["Garden diary", "forty pears", "Marrow | 12 kg", "Counted by Hedwig"]),
        (ods, "a.ods", ["Screws | Screws no.", "Varnish"]),
        (odp, "a.odp", ["Welcome to the choir", "Rehearsals on Thursdays"]),
    ],
)
def test_open_documents(tmp_path: Path, make: Make, name: str, words: list[str]) -> None:
    path = make(tmp_path / name)
    assert detect_format(path) == "odf"
    for word in words:
        assert word in text_of(path)
    labels = {"a.ods": ["Stock", "Orders"], "a.odp": ["Slide 1", "Slide 2"], "a.odt": [""]}[name]
    assert [page.label for page in words_of(path)] == labels


def test_fault_41_the_content_decides_what_an_office_file_is(tmp_path: Path) -> None:
    hidden = docx(tmp_path / "report.txt")
    assert detect_format(hidden) == "docx"
    assert "seventy crates" in text_of(hidden)
    fake = tmp_path / "fake.docx"
    fake.write_text("Only words, whatever the name says.")
    assert detect_format(fake) == "text"
    assert text_of(fake) == "Only words, whatever the name says."
    nameless = xlsx(tmp_path / "budget.xlsx").rename(tmp_path / "budget")
    assert detect_format(nameless) == "xlsx"


def test_fault_42_a_file_that_is_two_things_is_always_the_same_one(tmp_path: Path) -> None:
    path = docx(tmp_path / "a.docx")
    path.write_bytes(b"%PDF-1.4\n<html>" + path.read_bytes())
    assert detect_format(path) == "pdf"


@pytest.mark.parametrize(
    ("make", "name"), [(docx, "a.docx"), (pptx, "a.pptx"), (xlsx, "a.xlsx"), (odt, "a.odt")]
)
def test_fault_43_a_cut_off_office_file_says_so(tmp_path: Path, make: Make, name: str) -> None:
    path = make(tmp_path / name)
    data = path.read_bytes()
    for share in (0.1, 0.5, 0.95):
        path.write_bytes(data[: int(len(data) * share)])
        assert detect_kind(path) is Kind.DOCUMENT
        assert refused(path).reason == "truncated"
    assert "get a whole copy" in refused(path).sentence


@pytest.mark.parametrize("seed", range(6))
def test_fault_45_damaged_office_files_give_a_reason_or_their_words(
    tmp_path: Path, seed: int
) -> None:
    """A few bytes are changed; whatever comes of it, the child answers and lives."""
    import random

    chance = random.Random(seed)
    make, name = chance.choice(
        [(docx, "a.docx"), (pptx, "a.pptx"), (xlsx, "a.xlsx"), (ods, "a.ods")]
    )
    path = make(tmp_path / name)
    data = bytearray(path.read_bytes())
    for _ in range(20):
        data[chance.randrange(4, len(data))] = chance.randrange(256)
    path.write_bytes(data)
    READER.extract(docx(tmp_path / "before.docx"))
    pid = READER.pid
    problem = outcome(READER, path)[1]
    if problem is not None:
        assert problem.reason in ("corrupt", "truncated", "encrypted", "too_large", "unsupported")
        assert problem.sentence.endswith(".")
    assert READER.pid == pid


def compound(*streams: str, first_directory_sector: int = 1) -> bytes:
    """A compound file with empty streams of these names: a header, the table of its sectors, and
    its directory, each entry the right sibling of the one before."""
    end, free, table, sectors = 0xFFFFFFFE, 0xFFFFFFFF, 0xFFFFFFFD, (len(streams) + 4) // 4
    head = struct.pack(
        "<8s16xHHHHH6xIIIIIIIIII",
        *(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 0x3E, 3, 0xFFFE, 9, 6),
        *(0, 1, first_directory_sector, 0, 4096, end, 0, end, 0, 0),
    ).ljust(512, b"\xff")
    chain = [table, *range(2, sectors + 1), end]
    fat = struct.pack("<128I", *chain, *[free] * (128 - len(chain)))
    directory = b""
    for number, name in enumerate(("Root Entry", *streams)):
        raw = name.encode("utf-16-le")
        child, sibling = (1, free) if number == 0 else (free, number + 1)
        directory += struct.pack(
            "<64sHBBIII36xIII",
            *(raw, len(raw) + 2, 2 if number else 5, 1, free),
            *(sibling if number < len(streams) else free, child if streams else free, end, 0, 0),
        )
    return head + fat + directory.ljust(512 * sectors, b"\0")


def test_fault_44_a_locked_office_file_says_so(tmp_path: Path) -> None:
    path = tmp_path / "locked.docx"
    path.write_bytes(compound("EncryptionInfo", "EncryptedPackage"))
    assert detect_kind(path) is Kind.DOCUMENT
    problem = refused(path)
    assert problem.reason == "encrypted"
    assert "remove the password" in problem.sentence
    manifest = b'<manifest><file-entry><encryption-data checksum="x"/></file-entry></manifest>'
    locked = repacked(odt(tmp_path / "locked.odt"), **{"META-INF__manifest": manifest})
    assert refused(locked).reason == "encrypted"


@pytest.mark.parametrize(
    ("name", "data", "cure"),
    [
        ("old.doc", compound("WordDocument"), ".docx"),
        ("old.xls", compound("Workbook"), ".xlsx"),
        ("old.ppt", compound("PowerPoint Document"), ".pptx"),
        ("mail.msg", compound("__properties_version1.0"), ".eml"),
    ],
)
def test_old_kinds_are_refused_with_what_to_do(
    tmp_path: Path, name: str, data: bytes, cure: str
) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    assert detect_kind(path) is Kind.DOCUMENT
    problem = refused(path)
    assert problem.reason == "unsupported"
    assert f"save it as {cure}" in problem.sentence


def test_other_compound_files_and_archives_are_none_of_ours(tmp_path: Path) -> None:
    installer = tmp_path / "setup.msi"
    installer.write_bytes(compound("SummaryInformation"))
    archive = zipped(tmp_path / "photos.zip", {"a.txt": "words", "b/c.txt": "more"})
    library = zipped(tmp_path / "x.jar", {"META-INF/MANIFEST.MF": "x", "A.class": "x"})
    assert [detect_kind(path) for path in (installer, archive, library)] == [None, None, None]


@pytest.mark.parametrize("name", ["old.doc", "unknown.bin"])
def test_damaged_compound_files_are_bounded(tmp_path: Path, name: str) -> None:
    """A directory that is not there, one that leads back to itself, and a table of sectors that
    would fill the memory."""
    whole = bytearray(compound("WordDocument"))
    cut_off = whole[:700]
    loop = bytearray(whole)
    loop[512 + 4 : 512 + 8] = struct.pack("<I", 1)
    bomb = bytearray(whole)
    bomb[44:48] = struct.pack("<I", 109 + 127 * 33_000_000)
    bomb[68:76] = struct.pack("<II", 1, 33_000_000)
    path = tmp_path / name
    for data in (cut_off, loop, bomb):
        path.write_bytes(data)
        if name == "old.doc":
            assert refused(path).reason in ("corrupt", "unsupported")
        else:
            assert detect_kind(path) in (None, Kind.DOCUMENT)


def test_fault_47_macros_and_references_stay_where_they_are(tmp_path: Path) -> None:
    """A document with macros and outside pictures gives its words, and nothing is fetched: the
    child could not connect if it tried."""
    path = docx(tmp_path / "macro.docm")
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    types = members["[Content_Types].xml"]
    members["[Content_Types].xml"] = types.replace(
        b"application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml",
        b"application/vnd.ms-word.document.macroEnabled.main+xml",
    )
    members["word/vbaProject.bin"] = compound("VBA")
    members["word/_rels/document.xml.rels"] = members["word/_rels/document.xml.rels"].replace(
        b"</Relationships>",
        b'<Relationship Id="rId99" TargetMode="External" Target="http://192.0.2.1/x.png" '
        b'Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/image"/>'
        b'<Relationship Id="rId98" TargetMode="External" Target="file:///etc/passwd" '
        b'Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/footer"/>'
        b"</Relationships>",
    )
    zipped(path, dict(members))
    words = " ".join(piece.text for piece in READER.extract(path) if isinstance(piece, PageText))
    assert "seventy crates" in words
    assert "root:" not in words


LAUGHS = (
    '<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY lol "lol">'
    + "".join(
        f'<!ENTITY lol{n} "{f"&lol{n - 1 or str()};" * 10}">'.replace("&lol;", "&lol;")
        for n in range(1, 10)
    )
    + '<!ENTITY etc SYSTEM "file:///etc/passwd">]>'
)
BOMBS = {
    "a.docx": ("word__document", body(f"<w:p>{run('&lol9;&etc; after')}</w:p>")),
    "a.xlsx": (
        "xl__sharedStrings",
        b'<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
        b"<si><t>&lol9;&etc;</t></si></sst>",
    ),
    "a.odt": (
        "content",
        b'<o:document-content xmlns:o="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
        b'xmlns:t="urn:oasis:names:tc:opendocument:xmlns:text:1.0"><o:body><t:p>&lol9;&etc; after'
        b"</t:p></o:body></o:document-content>",
    ),
}


@pytest.mark.parametrize("name", BOMBS)
def test_fault_46_entities_are_not_expanded(tmp_path: Path, name: str) -> None:
    make = {"docx": docx, "xlsx": xlsx, "odt": odt}[name.partition(".")[2]]
    member, content = BOMBS[name]
    path = repacked(make(tmp_path / name), **{member: LAUGHS.encode() + content})
    with ReaderProcess(limit_s=20, memory_bytes=1 << 30) as reader:
        pieces, problem = outcome(reader, path)
    assert problem is None or problem.reason in ("corrupt", "empty")
    text = " ".join(piece.text for piece in pieces if isinstance(piece, PageText))
    assert "lollol" not in text
    assert "root:" not in text


def test_fault_62_a_zip_bomb_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    path = docx(tmp_path / "bomb.docx")
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("word/media/bomb.xml", bytes(64 << 20))
    problem = refused(path)
    assert (problem.reason, problem.sentence) == ("too_large", BOMB)


def test_fault_62_too_many_members_and_too_many_bytes(tmp_path: Path) -> None:
    many = docx(tmp_path / "many.docx")
    with zipfile.ZipFile(many, "a") as archive:
        for n in range(20_001):
            archive.writestr(zipfile.ZipInfo(f"word/{n}"), b"")
    assert "20,019 parts, and one of more than 20,000 is not opened" in refused(many).sentence
    lies = docx(tmp_path / "lies.docx")
    data = bytearray(lies.read_bytes())
    at = data.rfind(b"PK\x01\x02")
    data[at + 24 : at + 28] = struct.pack("<I", 0xFFFFFFF0)  # "unpacks to 4 GB"
    lies.write_bytes(data)
    assert refused(lies).reason in ("too_large", "corrupt")


def test_fault_62_what_a_document_embeds_is_not_opened(tmp_path: Path) -> None:
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("secret.txt", "nested words " * 1000)
    path = docx(tmp_path / "nest.docx")
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("word/embeddings/inner.zip", inner.getvalue())
    assert "nested words" not in text_of(path)
    assert "seventy crates" in text_of(path)


def sheet_of(rows: int, columns: int) -> bytes:
    cells = "".join(f"<c><v>{n}</v></c>" for n in range(columns))
    return (
        b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
        b'<dimension ref="A1:XFD1048576"/><sheetData>'
        + f"<row>{cells}</row>".encode() * rows
        + b"</sheetData></worksheet>"
    )


def test_fault_46_a_sheet_that_says_it_is_huge_is_not_believed(tmp_path: Path) -> None:
    path = repacked(xlsx(tmp_path / "a.xlsx"), xl__worksheets__sheet1=sheet_of(3, 4))
    assert words_of(path)[0].text == "Budget\n\n" + "\n".join(["0 | 1 | 2 | 3"] * 3)
    far = (
        b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
        b'<row r="1048576"><c r="XFD1048576" t="inlineStr"><is><t>far away</t></is></c></row>'
        b"</sheetData></worksheet>"
    )
    path = repacked(xlsx(tmp_path / "b.xlsx"), xl__worksheets__sheet1=far)
    assert "Ottilie Brandt" in text_of(path)


@pytest.mark.slow
def test_fault_46_a_sheet_of_a_million_rows_is_read_as_far_as_promised(tmp_path: Path) -> None:
    path = repacked(xlsx(tmp_path / "huge.xlsx"), xl__worksheets__sheet1=sheet_of(1_048_576, 3))
    pieces = READER.extract(path)
    facts = next(piece for piece in pieces if isinstance(piece, Facts))
    assert [note.sentence for note in facts.notes] == [
        f"Only the first {MAX_ROWS:,} rows of this workbook were read."
    ]
    lines = sum(piece.text.count("0 | 1 | 2") for piece in pieces if isinstance(piece, PageText))
    assert lines == MAX_ROWS


def test_a_spreadsheet_cell_may_stand_for_a_million(tmp_path: Path) -> None:
    name = "urn:oasis:names:tc:opendocument:xmlns:{}:1.0"
    content = (
        f'<o:document-content xmlns:o="{name.format("office")}" xmlns:t="{name.format("table")}" '
        f'xmlns:x="{name.format("text")}"><o:body><o:spreadsheet><t:table t:name="Wide">'
        '<t:table-row t:number-rows-repeated="1048576">'
        '<t:table-cell t:number-columns-repeated="16384"><x:p>again</x:p></t:table-cell>'
        "</t:table-row></t:table></o:spreadsheet></o:body></o:document-content>"
    )
    path = repacked(ods(tmp_path / "wide.ods"), content=content.encode())
    assert "again | again" in words_of(path)[0].text
    assert sum(len(words.text) for words in words_of(path)) < 2_000_000


def test_deep_nesting_ends_nothing(tmp_path: Path) -> None:
    deep = body(
        "<w:tbl><w:tr><w:tc>" * 60 + f"<w:p>{run('deep')}</w:p>" + "</w:tc></w:tr></w:tbl>" * 60
    )
    path = repacked(docx(tmp_path / "deep.docx"), word__document=deep)
    assert "deep" in text_of(path)
    deeper = body("<w:sdt>" * 5_000 + run("x") + "</w:sdt>" * 5_000)
    path = repacked(docx(tmp_path / "deeper.docx"), word__document=deeper)
    assert refused(path).reason in ("corrupt", "empty")


def test_every_page_can_be_looked_at_with_its_words_marked(tmp_path: Path) -> None:
    for make, name in ((docx, "a.docx"), (pptx, "a.pptx"), (xlsx, "a.xlsx"), (odt, "a.odt")):
        path = make(tmp_path / name)
        for words in words_of(path):
            assert isinstance(words.place, Page)
            shown = READER.words(path, words.place.page)
            drawn = [word for _, _, _, _, word, _ in shown["words"]]
            assert [w for w in drawn if w != "•"] == words.text.replace("|", " ").split()
        picture = READER.page(path, 1, 300)
        assert picture[:4] == b"RIFF"
        with pytest.raises(UnreadableError, match="no page 99"):
            READER.words(path, 99)


def test_chapters_are_known_by_their_media_type(tmp_path: Path) -> None:
    page = "<html><body><h1>{0}</h1><p>The {0} chapter</p></body></html>"
    names = {
        "one": "chapter 1.xhtml",
        "two": "Text/two",
        "three": "three.xhtm",
        "four": "Four.XHTML",  # the package has other capitals
        "five": "part%205.xhtml",  # and this name as it is
    }
    items = "".join(
        f'<item id="{key}" href="{name.replace(" ", "%20").replace("Four", "four")}" '
        'media-type="application/xhtml+xml"/>'
        for key, name in names.items()
    )
    spine = "".join(f'<itemref idref="{key}"/>' for key in (*names, "gone"))
    package = (
        '<package xmlns="http://www.idpf.org/2007/opf" version="3.0" unique-identifier="id">'
        '<metadata xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>Odd</dc:title>'
        '<dc:identifier id="id">x</dc:identifier><dc:language>en</dc:language></metadata>'
        f"<manifest>{items}</manifest><spine>{spine}</spine></package>"
    )
    container = (
        '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container" version="1.0">'
        '<rootfiles><rootfile full-path="OEBPS/content.opf" '
        'media-type="application/oebps-package+xml"/></rootfiles></container>'
    )
    members: dict[str, bytes | str] = {
        "mimetype": "application/epub+zip",
        "META-INF/container.xml": container,
        "OEBPS/content.opf": package,
        **{f"OEBPS/{name}": page.format(key) for key, name in names.items()},
    }
    path = zipped(tmp_path / "odd.epub", members)
    assert [words.label for words in words_of(path)] == list(names)
    assert [note.sentence for note in facts_of(path).notes] == [
        "1 of 6 chapters are missing or damaged."
    ]


def test_boxes_with_equations_and_comments_on_slides_are_read(tmp_path: Path) -> None:
    import re

    a = 'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"'
    box = (
        '<mc:AlternateContent xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/'
        f'2006"><mc:Choice Requires="a14"><x {a}><a:p><a:r><a:t>The buzzard box</a:t></a:r></a:p>'
        f"</x></mc:Choice><mc:Fallback><x {a}><a:p><a:r><a:t>older box</a:t></a:r></a:p></x>"
        "</mc:Fallback></mc:AlternateContent></p:spTree>"
    )
    path = pptx(tmp_path / "plan.pptx")
    with zipfile.ZipFile(path) as archive:
        slide = archive.read("ppt/slides/slide1.xml").decode()
    path = repacked(path, ppt__slides__slide1=re.sub("</p:spTree>", box, slide).encode())
    text = words_of(path)[0].text
    assert "The buzzard box" in text
    assert "older box" not in text
