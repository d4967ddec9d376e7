"""Files that are not read: status gives the true reason and the cure, over HTTP as elsewhere."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from indexer.types.formats import SUFFIXES
from indexer.types.unread_formats import UNREAD_FORMATS
from tests.served import Running, running, small_library
from web.library.client import Client
from web.library.errors import LibraryError

CURES = {
    "slides.key": "export a Keynote presentation as PowerPoint or PDF",
    "secret.pem": "programs keep keys, passwords",
    "id_rsa": "programs keep keys, passwords",
    "film.mp4.download": "still being written; give it another name",
    "letter.docx.part": "still being written; give it another name",
    "~$letter.docx": "still being written; give it another name",
    "scan.jp2": "a JPEG 2000 picture, which is not read; save it as JPEG",
    "photo.nef": "a raw photo of a camera, which is not read; export it as JPEG",
    "photo.CR3": "a raw photo of a camera, which is not read; export it as JPEG",
    "letters.zip": "an archive, which is not read; unpack it",
    "invoice.pdf.p7m": "encrypted, or wrapped in its signature, which is not read; open it in",
    "letter.txt.p7s": "a signature, which is not read; the file that it belongs to is read",
    "notes.pages": "a Pages document, which is not read; export it as Word or PDF",
    "thing.xyzzy": "not a kind of file Recollect reads yet",
    ".hidden.txt": "begins with a dot; give it another name",
    ".config/a.txt": "the hidden folder “.config”; move it to another one",
    "node_modules/a.txt": "“node_modules”, a folder that programs fill",
    "cached/a.txt": "marked as a cache",
    "drafts/a.txt": ".recollectignore leaves it out; take the line away",
    "deep/inner/left.txt": "deep/.recollectignore leaves it out; take the line away",
    "link.txt": "links are not followed, so add the folder that this lies in",
    "dangling.txt": "which is not there",
    "linked/a.txt": "“linked” on its way is a link; add the folder",
    "pipe.txt": "a pipe, a socket or a device",
    "deep": "It is a folder; name a file in it",
    "nothing.txt": "There is no file of this name; check the name",
}
JPEG_2000 = b"\0\0\0\x0cjP  \r\n\x87\n\0\0\0\x14ftypjp2 \0\0\0\0jp2 "


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    base = tmp_path_factory.mktemp("unread")
    folder, apart = base / "lib", base / "apart"
    for name in CURES:
        path = folder / name
        if name in ("link.txt", "dangling.txt", "linked/a.txt", "pipe.txt", "deep", "nothing.txt"):
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"\0\x01\x02 no format " * 20)
    (folder / "scan.jp2").write_bytes(JPEG_2000 + bytes(200))
    (folder / "photo.nef").write_bytes(b"MM\0*\0\0\0\x08" + bytes(200))
    (folder / "photo.CR3").write_bytes(b"\0\0\0\x18ftypcrx \0\0\0\1crx isom" + bytes(200))
    (folder / "letters.zip").write_bytes(b"PK\5\6" + bytes(18))
    (folder / "cached" / "CACHEDIR.TAG").write_text("Signature: 8a477f597d28d172789f06886806bc55")
    (folder / ".recollectignore").write_text("drafts/\n")
    (folder / "deep" / ".recollectignore").write_text("left.*\n")
    (folder / "a.txt").write_text("A boat lies in the river.")
    apart.mkdir()
    (apart / "a.txt").write_text("Far from here.")
    (folder / "link.txt").symlink_to(apart / "a.txt")
    (folder / "dangling.txt").symlink_to(apart / "b.txt")
    (folder / "linked").symlink_to(apart)
    os.mkfifo(folder / "pipe.txt")
    with small_library(folder, base / "data") as library, running(library) as server:
        yield server


def sentence_of(served: Running, path: Path) -> str:
    with served.program() as api:
        answer = api.get("/api/files", params={"path": str(path)}).json()
    return str(answer["error"] if "error" in answer else answer["files"][0])


def in_the_terminal(served: Running, path: Path) -> str:
    with Client(served.url, served.token) as terminal:
        try:
            return str(terminal.file(str(path))["sentence"])
        except LibraryError as problem:
            return problem.sentence


@pytest.mark.parametrize("name", CURES)
def test_a_file_that_is_not_read_has_its_true_reason_and_a_cure(served: Running, name: str) -> None:
    path = Path(served.library.roots()[0]["path"]) / name
    sentence = sentence_of(served, path)
    assert CURES[name] in sentence
    assert "add its folder first" not in sentence
    assert in_the_terminal(served, path) in sentence


def test_a_file_outside_of_every_folder_and_a_forgotten_one_say_so(served: Running) -> None:
    folder = Path(served.library.roots()[0]["path"])
    assert "add its folder first" in sentence_of(served, folder.parent / "apart" / "a.txt")
    (folder / "secret plan.txt").write_text("Nobody is to know.")
    served.library.index()
    served.library.forget(str(folder / "secret plan.txt"))
    assert "`recollect remember" in sentence_of(served, folder / "secret plan.txt")
    (folder / "later.txt").write_text("Just saved.")
    assert "It was not seen yet" in sentence_of(served, folder / "later.txt")


def test_no_suffix_is_read_by_one_table_and_refused_by_another() -> None:
    suffixes = [suffix for unread in UNREAD_FORMATS for suffix in unread.suffixes.split()]
    assert len(suffixes) == len(set(suffixes))
    read = {suffix for names in SUFFIXES.values() for suffix in names.split()}
    # films and disks have the suffixes of TypeScript and VHDL
    assert read & set(suffixes) == {".ts", ".vhd"}
    assert all(unread.sentence.startswith("This is ") for unread in UNREAD_FORMATS)
