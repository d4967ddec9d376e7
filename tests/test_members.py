"""Attachments are items of their own: found as what they are, living as long as what holds them."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
import soundfile
from PIL import Image as Picture

from indexer.catalog.conditions import FIRST, LIVE, PLACES, reached
from indexer.catalog.forget_list import ForgetList
from indexer.catalog.queue import Queue
from indexer.catalog.records import Item
from indexer.extract.pages.mupdf import pymupdf
from indexer.maintenance.rebuild import open_catalog
from indexer.maintenance.verify import Verifier
from indexer.scan.reconcile import reconcile
from indexer.types.notes import NoteCode
from indexer.types.pieces import UnreadableError
from indexer.types.places import Kind, Page, Span
from indexer.types.scope import Scope
from model.interface import Image, Sound
from tests.documents import docx, eml, message
from tests.fake_model import FakeModel
from tests.kills import compare_with_fresh
from tests.library import READER, Small, small, write


@pytest.fixture
def apart(tmp_path: Path) -> Path:
    """A folder that nobody watches: a photo, a recording, a PDF of two pages, and a letter."""
    folder = tmp_path / "apart"
    folder.mkdir()
    Picture.new("RGB", (320, 240), (250, 5, 5)).save(folder / "beach.png")
    sound = 0.5 * np.sin(2 * np.pi * 900 * np.arange(48_000) / 16_000)
    soundfile.write(folder / "memo.flac", sound.astype(np.float32), 16_000)
    with pymupdf.open() as paper:
        for line in ("The boat was paid for.", "The money lies by the river."):
            paper.new_page().insert_text((72, 72), line)
        paper.save(folder / "receipt.pdf")
    docx(folder / "report.docx")
    return folder


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Small]:
    with small(tmp_path / "lib", tmp_path / "data") as library:
        yield library


def found(library: Small, name: str) -> Item | None:
    """The live item that has this name, as a file or attached."""
    return next((item for item in all_of(library) if item.name == name), None)


def all_of(library: Small) -> list[Item]:
    with library.catalog.database.reading() as db:
        contents = [row["content"] for row in db.execute("SELECT content FROM contents")]
    return list(library.catalog.items.of_contents(contents).values())


def held(library: Small, name: str) -> Item:
    item = found(library, name)
    assert item is not None, name
    return item


def whole(library: Small) -> None:
    """At rest, the index is the one from scratch, and nothing in it is damaged."""
    assert compare_with_fresh(library).good, compare_with_fresh(library)
    assert Verifier(library.catalog, library.store).check(deep=True).defects == []


def test_each_is_found_as_what_it_is(library: Small, apart: Path) -> None:
    mail = eml(library.folder / "keys.eml", *sorted(apart.iterdir()))
    library.service.run_once()
    assert {item.name: item.kind for item in all_of(library)} == {
        "keys.eml": Kind.DOCUMENT, "beach.png": Kind.PHOTO, "memo.flac": Kind.RECORDING,
        "receipt.pdf": Kind.DOCUMENT, "report.docx": Kind.DOCUMENT,
    }  # fmt: skip
    outer = held(library, "keys.eml")
    assert outer.pages == 1
    for name in ("beach.png", "memo.flac", "receipt.pdf", "report.docx"):
        item = held(library, name)
        assert item.path == mail
        assert item.state == "understood"
        assert item.size_bytes == (apart / name).stat().st_size
        assert item.location.container == outer.item
        assert item.location.container_title == "The keys"
        assert item.modified_at == (outer.made_at if item.member else None)
    photo, sound = held(library, "beach.png"), held(library, "memo.flac")
    assert (photo.title, photo.width_px, photo.thumb) == ("beach", 320, (320, 240))
    assert sound.duration_s == 3.0
    rows = {content: (place, text) for content, _, _, place, text in library.rows()}
    assert rows[photo.content] == (None, "A red picture.")
    assert rows[sound.content] == ({"start_s": 0.0, "end_s": 3.0}, "A loud high sound.")
    assert (held(library, "receipt.pdf").pages, held(library, "report.docx").title) == (
        2, "The harbour report",
    )  # fmt: skip
    # in the order they were attached
    assert [item.name for item in library.catalog.items.members(outer.content)] == [
        "beach.png", "memo.flac", "receipt.pdf", "report.docx",
    ]  # fmt: skip
    assert library.catalog.items.search_names("beach", 5) == [photo.content]
    whole(library)


def test_filters_and_counts_know_them(library: Small, apart: Path, tmp_path: Path) -> None:
    library.write("mails/note.txt", "A garden.")
    eml(library.folder / "mails" / "keys.eml", *sorted(apart.iterdir()))
    library.service.run_once()
    catalog = library.catalog
    photo = held(library, "beach.png").content
    assert catalog.scopes.contents(Scope(kinds=frozenset({Kind.PHOTO}))) == {photo}
    assert photo in (
        catalog.scopes.contents(Scope(folders=frozenset({library.folder / "mails"}))) or set()
    )
    assert (
        catalog.scopes.contents(
            Scope(folders=frozenset({library.folder / "elsewhere"}), kinds=frozenset({Kind.PHOTO}))
        )
        == set()
    )
    sent = datetime(2024, 3, 1, 12, 30, tzinfo=UTC).timestamp()  # when it came, not when saved
    assert photo in (catalog.scopes.contents(Scope(after=sent - 1, before=sent + 1)) or set())
    assert catalog.scopes.contents(Scope(kinds=frozenset({Kind.PHOTO}), after=sent + 1)) == set()
    assert catalog.items.search_names("beach", 5, {Kind.RECORDING}) == []
    # a list of files stays one; of a kind, what is attached is counted with it
    assert catalog.counts.coverage()["files"] == catalog.files.count() == 2
    for folder in (None, library.folder / "mails"):
        assert catalog.counts.coverage({Kind.PHOTO}, folder) == {
            "files": 1, "read": 1, "understood": 1, "failed": 0,
        }  # fmt: skip


def test_a_mail_is_understood_when_its_attachments_are(library: Small, apart: Path) -> None:
    mail = eml(library.folder / "keys.eml", apart / "beach.png")
    reconcile(library.catalog)
    assert library.pipeline.reading.run() == 1
    with library.catalog.database.writing() as db:  # as when the mail's turn comes first
        db.execute("UPDATE contents SET state = 'understood' WHERE kind = 'document'")
    row = library.catalog.files.at_path(mail)
    assert row is not None
    assert row.state == "read"
    assert library.catalog.counts.waiting() == 1
    assert library.catalog.counts.coverage()["understood"] == 0


def test_the_same_bytes_are_one_item(library: Small, apart: Path) -> None:
    box = [message(f"Number {n}", "See this.", apart / "beach.png") for n in range(2)]
    first_line = b"From a@b.c Fri Mar  1 12:30:00 2024\n"
    lines = b"".join(first_line + bytes(letter) + b"\n" for letter in box)
    (library.folder / "archive.mbox").write_bytes(lines)
    mail = eml(library.folder / "keys.eml", apart / "beach.png", apart / "beach.png")
    library.service.run_once()
    photo = held(library, "beach.png")
    assert [(at.path.name, at.member.ordinal) for at in photo.locations if at.member] == [
        ("archive.mbox", 1), ("archive.mbox", 2), ("keys.eml", 1), ("keys.eml", 2),
    ]  # fmt: skip
    assert [text for *_, text in library.rows()].count("A red picture.") == 1
    library.write("note.txt", "A garden.")
    library.service.run_once()
    calls = library.model.calls
    # a file with the same bytes: nothing is asked again, and the file comes first
    copy = library.folder / "saved.png"
    shutil.copy(apart / "beach.png", copy)
    library.service.run_once()
    assert library.model.calls == calls
    photo = held(library, "saved.png")
    assert photo.member is None
    assert photo.paths == (copy, library.folder / "archive.mbox", mail)
    whole(library)
    # one holder after the other goes
    for gone, left in ((copy, 2), (library.folder / "archive.mbox", 1)):
        gone.unlink()
        library.service.run_once()
        assert held(library, "beach.png").content == photo.content
        assert len(held(library, "beach.png").paths) == left
    assert library.model.calls == calls
    mail.unlink()
    library.service.run_once()
    assert [item.name for item in all_of(library)] == ["note.txt"]
    assert [text for *_, text in library.rows()] == ["A garden."]
    whole(library)


def test_a_mail_and_a_file_of_one_batch_give_one_content(library: Small, apart: Path) -> None:
    shutil.copy(apart / "receipt.pdf", library.folder / "a.pdf")
    eml(library.folder / "keys.eml", apart / "receipt.pdf")
    eml(library.folder / "more.eml", apart / "receipt.pdf", apart / "beach.png")
    library.service.run_once()
    assert len(held(library, "a.pdf").locations) == 3
    assert len([row for row in library.rows() if row[4].startswith("The boat was")]) == 1
    whole(library)


def test_what_is_gone_with_the_mail_is_gone_at_once(library: Small, apart: Path) -> None:
    mail = eml(library.folder / "keys.eml", apart / "beach.png", apart / "receipt.pdf")
    library.service.run_once()
    assert library.found("paid") == [mail]
    calls = library.model.calls
    renamed = mail.rename(library.folder / "other.eml")
    library.service.run_once()
    assert library.found("paid") == [renamed]
    assert library.model.calls == calls, "a rename costs nothing"
    renamed.unlink()
    reconcile(library.catalog)  # and nothing is tidied yet
    assert library.found("paid") == []
    assert library.catalog.items.search_names("beach", 5) == []


def test_members_follow_a_mail_that_changes(library: Small, apart: Path) -> None:
    mail = eml(library.folder / "draft.eml", apart / "beach.png", apart / "receipt.pdf")
    library.service.run_once()
    calls = library.model.calls
    mail.write_bytes(bytes(message("Draft", "Now this.", apart / "memo.flac", apart / "beach.png")))
    library.service.run_once()
    assert {item.name for item in all_of(library)} == {"draft.eml", "memo.flac", "beach.png"}
    assert (
        held(library, "beach.png").location.member
        == library.catalog.items.members(held(library, "draft.eml").content)[1].member
    )
    assert library.model.calls == calls + 2, "the mail and the recording, not the photo again"
    whole(library)


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_kill_at_the_flip_leaves_all_or_nothing(
    tmp_path: Path, apart: Path, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    class Killed(BaseException):
        """Nothing of ours catches it."""

    real = Queue.finish_reading

    def dying(self: Queue, *given: object) -> object:
        if when == "after":
            real(self, *given)  # type: ignore[arg-type]
        raise Killed

    with small(tmp_path / "lib", tmp_path / "data") as library:
        eml(library.folder / "keys.eml", *sorted(apart.iterdir()))
        monkeypatch.setattr(Queue, "finish_reading", dying)
        with pytest.raises(Killed):
            library.service.run_once()
        assert len(all_of(library)) == (0 if when == "before" else 5)
        monkeypatch.undo()
    with small(tmp_path / "lib", tmp_path / "data") as library:
        library.service.run_once()
        assert len(all_of(library)) == 5
        whole(library)


def test_what_the_model_cannot_make_of_one_is_told_of_the_mail(tmp_path: Path, apart: Path) -> None:
    broken = write(apart / "odd.txt", "A garden, and xyzzy.")
    with small(tmp_path / "lib", tmp_path / "data", FakeModel(broken="xyzzy")) as library:
        mail = eml(library.folder / "keys.eml", apart / "beach.png", broken)
        library.service.run_once()
        assert held(library, "beach.png").state == "understood"
        assert held(library, "odd.txt").state == "failed"
        row = library.catalog.files.at_path(mail)
        assert row is not None
        assert row.state == "understood"
        assert [note.code for note in row.notes] == [NoteCode.NOT_UNDERSTOOD]
        sentence = row.notes[0].sentence
        assert sentence.startswith("The attachment “odd.txt” was not understood. The model")
        library.model._broken = ""
        assert library.catalog.files.retry() == 1
        library.service.run_once()
        assert held(library, "odd.txt").state == "understood"
        row = library.catalog.files.at_path(mail)
        assert row is not None
        assert row.notes == ()


def test_fault_94_a_mail_is_forgotten_with_what_came_in_it_alone(
    library: Small, apart: Path
) -> None:
    mail = eml(library.folder / "keys.eml", apart / "beach.png", apart / "receipt.pdf")
    shutil.copy(apart / "receipt.pdf", library.folder / "mine.pdf")
    library.service.run_once()
    forgotten = ForgetList(library.catalog.database)
    assert forgotten.add_path(mail) == [mail]
    assert {item.name for item in all_of(library)} == {"mine.pdf"}
    library.pipeline.housekeeping.erase(everything=True)
    library.service.run_once()
    assert {item.name for item in all_of(library)} == {"mine.pdf"}
    assert b"beach" not in library.catalog.file.read_bytes()
    whole(library)
    assert forgotten.remember(mail, held(library, "mine.pdf").content) == 1  # by its path
    assert forgotten.remember(None, None) == 1
    library.service.run_once()
    assert {item.name for item in all_of(library)} == {"keys.eml", "beach.png", "mine.pdf"}


def test_fault_94_an_attachment_is_forgotten_by_itself(library: Small, apart: Path) -> None:
    mail = eml(library.folder / "keys.eml", apart / "beach.png", apart / "receipt.pdf")
    library.service.run_once()
    photo = held(library, "beach.png")
    forgotten = ForgetList(library.catalog.database)
    assert forgotten.add_content(photo.content) == []
    library.pipeline.housekeeping.erase(everything=True)
    assert found(library, "beach.png") is None
    assert held(library, "receipt.pdf").path == mail, "the mail and the others stay"
    assert library.catalog.items.search_names("beach", 5) == []
    whole(library)
    # wherever it turns up
    shutil.copy(apart / "beach.png", library.folder / "again.png")
    eml(library.folder / "again.eml", apart / "beach.png")
    library.service.run_once()
    assert {item.kind for item in all_of(library)} == {Kind.DOCUMENT}
    whole(library)
    # and until it is remembered, by the mail
    content = held(library, "keys.eml").content
    assert forgotten.remember(mail, content) == 1
    library.service.run_once()
    assert mail in held(library, "beach.png").paths
    assert library.folder / "again.eml" in held(library, "beach.png").paths


def test_what_is_damaged_of_one_is_made_again(library: Small, apart: Path) -> None:
    eml(library.folder / "keys.eml", *sorted(apart.iterdir()))
    library.service.run_once()
    receipt, photo = held(library, "receipt.pdf"), held(library, "beach.png")
    assert receipt.read_generation is not None
    library.store.remove([receipt.read_generation])
    with library.catalog.database.writing() as db:
        db.execute("UPDATE thumbs SET webp = x'00' WHERE content = ?", (photo.content,))
        db.execute("DELETE FROM names WHERE rowid < 0")
    verifier = Verifier(library.catalog, library.store)
    assert {fault.code for fault in verifier.check().defects} == {"read", "thumb", "names"}
    verdict = verifier.repair()
    assert verdict.again
    library.service.run_once()
    assert library.catalog.items.search_names("beach", 5) != []
    assert len(library.found("paid")) == 1
    whole(library)


def test_a_lost_catalog_takes_them_over(tmp_path: Path, apart: Path) -> None:
    with small(tmp_path / "lib", tmp_path / "data") as library:
        eml(library.folder / "keys.eml", *sorted(apart.iterdir()))
        library.service.run_once()
        items = {item.item for item in all_of(library)}
    for file in (tmp_path / "data").glob("catalog.sqlite*"):
        file.unlink()
    open_catalog(tmp_path / "data" / "catalog.sqlite").close()
    with small(tmp_path / "lib", tmp_path / "data") as library:
        library.service.run_once()
        assert library.model.calls == 0
        assert {item.item for item in all_of(library)} == items
        whole(library)


def test_mails_of_an_older_version_are_read_again(tmp_path: Path, apart: Path) -> None:
    with small(tmp_path / "lib", tmp_path / "data") as library:
        mail = eml(library.folder / "keys.eml", apart / "receipt.pdf")
        library.service.run_once()
    with sqlite3.connect(tmp_path / "data" / "catalog.sqlite") as db:  # as it was read before
        db.create_function("name_words", 1, lambda path: "words", deterministic=True)
        db.execute("UPDATE contents SET extractor = 2")
        db.execute("DELETE FROM members")
    db.close()
    with small(tmp_path / "lib", tmp_path / "data") as library:
        library.service.run_once()
        assert held(library, "receipt.pdf").path == mail
        whole(library)


def test_no_question_goes_through_all_files(library: Small) -> None:
    """What every search asks is looked up by an index, however many files there are."""
    live = f"FROM {PLACES} f JOIN roots r ON r.id = f.root WHERE {LIVE}"
    questions = (
        f"SELECT f.path {live} ORDER BY {FIRST}",
        f"SELECT 1 FROM contents c WHERE c.read_generation IN ('a', 'b') AND {reached(LIVE)}",
    )
    with library.catalog.database.reading() as db:
        for question in questions:
            plan = db.execute(f"EXPLAIN QUERY PLAN {question}", {"contents": "[]"}).fetchall()
            steps = "\n".join(row["detail"] for row in plan)
            assert steps.count("SEARCH f USING INDEX files_content (content=?)") == 2, steps
            assert steps.count("SEARCH m USING INDEX members_content (content=?)") == 1, steps
            assert "files_state" not in steps
            assert "files_audited" not in steps


def test_places_are_those_of_the_attachment(library: Small, apart: Path) -> None:
    mail = eml(library.folder / "keys.eml", apart / "memo.flac", apart / "receipt.pdf")
    library.service.run_once()
    receipt, sound = held(library, "receipt.pdf"), held(library, "memo.flac")
    reader = READER
    page = reader.original(mail, Page(2), 400, receipt.member)
    alone = reader.original(apart / "receipt.pdf", Page(2), 400)
    assert isinstance(page, Image)
    assert isinstance(alone, Image)
    assert (page.pixels == alone.pixels).all()
    clip = reader.original(mail, Span(1.0, 2.0), member=sound.member)
    assert isinstance(clip, Sound)
    assert clip.samples.size == 16_000
    # another mail in its place has another attachment by that number
    eml(mail, apart / "beach.png", apart / "beach.png")
    with pytest.raises(UnreadableError, match="has changed"):
        reader.original(mail, Page(2), 400, receipt.member)
