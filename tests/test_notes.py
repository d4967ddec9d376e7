"""What was read in part has notes: in the status of a file, in the count and list of such files,
and in the viewer; in the terminal as over HTTP."""

from __future__ import annotations

import json
import sqlite3
import zipfile
from collections.abc import Iterator
from contextlib import closing
from itertools import chain
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image as Picture

from indexer.catalog.storage.content_notes import CONTENT_NOTES
from indexer.catalog.storage.schema import MIGRATIONS, migrate
from indexer.types.notes import MAX_NOTES, Note, NoteCode, Notes, notes_from_json
from tests.documents import docx, eml, zipped
from tests.served import Running, running, small_library
from web.cli.output.status import show_files
from web.library.client import Client

DEEP = "<html><title>Zanderkai</title><body>above" + "<b>" * 5_000 + "below</body></html>"
PARTIAL = {
    "deep.html": ("parts_left_out", "more than 256 deep"),
    "dance.gif": ("pictures_left_out", "only the first picture"),
    "keys.eml": ("attachment_unread", "“plans.zip” could not be read: This is an archive"),
    "nested.eml": ("pictures_left_out", "In the attachment “dance.gif”: Of this animation"),
    "report.docx": ("parts_damaged", "is damaged and was not read"),
}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    base = tmp_path_factory.mktemp("notes")
    folder = base / "lib"
    folder.mkdir()
    (folder / "deep.html").write_text(DEEP)
    (folder / "title.html").write_text("<title>Nordhafen prices</title><p>Two a day.</p>")
    frames = [Picture.new("RGB", (200, 200), colour) for colour in ("red", "blue")]
    frames[0].save(folder / "dance.gif", save_all=True, append_images=frames[1:])
    eml(folder / "keys.eml", zipped(base / "plans.zip", {"a.txt": "plan"}))
    eml(folder / "nested.eml", folder / "dance.gif")
    damage(docx(folder / "report.docx"))
    many = zipped(
        folder / "many.docx", {"word/document.xml": "<w/>", "[Content_Types].xml": "<x/>"}
    )
    with zipfile.ZipFile(many, "a") as archive:
        for number in range(20_100):
            archive.writestr(f"word/media/{number}", b"")
    with small_library(folder, base / "data") as library, running(library) as server:
        yield server


def damage(document: Path) -> None:
    """Gives a Word document comments that are no XML."""
    with zipfile.ZipFile(document) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    members["word/_rels/document.xml.rels"] = members["word/_rels/document.xml.rels"].replace(
        b"</Relationships>",
        b'<Relationship Id="rId99" Target="comments.xml" Type="http://schemas.openxmlformats.org/'
        b'officeDocument/2006/relationships/comments"/></Relationships>',
    )
    zipped(document, {**members, "word/comments.xml": b"<w:comments>torn"})


@pytest.fixture
def api(served: Running) -> Iterator[httpx.Client]:
    with served.program() as client:
        yield client


def file_of(api: httpx.Client, served: Running, name: str) -> dict[str, Any]:
    path = Path(served.library.roots()[0]["path"]) / name
    [file] = api.get("/api/files", params={"path": str(path)}).json()["files"]
    return dict(file)


@pytest.mark.parametrize("name", PARTIAL)
def test_a_file_of_which_a_part_was_not_read_says_which(
    api: httpx.Client, served: Running, name: str
) -> None:
    code, phrase = PARTIAL[name]
    file = file_of(api, served, name)
    assert (file["state"], file["sentence"]) == ("understood", None)
    assert [(note["code"], phrase in note["sentence"]) for note in file["notes"]] == [(code, True)]
    assert api.get(f"/api/items/{file['id']}").json()["notes"] == file["notes"]


def test_files_that_were_read_in_part_are_counted_and_listed(
    api: httpx.Client, served: Running, capsys: pytest.CaptureFixture[str]
) -> None:
    assert api.get("/api/status").json()["partial"] == len(PARTIAL)
    page = api.get("/api/files", params={"state": "partial"}).json()
    assert {file["name"] for file in page["files"]} == set(PARTIAL)
    assert page["count"] == len(PARTIAL)
    with Client(served.url, served.token) as terminal:
        files = terminal.files("partial")["files"]
    show_files(files, as_json=True)
    assert json.loads(capsys.readouterr().out) == page["files"]
    show_files(files, as_json=False)
    printed = " ".join(capsys.readouterr().out.split())
    assert all(" ".join(note["sentence"].split()) in printed for f in files for note in f["notes"])


def test_too_many_parts_and_titles_are_what_they_are(api: httpx.Client, served: Running) -> None:
    many = file_of(api, served, "many.docx")
    assert many["state"] == "failed"
    assert "20,102 parts" in many["sentence"]
    assert file_of(api, served, "title.html")["notes"] == []
    [hit] = api.get("/api/search", params={"q": "Nordhafen", "by": "words"}).json()["hits"]
    assert Path(hit["path"]).name == "title.html"


def test_the_notes_of_one_file_are_bounded_and_each_is_kept_once() -> None:
    notes = Notes([Note(NoteCode.SOUND_CUT, "It ends.")] * 3)
    for number in range(100):
        notes.add(NoteCode.ATTACHMENT_UNREAD, f"The attachment {number} could not be read.")
    kept = notes.all()
    assert len(kept) == MAX_NOTES
    assert kept[0].sentence == "It ends."
    assert kept[-1] == Note(NoteCode.MORE, "62 other parts of it were not read either.")


def test_a_sentence_of_an_earlier_catalog_becomes_a_note() -> None:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as db:
        before = MIGRATIONS.index(CONTENT_NOTES)
        for statement in chain.from_iterable(MIGRATIONS[:before]):
            db.execute(statement)
        db.execute(f"PRAGMA user_version = {before}")
        db.execute(
            """INSERT INTO contents(content, item, kind, state, note)
            VALUES ('a', 'a', 'document', 'read', 'Of it, “half” was read.'),
                ('b', 'b', 'document', 'read', NULL)"""
        )
        migrate(db)
        [(written,), nothing] = db.execute("SELECT notes FROM contents ORDER BY content").fetchall()
    note = Note(NoteCode.EARLIER, "Of it, “half” was read.")
    assert notes_from_json(json.loads(written)) == (note,)
    assert nothing == (None,)
