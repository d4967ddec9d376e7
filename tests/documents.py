"""One small document of each kind, made with the library that people's programs are made with."""

from __future__ import annotations

import mailbox
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Any

MADE = datetime(2024, 3, 1, 12, 30, tzinfo=UTC)


def docx(path: Path) -> Path:
    from docx import Document

    document: Any = Document()
    document.core_properties.title = "The harbour report"
    document.core_properties.modified = MADE.replace(tzinfo=None)
    document.add_heading("Harbour report", level=1)
    document.add_paragraph("The crane lifted seventy crates of oranges.")
    table = document.add_table(rows=2, cols=2)
    for cell, text in zip(table._cells, ["Ship", "Crates", "Aurora", "70"], strict=True):
        cell.text = text
    document.add_page_break()
    document.add_paragraph("On the second page the fog came in.")
    document.sections[0].header.paragraphs[0].text = "Confidential harbour paper"
    document.save(path)
    return path


def pptx(path: Path) -> Path:
    from pptx import Presentation
    from pptx.util import Inches

    deck: Any = Presentation()
    deck.core_properties.modified = MADE.replace(tzinfo=None)
    for title, text in (("Ferry plan", "Two ferries a day"), ("Costs", "Fuel is dear")):
        slide = deck.slides.add_slide(deck.slide_layouts[1])
        slide.shapes.title.text = title
        slide.placeholders[1].text = text
    table = slide.shapes.add_table(2, 2, Inches(1), Inches(4), Inches(4), Inches(1)).table
    for n, text in enumerate(["Item", "Euro", "Diesel", "4810"]):
        table.cell(n // 2, n % 2).text = text
    slide.notes_slide.notes_text_frame.text = "Mention the subsidy"
    deck.save(path)
    return path


def xlsx(path: Path) -> Path:
    from openpyxl import Workbook

    book: Any = Workbook()
    book.properties.modified = MADE.replace(tzinfo=None)
    book.active.title = "Budget"
    for row in [
        ["Post", "Euro", "Paid"],
        ["Roof repair", 1850.5, MADE.date()],
        ["Paint", 90, None],
    ]:
        book.active.append(row)
    second = book.create_sheet("People")
    second.append(["Name", "Phone"])
    second.append(["Ottilie Brandt", "0171 5550199"])
    book.save(path)
    return path


def odt(path: Path) -> Path:
    from odf.opendocument import OpenDocumentText
    from odf.table import Table, TableCell, TableRow
    from odf.text import H, Note, NoteBody, NoteCitation, P

    document = OpenDocumentText()
    document.text.addElement(H(outlinelevel=1, text="Garden diary"))
    words = P(text="The pear tree bore forty pears")
    note = Note(noteclass="footnote")
    note.addElement(NoteCitation(text="1"))
    body = NoteBody()
    body.addElement(P(text="Counted by Hedwig"))
    note.addElement(body)
    words.addElement(note)
    document.text.addElement(words)
    table = Table()
    for texts in (("Plant", "Weight"), ("Marrow", "12 kg")):
        row = TableRow()
        for text in texts:
            cell = TableCell()
            cell.addElement(P(text=text))
            row.addElement(cell)
        table.addElement(row)
    document.text.addElement(table)
    document.save(path)
    return path


def ods(path: Path) -> Path:
    from odf.opendocument import OpenDocumentSpreadsheet
    from odf.table import Table, TableCell, TableRow
    from odf.text import P

    document = OpenDocumentSpreadsheet()
    for name, rows in (("Stock", ["Screws", "Hinges"]), ("Orders", ["Varnish"])):
        table = Table(name=name)
        for text in ["Article", *rows]:
            row = TableRow()
            for value in (text, f"{text} no."):
                cell = TableCell(valuetype="string")
                cell.addElement(P(text=value))
                row.addElement(cell)
            table.addElement(row)
        # how office programs write "and nothing below"
        empty = TableRow(numberrowsrepeated=1_048_000)
        empty.addElement(TableCell(numbercolumnsrepeated=16_384))
        table.addElement(empty)
        document.spreadsheet.addElement(table)
    document.save(path)
    return path


def odp(path: Path) -> Path:
    from odf.draw import Frame, Page, TextBox
    from odf.opendocument import OpenDocumentPresentation
    from odf.style import MasterPage, PageLayout
    from odf.text import P

    document = OpenDocumentPresentation()
    layout = PageLayout(name="layout")
    document.automaticstyles.addElement(layout)
    document.masterstyles.addElement(MasterPage(name="master", pagelayoutname=layout))
    for text in ("Welcome to the choir", "Rehearsals on Thursdays"):
        page = Page(masterpagename="master")
        frame = Frame(width="20cm", height="3cm")
        box = TextBox()
        box.addElement(P(text=text))
        frame.addElement(box)
        page.addElement(frame)
        document.presentation.addElement(page)
    document.save(path)
    return path


HTML = """<!DOCTYPE html><html><head><title>How to mend a net</title>
<meta name="date" content="2024-03-01T12:30:00Z"><script>var tracking = "beacon";</script></head>
<body><nav><a href="/">Menu of everything</a></nav><main><h1>Mending</h1>
<p>Begin at the <b>torn</b> mesh,<br>then knot with twine.</p>
<table><tr><th>Twine</th><th>Strength</th></tr><tr><td>Hemp</td><td>40 kg</td></tr></table>
<pre>over
under</pre></main><style>p { color: red }</style></body></html>"""


def html(path: Path) -> Path:
    path.write_text(HTML)
    return path


def epub(path: Path) -> Path:
    from ebooklib import epub as library

    book = library.EpubBook()
    book.set_title("The lighthouse")
    book.add_metadata("DC", "date", "2024-03-01T12:30:00Z")
    chapters = []
    for n, (title, text) in enumerate(
        [("Arrival", "The keeper rowed out at dusk."), ("The storm", "The lamp went dark.")]
    ):
        chapter = library.EpubHtml(title=title, file_name=f"c{n}.xhtml")
        chapter.content = f"<html><body><h1>{title}</h1><p>{text}</p></body></html>"
        book.add_item(chapter)
        chapters.append(chapter)
    book.toc = chapters
    book.add_item(library.EpubNcx())
    book.add_item(library.EpubNav())
    book.spine = chapters
    library.write_epub(str(path), book)
    return path


def message(subject: str, text: str, *attached: Path) -> EmailMessage:
    mail = EmailMessage()
    mail["From"] = "Ruth Amsel <ruth@example.org>"
    mail["To"] = "emil@example.org"
    mail["Subject"] = subject
    mail["Date"] = "Fri, 01 Mar 2024 12:30:00 +0000"
    mail.set_content(text)
    mail.add_alternative(f"<p>{text}</p>", subtype="html")
    for path in attached:
        mail.add_attachment(
            path.read_bytes(), maintype="application", subtype="octet-stream", filename=path.name
        )
    return mail


def eml(path: Path, *attached: Path) -> Path:
    path.write_bytes(bytes(message("The keys", "I left the keys with the baker.", *attached)))
    return path


def mbox(path: Path) -> Path:
    box = mailbox.mbox(path)
    box.add(message("Sailing on Sunday", "Bring the blue oilskins."))
    box.add(message("Re: Sailing", "From now on we start at six."))
    box.close()
    return path


def csv(path: Path) -> Path:
    path.write_bytes("Größe;Name;Preis\n12;Müller;3,50\n14;Weiß;4,75\n".encode("cp1252"))
    return path


def written(text: str) -> Callable[[Path], Path]:
    def write(path: Path) -> Path:
        path.write_text(text)
        return path

    return write


SUBTITLES = "1\n00:00:01,000 --> 00:00:02,000\nGood evening, Reykjavik\n"
CALENDAR = "BEGIN:VCALENDAR\nSUMMARY:Dentist Zwingli\nEND:VCALENDAR\n"

# The name of each document, how it is made, words of it, and the page they are on.
EACH: list[tuple[str, Callable[[Path], Path], str, int]] = [
    ("report.docx", docx, "seventy crates oranges", 1),
    ("plan.pptx", pptx, "mention the subsidy", 2),
    ("budget.xlsx", xlsx, "Ottilie Brandt", 2),
    ("diary.odt", odt, "forty pears", 1),
    ("stock.ods", ods, "Varnish", 2),
    ("choir.odp", odp, "rehearsals thursdays", 2),
    ("net.html", html, "torn mesh twine", 1),
    ("lighthouse.epub", epub, "lamp went dark", 2),
    ("keys.eml", eml, "keys baker", 1),
    ("archive.mbox", mbox, "blue oilskins", 1),
    ("sizes.csv", csv, "Weiß", 1),
    ("notes.md", written("---\ntitle: On bees\n---\n# Bees\n\nHives hum.\n"), "hives hum", 1),
    ("data.json", written('{"city": "Trondheim", "rain": 19}\n'), "Trondheim", 1),
    ("lines.jsonl", written('{"id": 1, "word": "pelican"}\n' * 3), "pelican", 1),
    ("main.py", written("def ferry_timetable():\n    return 12\n"), "ferry_timetable", 1),
    ("server.log", written("2024-03-01 ERROR E4711 pump failed\n" * 5), "E4711", 1),
    ("settings.toml", written('[pump]\npressure = "high"\n'), "pressure", 1),
    ("page.xml", written("<note><to>Wilhelmine</to></note>\n"), "Wilhelmine", 1),
    ("talk.srt", written(SUBTITLES), "Reykjavik", 1),
    ("trip.ics", written(CALENDAR), "Zwingli", 1),
    ("README", written("Plain words without any ending, about turbines.\n"), "turbines", 1),
]  # fmt: skip


def every_kind(folder: Path) -> list[Path]:
    """One of each in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    return [make(folder / name) for name, make, _, _ in EACH]


def zipped(path: Path, members: dict[str, bytes | str]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path
