from __future__ import annotations

import contextlib
from email.message import EmailMessage
from pathlib import Path

import pytest

from indexer.extract import Extracted, Facts, Unreadable, Words, extract, file_format, sniff
from indexer.extract.mail import MAX_PARTS
from indexer.extract.mupdf import pymupdf
from indexer.passages import Kind, Page
from tests.documents import docx, eml, mbox, message, xlsx
from tests.library import READER


def read(path: Path) -> list[Extracted]:
    return list(extract(path))


def words_of(path: Path) -> list[Words]:
    return [piece for piece in read(path) if isinstance(piece, Words)]


def text_of(path: Path) -> str:
    return "\n".join(words.text for words in words_of(path))


def facts_of(path: Path) -> Facts:
    return next(piece for piece in read(path) if isinstance(piece, Facts))


def written(path: Path, text: str | bytes) -> Path:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_a_message_begins_with_who_wrote_to_whom_and_when(tmp_path: Path) -> None:
    path = eml(tmp_path / "keys.eml")
    assert sniff(path) is Kind.DOCUMENT
    (words,) = words_of(path)
    assert words.text == (
        "From: Ruth Amsel <ruth@example.org>\n\nTo: emil@example.org\n\nThe keys\n\n"
        "Date: Fri, 01 Mar 2024 12:30:00 +0000\n\nI left the keys with the baker."
    )
    facts = facts_of(path)
    assert (facts.title, facts.made_at) == ("The keys", 1_709_296_200.0)


def test_attachments_are_found_under_their_own_names(tmp_path: Path) -> None:
    paper = pymupdf.open()
    paper.new_page().insert_text((72, 72), "Rent of the boathouse: 310 euro.")
    paper.save(tmp_path / "invoice.pdf")
    note = written(tmp_path / "note.txt", "Grüße vom Boot")
    files = [docx(tmp_path / "report.docx"), xlsx(tmp_path / "budget.xlsx"), note]
    path = eml(tmp_path / "keys.eml", tmp_path / "invoice.pdf", *files)
    pages = words_of(path)
    assert "Attachments: invoice.pdf, report.docx, budget.xlsx, note.txt" in pages[0].text
    found = {words.label: words.text for words in pages[1:]}
    assert "310 euro" in found["invoice.pdf"]
    assert "fog came in" in found["report.docx"]
    assert "Ottilie Brandt" in found["budget.xlsx"]
    assert found["note.txt"] == "Grüße vom Boot"
    assert [words.place for words in pages] == [Page(n + 1) for n in range(len(pages))]
    assert facts_of(path).title == "The keys"


def test_an_attachment_that_cannot_be_read_is_named_with_the_reason(tmp_path: Path) -> None:
    broken = docx(tmp_path / "broken.docx")
    broken.write_bytes(broken.read_bytes()[:900])
    path = eml(tmp_path / "keys.eml", broken, written(tmp_path / "photo.bin", bytes(200)))
    assert "Attachments: broken.docx, photo.bin" in text_of(path)
    note = facts_of(path).note or ""
    assert "“broken.docx” could not be read" in note


def test_a_mail_within_a_mail(tmp_path: Path) -> None:
    inner = message("The older one", "Under the third stone.")
    outer = message("Forwarded", "See below.")
    outer.add_attachment(inner)
    path = written(tmp_path / "fwd.eml", bytes(outer))
    labels = [words.label for words in words_of(path)]
    assert labels == ["", "The older one"]
    assert "Under the third stone" in text_of(path)


def test_a_mailbox_is_read_message_by_message(tmp_path: Path) -> None:
    path = mbox(tmp_path / "archive.mbox")
    first, second = words_of(path)
    assert (first.label, second.label) == ("Sailing on Sunday", "Re: Sailing")
    assert "blue oilskins" in first.text
    # the mailbox wrote ">From", which is not what was said
    assert second.text.endswith("From now on we start at six.")
    before = path.read_bytes()
    assert path.read_bytes() == before


def test_the_plain_text_is_preferred_and_html_is_read_where_there_is_none(tmp_path: Path) -> None:
    mail = EmailMessage()
    mail["From"], mail["Subject"], mail["Date"] = "a@b.c", "Only HTML", "Fri, 01 Mar 2024 12:30:00"
    mail.set_content("<h1>Sale</h1><p>Blue <b>kettles</b></p><script>x()</script>", subtype="html")
    text = text_of(written(tmp_path / "a.eml", bytes(mail)))
    assert text.endswith("Sale\n\nBlue kettles")
    assert text_of(eml(tmp_path / "b.eml")).count("baker") == 1


@pytest.mark.parametrize(
    ("charset", "word"), [("koi8-r", "Москва"), ("iso-2022-jp", "東京"), ("iso-8859-1", "Grüße")]
)
def test_fault_63_mails_in_every_charset(tmp_path: Path, charset: str, word: str) -> None:
    mail = EmailMessage()
    mail["From"], mail["Subject"], mail["Message-ID"] = "a@b.c", word, "<1@b.c>"
    mail.set_content(word, charset=charset)
    text = text_of(written(tmp_path / "a.eml", bytes(mail)))
    assert text.count(word) == 2


def test_fault_63_a_charset_that_does_not_exist(tmp_path: Path) -> None:
    head = (
        b"From: a@b.c\nSubject: x\nMIME-Version: 1.0\nContent-Type: text/plain; charset=x-none\n\n"
    )
    path = written(tmp_path / "a.eml", head + "Grüße".encode())
    assert text_of(path).endswith("Grüße")
    path = written(tmp_path / "b.eml", head + "Grüße".encode("cp1252"))
    assert text_of(path).endswith("Grüße")


HEAD = "From: a@b.c\nTo: d@e.f\nSubject: Odd\nDate: Fri, 01 Mar 2024 12:30:00 +0000\n"


@pytest.mark.parametrize(
    "text",
    [
        HEAD + "Content-Type: multipart/mixed; boundary=x\n\n--x\n\nno end of the words",
        HEAD + "Content-Type: multipart/mixed\n\nno boundary, only the words",
        HEAD + "Content-Type: text/plain; charset=\n\nthe words",
        HEAD + "Content-Transfer-Encoding: base64\n\n!!! not base64, the words !!!",
        HEAD.replace("Fri, 01 Mar 2024", "Fri, 99 Foo 20240") + "\nthe words",
        HEAD.replace("a@b.c", "=?utf-8?q?=ff=fe?= <<>,;@@") + "\nthe words",
        HEAD + "Content-Type: ;;;===\n\nthe words",
        HEAD + "References: " + "<x@y> " * 50_000 + "\n\nthe words",
    ],
)  # fmt: skip
def test_fault_45_broken_mails_are_read_as_far_as_they_go(tmp_path: Path, text: str) -> None:
    path = written(tmp_path / "odd.eml", text)
    pieces = READER.extract(path)
    assert "words" in " ".join(piece.text for piece in pieces if isinstance(piece, Words))
    assert next(piece for piece in pieces if isinstance(piece, Facts)).title == "Odd"


def test_fault_46_a_mail_of_ten_thousand_parts_is_read_in_part(tmp_path: Path) -> None:
    parts = "".join(f"--x\n\nWord{n}\n" for n in range(10_000))
    path = written(
        tmp_path / "many.eml", f"{HEAD}Content-Type: multipart/mixed; boundary=x\n\n{parts}--x--\n"
    )
    pieces = READER.extract(path)
    facts = next(piece for piece in pieces if isinstance(piece, Facts))
    assert facts.note == f"Only the first {MAX_PARTS} parts of a message were read."
    assert "Word42" in " ".join(piece.text for piece in pieces if isinstance(piece, Words))


def test_fault_46_parts_in_parts_in_parts(tmp_path: Path) -> None:
    text = HEAD
    for n in range(3_000):
        text += f"Content-Type: multipart/mixed; boundary=x{n}\n\n--x{n}\n"
    path = written(tmp_path / "deep.eml", text + "\ndeep words")
    READER.extract(eml(tmp_path / "before.eml"))
    pid = READER.pid
    with contextlib.suppress(Unreadable):
        assert any(isinstance(piece, Words) for piece in READER.extract(path))
    assert READER.pid == pid


@pytest.mark.parametrize("name", ["keys.txt", "keys", "cur:2,S"])
def test_fault_41_a_mail_by_any_name(tmp_path: Path, name: str) -> None:
    path = eml(tmp_path / name)
    assert file_format(path) == "mail"


@pytest.mark.parametrize(
    "text",
    [
        "From here on it is only a story.\nAnd nothing else.",
        "Subject: a school\nThat is all.\n",
        "key: value\nother: value\n",
        "Package: from\nDate: today\nSubject: x\n",
    ],
)
def test_what_only_looks_like_a_mail_is_a_text(tmp_path: Path, text: str) -> None:
    assert file_format(written(tmp_path / "a.txt", text)) == "text"


def test_a_saved_web_page_in_one_file(tmp_path: Path) -> None:
    page = EmailMessage()
    page["From"], page["Subject"] = "<Saved by Blink>", "Kettles"
    page["Date"] = "Fri, 01 Mar 2024 12:30:00 +0000"
    page.set_content("<html><body><p>Kettles of copper</p></body></html>", subtype="html")
    page.add_related(b"\x89PNG\r\n\x1a\n", maintype="image", subtype="png", cid="<p@x>")
    path = written(tmp_path / "saved.mhtml", bytes(page))
    assert "Kettles of copper" in text_of(path)
    assert facts_of(path).title == "Kettles"


def test_apples_mail_begins_with_its_length(tmp_path: Path) -> None:
    data = bytes(message("The keys", "With the baker."))
    path = written(tmp_path / "1.emlx", b"%d\n" % len(data) + data)
    assert file_format(path) == "mail"
    assert "With the baker" in text_of(path)
