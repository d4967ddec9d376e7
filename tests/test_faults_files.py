"""Files that cannot be read, and folders that are not there: over HTTP and in the terminal each
says its fault and what to do about it."""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image as Picture

from indexer.extract.pages.mupdf import pymupdf
from tests.documents import docx, zipped
from tests.served import Running, running, small_library
from tests.test_extract_bombs import tone, wav
from tests.test_extract_office import compound
from web.library.client import Client

PLACEHOLDER_BYTES = 4_321

# The number of the fault, the file, and what its sentence says.
SENTENCES = {
    "36 sparse.txt": "the most that is read; save it in several",
    "37 elsewhere.txt": "it is read once it is here",
    "40 empty.txt": "The file is empty",
    "43 cut off.pdf": "cut off before its end and none of its pages can be read; get a whole copy",
    "43 cut off.docx": "cut off before its end and cannot be opened; get a whole copy",
    "44 locked.pdf": "locked with a password; save it without one",
    "44 locked.docx": "locked with a password; remove the password",
    "45 damaged.pdf": "damaged and none of its pages can be read; get another copy",
    "49 vast.png": "more pixels than Recollect opens (179 million); save a smaller copy",
    "54 drawing.png": "The picture is damaged and cannot be opened; get another copy",
    "56 header.wav": "The sound is empty",
    "60 slow.wav": "The recording is damaged and cannot be opened; get another copy",
    "62 bomb.docx": "unpacks to far more than a document would, so it was left out; if it is",
    "63 zeros.txt": "there is no text in it; give it the suffix of what it is",
}


def write_all(folder: Path) -> None:
    def path(name: str) -> Path:
        return folder / next(file for file in SENTENCES if file.endswith(name))

    folder.mkdir()
    path("sparse.txt").touch()
    os.truncate(path("sparse.txt"), 1 << 40)
    path("elsewhere.txt").write_bytes(b"a" * PLACEHOLDER_BYTES)
    path("empty.txt").touch()
    with pymupdf.open() as document:
        document.new_page().insert_text((72, 72), "The lease ends in May.")
        document.save(path("locked.pdf"), encryption=pymupdf.PDF_ENCRYPT_AES_256, user_pw="secret")
        path("cut off.pdf").write_bytes(document.tobytes()[:200])
    whole = docx(path("cut off.docx"))
    whole.write_bytes(whole.read_bytes()[:4_000])
    path("locked.docx").write_bytes(compound("EncryptionInfo", "EncryptedPackage"))
    path("damaged.pdf").write_bytes(b"%PDF-1.7\n" + b"no objects here\n" * 50 + b"%%EOF\n")
    Picture.new("RGB", (1, 1)).save(path("vast.png"))
    picture = bytearray(path("vast.png").read_bytes())
    picture[16:24] = struct.pack(">II", 30_000, 30_000)
    picture[29:33] = struct.pack(">I", zlib.crc32(picture[12:29]))
    path("vast.png").write_bytes(picture)
    Picture.new("RGB", (90, 60)).save(path("drawing.png"), "EPS")
    wav(path("header.wav"), b"")
    wav(path("slow.wav"), tone(1), rate_hz=8)
    members: dict[str, bytes | str] = {
        "[Content_Types].xml": "<Types/>",
        "word/document.xml": bytes(64 << 20),
    }
    zipped(path("bomb.docx"), members)
    path("zeros.txt").write_bytes(b"words\0\0\0words" + bytes(range(256)))


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    base = tmp_path_factory.mktemp("faults")
    import time

    t = time.time()
    write_all(base / "lib")
    print("WROTE", time.time() - t)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            "indexer.ingest.read.is_elsewhere", lambda status: status.st_size == PLACEHOLDER_BYTES
        )
        with small_library(base / "lib", base / "data") as library, running(library) as server:
            yield server


@pytest.mark.parametrize("name", SENTENCES)
def test_a_file_that_cannot_be_read_says_why_and_what_to_do(served: Running, name: str) -> None:
    path = Path(served.library.roots()[0]["path"]) / name
    with served.program() as api:
        [file] = api.get("/api/files", params={"path": str(path)}).json()["files"]
    assert file["state"] in ("failed", "skipped")
    assert SENTENCES[name] in file["sentence"]
    with Client(served.url, served.token) as terminal:
        assert terminal.file(str(path))["sentence"] == file["sentence"]


def test_a_folder_that_is_not_there_says_so_in_the_browser_and_in_the_terminal(
    served: Running, tmp_path: Path
) -> None:
    share = tmp_path / "share"
    share.mkdir()
    (share / "a.txt").write_text("The boat lies in the river.")
    served.library.add(str(share))
    served.library.index()
    share.rename(tmp_path / "away")
    served.library.index()
    sentence = f"The folder {share} is not there; its one file is remembered."
    with served.program() as api, Client(served.url, served.token) as terminal:
        [root] = [root for root in api.get("/api/roots").json() if root["path"] == str(share)]
        assert root["sentence"] == sentence
        assert [root["sentence"] for root in terminal.roots()][-1] == sentence
    served.library.remove(str(share))
