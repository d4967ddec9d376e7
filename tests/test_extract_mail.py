from __future__ import annotations

import contextlib
import hashlib
import io
import quopri
from dataclasses import replace
from email.message import EmailMessage
from pathlib import Path

import numpy as np
import pytest
import soundfile
from PIL import Image as Picture

from indexer.extract.containers.file_format import detect_format, detect_kind
from indexer.extract.dispatch import extract, find_member
from indexer.extract.formats import members
from indexer.extract.formats.mail.mail import ENCRYPTED
from indexer.extract.formats.mail.message_parts import MAX_PARTS
from indexer.extract.pages.mupdf import pymupdf
from indexer.extract.process.reader import ReaderProcess
from indexer.types.notes import NoteCode
from indexer.types.pieces import (
    Extracted,
    Facts,
    MediaPart,
    Member,
    MemberPiece,
    PageText,
    UnreadableError,
)
from indexer.types.places import Kind, Page, Span
from tests.documents import docx, eml, every_kind, mbox, message, xlsx, zipped
from tests.library import READER


def read(path: Path) -> list[Extracted]:
    return list(extract(path))


def words_of(path: Path) -> list[PageText]:
    return [piece for piece in read(path) if isinstance(piece, PageText)]


def text_of(path: Path) -> str:
    return "\n".join(words.text for words in words_of(path))


def facts_of(path: Path) -> Facts:
    return next(piece for piece in read(path) if isinstance(piece, Facts))


def written(path: Path, text: str | bytes) -> Path:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_a_message_begins_with_who_wrote_to_whom_and_when(tmp_path: Path) -> None:
    path = eml(tmp_path / "keys.eml")
    assert detect_kind(path) is Kind.DOCUMENT
    (words,) = words_of(path)
    assert words.text == (
        "From: Ruth Amsel <ruth@example.org>\n\nTo: emil@example.org\n\nThe keys\n\n"
        "Date: Fri, 01 Mar 2024 12:30:00 +0000\n\nI left the keys with the baker."
    )
    facts = facts_of(path)
    assert (facts.title, facts.made_at) == ("The keys", 1_709_296_200.0)


def members_of(path: Path) -> dict[str, list[Extracted]]:
    """The pieces of each attachment, by its name."""
    pieces = read(path)
    names = {piece.ordinal: piece.name for piece in pieces if isinstance(piece, Member)}
    members: dict[str, list[Extracted]] = {name: [] for name in names.values()}
    for piece in pieces:
        if isinstance(piece, MemberPiece):
            members[names[piece.ordinal]].append(piece.piece)
    return members


def texts(pieces: list[Extracted]) -> str:
    return "\n".join(piece.text for piece in pieces if isinstance(piece, PageText))


def test_attachments_are_read_as_files_of_their_own(tmp_path: Path) -> None:
    paper = pymupdf.open()
    paper.new_page().insert_text((72, 72), "Rent of the boathouse: 310 euro.")
    paper.save(tmp_path / "invoice.pdf")
    note = written(tmp_path / "note.txt", "Grüße vom Boot")
    files = [docx(tmp_path / "report.docx"), xlsx(tmp_path / "budget.xlsx"), note]
    path = eml(tmp_path / "keys.eml", tmp_path / "invoice.pdf", *files)
    [page] = words_of(path)
    assert "Attachments: invoice.pdf, report.docx, budget.xlsx, note.txt" in page.text
    members = members_of(path)
    assert "310 euro" in texts(members["invoice.pdf"])
    assert PageText("Grüße vom Boot", Page(1)) in members["note.txt"]
    # as the same file says it where it lies by itself
    assert members["report.docx"] == read(tmp_path / "report.docx")
    assert members["budget.xlsx"] == read(tmp_path / "budget.xlsx")
    assert facts_of(path).title == "The keys"
    assert facts_of(path).pages == 1


def test_an_attachment_is_known_by_its_bytes(tmp_path: Path) -> None:
    note = written(tmp_path / "note.txt", "The boat is blue.")
    path = eml(tmp_path / "keys.eml", note, written(tmp_path / "photo.bin", bytes(200)), note)
    members = [piece for piece in read(path) if isinstance(piece, Member)]
    content = hashlib.blake2b(note.read_bytes(), digest_size=20).hexdigest()
    # what is no kind of ours is counted and not told of; what came twice is read once
    assert [(member.ordinal, member.content, member.size) for member in members] == [
        (1, content, 17), (3, content, 17),
    ]  # fmt: skip
    assert {piece.ordinal for piece in read(path) if isinstance(piece, MemberPiece)} == {1}
    assert find_member(path, members[0]).data == note.read_bytes()
    with pytest.raises(UnreadableError, match="has changed"):
        find_member(path, replace(members[0], content="0" * 40))


def test_an_attachment_of_a_mailbox_is_found_without_the_messages_before(tmp_path: Path) -> None:
    notes = [written(tmp_path / f"{n}.txt", f"Note {n}.") for n in range(3)]
    lines = (b"From a@b.c Fri Mar  1 12:30:00 2024\n%s\n" % bytes(message("Hi", "From afar.", note))
             for note in notes)  # fmt: skip
    path = written(tmp_path / "a.mbox", b"".join(lines))
    members = [piece for piece in read(path) if isinstance(piece, Member)]
    assert [member.ordinal for member in members] == [1, 2, 3]
    data = bytearray(path.read_bytes())
    data[: members[2].at - 40] = b"x" * (members[2].at - 40)  # so that nobody could read them
    path.write_bytes(data)
    assert find_member(path, members[2]).data == b"Note 2."


def test_pictures_and_sounds_are_attached_as_such(tmp_path: Path) -> None:
    Picture.new("RGB", (320, 240), "red").save(tmp_path / "beach.jpg")
    soundfile.write(tmp_path / "memo.flac", 0.3 * np.sin(np.arange(32_000) / 6), 16_000)
    members = members_of(eml(tmp_path / "a.eml", tmp_path / "beach.jpg", tmp_path / "memo.flac"))
    for name, pieces in members.items():
        assert pieces == read(tmp_path / name)
    assert MediaPart(Span(0.0, 2.0)) in members["memo.flac"]


def test_every_kind_is_read_from_a_mail_as_from_the_disk(tmp_path: Path) -> None:
    files = every_kind(tmp_path)
    members = members_of(eml(tmp_path / "all.eml", *files))
    alone = {path.name: read(path) for path in files if path.name in members}
    assert members == alone
    assert len(members) >= 9


def test_an_attachment_that_cannot_be_read_is_named_with_the_reason(tmp_path: Path) -> None:
    broken = docx(tmp_path / "broken.docx")
    broken.write_bytes(broken.read_bytes()[:900])
    odd = written(tmp_path / "photo.bin", bytes(200))
    whole = written(tmp_path / "whole.txt", "All is well.")
    path = eml(tmp_path / "keys.eml", broken, odd, whole)
    assert "Attachments: broken.docx, photo.bin, whole.txt" in text_of(path)
    note = " ".join(note.sentence for note in facts_of(path).notes)
    assert "“broken.docx” could not be read" in note
    assert texts(members_of(path)["whole.txt"]) == "All is well."


def test_fault_46_a_mail_of_more_attachments_than_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    notes = [written(tmp_path / f"{n}.txt", f"Note number {n}.") for n in range(4)]
    monkeypatch.setattr(members, "MAX_MEMBERS", 3)
    path = eml(tmp_path / "keys.eml", *notes)
    assert list(members_of(path)) == ["0.txt", "1.txt", "2.txt"]
    assert [note.sentence for note in facts_of(path).notes] == [
        "Only the first 3 attachments were read."
    ]


def test_fault_46_an_attached_bomb_is_named_and_the_mail_is_read(tmp_path: Path) -> None:
    bomb = zipped(tmp_path / "bomb.docx", {
        "[Content_Types].xml": "<Types/>", "word/document.xml": bytes(300 << 20),
    })  # fmt: skip
    note = written(tmp_path / "note.txt", "The boat is blue.")
    pieces = READER.extract(eml(tmp_path / "keys.eml", bomb, note))
    facts = next(piece for piece in pieces if isinstance(piece, Facts))
    assert "“bomb.docx” could not be read" in facts.notes[0].sentence
    assert [piece.piece.text for piece in pieces
            if isinstance(piece, MemberPiece) and isinstance(piece.piece, PageText)] == [
        "The boat is blue."
    ]  # fmt: skip


def test_fault_45_an_attachment_that_ends_the_child_is_left_out(tmp_path: Path) -> None:
    """The first attempt is for the whole; what ends the child again is left out then."""
    deadly = written(tmp_path / "deadly.txt", "What ends whoever reads it.")
    note = written(tmp_path / "note.txt", "The boat is blue.")
    path = eml(tmp_path / "keys.eml", deadly, note)
    with Mortal() as reader:
        with pytest.raises(UnreadableError, match="made the program that reads it stop"):
            reader.extract(path)
        pieces = reader.extract(path, whole=False)
    facts = next(piece for piece in pieces if isinstance(piece, Facts))
    assert "“deadly.txt” could not be read: It made" in facts.notes[0].sentence
    assert {piece.ordinal for piece in pieces if isinstance(piece, MemberPiece)} == {2}


class Mortal(ReaderProcess):
    worker = "tests.mortal_child"


def test_the_ornaments_of_a_mail_are_no_photos(tmp_path: Path) -> None:
    for name, size in (("logo", (600, 60)), ("beach", (320, 240)), ("tiny", (40, 40))):
        Picture.new("RGB", size, "green").save(tmp_path / f"{name}.png")
    how = (("inline", "logo"), ("inline", "beach"), ("attachment", "tiny"))
    page = EmailMessage()
    page["From"], page["Subject"], page["Date"] = "a@b.c", "Offer", "Fri, 01 Mar 2024 12:30:00"
    page.set_content("<p>Look at these</p>", subtype="html")
    for disposition, name in how:
        page.add_related(
            (tmp_path / f"{name}.png").read_bytes(), "image", "png", cid=f"<{name}@x>",
            disposition=disposition, filename=f"{name}.png",
        )  # fmt: skip
    members = members_of(written(tmp_path / "offer.eml", bytes(page)))
    assert [name for name, pieces in members.items() if pieces] == ["beach.png", "tiny.png"]


def test_a_small_photo_with_a_name_is_no_ornament(tmp_path: Path) -> None:
    page = message("The beach", "Look at this")
    page.add_alternative("<p>Look at this <img src='cid:x'></p>", subtype="html")
    html_part = list(page.iter_parts())[1]
    assert isinstance(html_part, EmailMessage)
    for name in ("tidewrack.jpg", "image001.jpg", "company-logo.jpg"):
        stream = io.BytesIO()
        Picture.new("RGB", (64, 48), "green").save(stream, "JPEG", comment=name.encode())
        html_part.add_related(
            stream.getvalue(), "image", "jpeg", cid=f"<{name}>", filename=name, disposition="inline"
        )
    members = members_of(written(tmp_path / "beach.eml", bytes(page)))
    assert [name for name, pieces in members.items() if pieces] == ["tidewrack.jpg"]


def test_a_mail_within_a_mail(tmp_path: Path) -> None:
    inner = message("The older one", "Under the third stone.")
    outer = message("Forwarded", "See below.")
    outer.add_attachment(inner)
    path = written(tmp_path / "fwd.eml", bytes(outer))
    labels = [words.label for words in words_of(path)]
    assert labels == ["", "The older one"]
    assert "Under the third stone" in text_of(path)


def test_what_a_mail_within_a_mail_brought_along_is_the_outer_ones(tmp_path: Path) -> None:
    note = written(tmp_path / "note.txt", "The boat is blue.")
    inner = message("The older one", "Under the third stone.", note)
    outer = message("Forwarded", "See below.")
    outer.add_attachment(inner)
    # the same as a file, as some programs forward it
    outer.add_attachment(bytes(inner), "application", "octet-stream", filename="older.eml")
    path = written(tmp_path / "fwd.eml", bytes(outer))
    assert [words.label for words in words_of(path)] == ["", "The older one", "older.eml"]
    assert texts(members_of(path)["note.txt"]) == "The boat is blue."
    assert [piece.ordinal for piece in read(path) if isinstance(piece, Member)] == [1, 2]


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
    assert "words" in " ".join(piece.text for piece in pieces if isinstance(piece, PageText))
    assert next(piece for piece in pieces if isinstance(piece, Facts)).title == "Odd"


def test_fault_46_a_mail_of_ten_thousand_parts_is_read_in_part(tmp_path: Path) -> None:
    parts = "".join(f"--x\n\nWord{n}\n" for n in range(10_000))
    path = written(
        tmp_path / "many.eml", f"{HEAD}Content-Type: multipart/mixed; boundary=x\n\n{parts}--x--\n"
    )
    pieces = READER.extract(path)
    facts = next(piece for piece in pieces if isinstance(piece, Facts))
    assert [note.sentence for note in facts.notes] == [
        f"Only the first {MAX_PARTS} parts of a message were read."
    ]
    assert "Word42" in " ".join(piece.text for piece in pieces if isinstance(piece, PageText))


def test_fault_46_parts_in_parts_in_parts(tmp_path: Path) -> None:
    text = HEAD
    for n in range(3_000):
        text += f"Content-Type: multipart/mixed; boundary=x{n}\n\n--x{n}\n"
    path = written(tmp_path / "deep.eml", text + "\ndeep words")
    READER.extract(eml(tmp_path / "before.eml"))
    pid = READER.pid
    with contextlib.suppress(UnreadableError):
        assert any(isinstance(piece, PageText) for piece in READER.extract(path))
    assert READER.pid == pid


@pytest.mark.parametrize("name", ["keys.txt", "keys", "cur:2,S"])
def test_fault_41_a_mail_by_any_name(tmp_path: Path, name: str) -> None:
    path = eml(tmp_path / name)
    assert detect_format(path) == "mail"


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
    assert detect_format(written(tmp_path / "a.txt", text)) == "text"


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
    assert detect_format(path) == "mail"
    assert "With the baker" in text_of(path)


TOP = b"From: a@example.org\nTo: b@example.org\nDate: %s\nSubject: %s\nMIME-Version: 1.0\n"


def raw_mail(path: Path, rest: str | bytes, subject: bytes = b"Hi", date: bytes = b"") -> Path:
    date = date or b"Tue, 05 Mar 2024 09:00:00 +0100"
    rest = rest.encode() if isinstance(rest, str) else rest
    return written(path, TOP % (date, subject) + rest)


def multipart(kind: str, boundary: str, *parts: str) -> str:
    lines = "".join(f"--{boundary}\n{part}\n" for part in parts)
    return f'Content-Type: multipart/{kind}; boundary="{boundary}"\n\n{lines}--{boundary}--\n'


def test_attachments_are_read_from_every_version_of_a_text(tmp_path: Path) -> None:
    attached = "Content-Disposition: inline; filename=note.txt\n\nGorse briar"
    rich = multipart("mixed", "m", "Content-Type: text/html\n\n<p>The note is here</p>", attached)
    plain = "Content-Type: text/plain\n\nThe note is here"
    path = raw_mail(tmp_path / "a.eml", multipart("alternative", "a", plain, rich))
    assert texts(members_of(path)["note.txt"]) == "Gorse briar"
    assert text_of(path).count("The note is here") == 1


def test_a_plain_text_without_the_words_gives_way_to_the_page(tmp_path: Path) -> None:
    plain = "Content-Type: text/plain\n\nThis message is in HTML. Please open it there."
    rich = (
        "Content-Type: text/html\n\n<html><head><title>x</title></head><body>"
        "<p>Ferry QUILLFERRY77 leaves the pier at 07:40</p></body></html>"
    )
    path = raw_mail(tmp_path / "a.eml", multipart("alternative", "a", plain, rich))
    assert "QUILLFERRY77" in text_of(path)
    assert "in HTML" not in text_of(path)


def test_an_attached_message_may_be_encoded(tmp_path: Path) -> None:
    import base64

    inner = raw_mail(tmp_path / "inner.eml", "\nThe avocet text", b"Godwit letter").read_bytes()
    part = (
        "Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\n"
        + base64.encodebytes(inner).decode()
    )
    path = raw_mail(tmp_path / "a.eml", multipart("mixed", "m", "\nsee below", part))
    assert [page.label for page in words_of(path)] == ["", "Godwit letter"]
    assert "The avocet text" in text_of(path)


def tnef(body: bytes, *files: tuple[bytes, bytes]) -> bytes:
    def attribute(level: int, number: int, kind: int, data: bytes) -> bytes:
        head = bytes([level]) + (kind << 16 | number).to_bytes(4, "little")
        size, checksum = len(data).to_bytes(4, "little"), sum(data) % 65_536
        return head + size + data + checksum.to_bytes(2, "little")

    stream = b"\x78\x9f\x3e\x22\x01\0" + attribute(1, 0x800C, 2, body + b"\0")
    for name, data in files:
        stream += attribute(2, 0x9002, 6, bytes(14)) + attribute(2, 0x8010, 1, name + b"\0")
        stream += attribute(2, 0x800F, 6, data)
    return stream + attribute(1, 0x8008, 7, b"IPM.Microsoft Mail.Note\0")


def test_what_outlook_packs_is_unpacked(tmp_path: Path) -> None:
    import base64

    packed = tnef(b"The offer for the plover crane", (b"note.txt", b"Knapweed plan"))
    part = (
        "Content-Type: application/ms-tnef; name=winmail.dat\nContent-Transfer-Encoding: base64\n\n"
    )
    whole = part + base64.encodebytes(packed).decode()
    path = raw_mail(tmp_path / "a.eml", multipart("mixed", "m", whole))
    assert "The offer for the plover crane" in text_of(path)
    assert texts(members_of(path)["note.txt"]) == "Knapweed plan"
    damaged = part + base64.encodebytes(b"no such stream").decode()
    path = raw_mail(tmp_path / "b.eml", multipart("mixed", "m", "\nwords", damaged))
    assert [note.sentence for note in facts_of(path).notes] == [
        "The attachment “winmail.dat” is damaged and was not read."
    ]


def test_the_report_of_a_mail_that_was_not_delivered_is_read(tmp_path: Path) -> None:
    status = "Content-Type: message/delivery-status\n\nFinal-Recipient: rfc822; teal@example.org\n"
    headers = "Content-Type: text/rfc822-headers\n\nSubject: The wigeon\n"
    path = raw_mail(tmp_path / "a.eml", multipart("report", "r", "\nNot sent", status, headers))
    text = text_of(path)
    assert "Final-Recipient: rfc822; teal@example.org" in text
    assert "The wigeon" in text


def test_a_message_in_quoted_printable_keeps_its_parts(tmp_path: Path) -> None:
    inner = "Subject: Inner\nMIME-Version: 1.0\n" + multipart("mixed", "i", "\nThe godwit words")
    encoded = quopri.encodestring(inner.encode()).decode()
    part = f"Content-Type: message/rfc822\nContent-Transfer-Encoding: quoted-printable\n\n{encoded}"
    path = raw_mail(tmp_path / "a.eml", multipart("mixed", "o", "\nsee", part))
    assert "The godwit words" in text_of(path)
    assert "--i" not in text_of(path)


def test_invitations_are_read_with_their_text(tmp_path: Path) -> None:
    calendar = "BEGIN:VCALENDAR\nSUMMARY:Kick\n off\nEND:VCALENDAR"
    part = f"Content-Type: text/calendar; method=REQUEST\n\n{calendar}"
    path = raw_mail(tmp_path / "a.eml", multipart("alternative", "a", "\nThe plain words", part))
    assert "The plain words" in text_of(path)
    assert "SUMMARY:Kickoff" in text_of(path)


@pytest.mark.parametrize(
    ("raw", "subject"),
    [
        ("Kündigung für Möwenweg".encode("latin-1"), "Kündigung für Möwenweg"),
        ("Rechnung für Bäckerstraße".encode(), "Rechnung für Bäckerstraße"),
        (b"=?gb2312?B?1ey9qMWCtcS6z82s?=", "朱建艂的合同"),
        (b"=?iso-8859-1?Q?don=92t_pay_=8045?= now", "don’t pay €45 now"),
        (b"=?utf-8?B?R3I=?=\n =?utf-8?B?w7zDn2U=?=", "Grüße"),
    ],
)
def test_subjects_are_read_whatever_wrote_them(tmp_path: Path, raw: bytes, subject: str) -> None:
    if b"gb2312" in raw:
        import base64

        raw = b"=?gb2312?B?" + base64.b64encode("朱镕基的合同".encode("gb18030")) + b"?="
        subject = "朱镕基的合同"
    assert facts_of(raw_mail(tmp_path / "a.eml", "\nbody", raw)).title == subject


@pytest.mark.parametrize(
    "date",
    [
        b"Fri, 01 Mar 2024 13:30:00 GMT+0100",
        b"Fri, 01 Mar 2024 13:30:00 +0100",
        b"2024-03-01T12:30:00Z",
        b"2024-03-01 13:30:00+01:00",
    ],
)
def test_dates_in_other_spellings(tmp_path: Path, date: bytes) -> None:
    path = raw_mail(tmp_path / "a.eml", "\nbody", date=date)
    assert facts_of(path).made_at == 1_709_296_200.0


def test_flowed_lines_are_joined(tmp_path: Path) -> None:
    kind = "Content-Type: text/plain; format=flowed{}\n\n"
    joined = raw_mail(tmp_path / "a.eml", kind.format("; delsp=yes") + "Wind \nmill \nhouse\nend\n")
    assert text_of(joined).endswith("Windmillhouse\nend")
    spaced = raw_mail(
        tmp_path / "b.eml", kind.format("") + "> one \n> two\nthree \nfour\n-- \nme\n"
    )
    assert text_of(spaced).endswith("> one two\nthree four\n--\nme")


def test_a_sentence_that_begins_with_from_separates_no_messages(tmp_path: Path) -> None:
    text = (
        "From a@b.c Fri Mar  1 12:30:00 2024\nFrom: a@b.c\nSubject: One\n\nHello.\n\n"
        "From Monday the shop opens at 08:30 in 2024.\n\nFrom 12:00 to 13:00 we rest.\n\n"
        "From d@e.f Fri, 01 Mar 2024 12:30:00 +0000\nFrom: d@e.f\nSubject: Two\n\nBye.\n"
    )
    path = written(tmp_path / "a.mbox", text)
    assert [page.label for page in words_of(path)] == ["One", "Two"]
    assert "From Monday the shop" in words_of(path)[0].text


# The beginning of an enveloped message, as `openssl smime -encrypt` writes it.
CMS = """MIIB2AYJKoZIhvcNAQcDoIIByTCCAcUCAQAxggFAMIIBPAIBADAkMAwxCjAIBgNV
BAMMAWECFBTUR/A7cwEvYKnwaPjf5XCCUerGMA0GCSqGSIb3DQEBAQUABIIBALPc
"""


@pytest.mark.parametrize("encoding", ["base64", "7bit"])
def test_an_encrypted_message_says_so_and_its_letters_are_no_words(
    tmp_path: Path, encoding: str
) -> None:
    head = (
        'Content-Type: application/pkcs7-mime; smime-type=enveloped-data; name="smime.p7m"\n'
        f"Content-Transfer-Encoding: {encoding}\n\n"
    )
    path = written(tmp_path / "a.eml", HEAD + head + CMS)
    assert "Odd" in text_of(path)
    assert "MIIB2AYJKoZIhvcNAQcDoIIByTCCAcUCAQAxggFAMIIBPAIBADAkMAwxCjAIBgNV" not in text_of(path)
    [note] = facts_of(path).notes
    assert note.code is NoteCode.ATTACHMENT_UNREAD
    assert "encrypted, or wrapped in its signature, which is not read; open it" in note.sentence
    assert detect_format(written(tmp_path / "invoice.pdf.p7m", CMS)) is None
    assert detect_format(written(tmp_path / "mail.p7m", HEAD + head + CMS)) == "mail"


def test_a_message_encrypted_with_openpgp_says_so(tmp_path: Path) -> None:
    head = 'Content-Type: multipart/encrypted; protocol="application/pgp-encrypted"; boundary=x\n'
    parts = (
        "\n--x\nContent-Type: application/pgp-encrypted\n\nVersion: 1\n"
        '--x\nContent-Type: application/octet-stream; name="encrypted.asc"\n\n'
        "-----BEGIN PGP MESSAGE-----\n\nhQEMA1234567890abcAQf9Gx\n-----END PGP MESSAGE-----\n"
    )
    path = written(tmp_path / "a.eml", f"{HEAD}{head}{parts}--x--\n")
    assert "hQEMA" not in text_of(path)
    assert [note.sentence for note in facts_of(path).notes] == [ENCRYPTED]
    inline = written(tmp_path / "b.eml", HEAD + parts.rpartition('asc"\n')[2])
    assert [note.sentence for note in facts_of(inline).notes] == [ENCRYPTED]
    about = written(tmp_path / "c.eml", f"{HEAD}\nIt began with -----BEGIN PGP MESSAGE-----.\n")
    assert facts_of(about).notes == ()
