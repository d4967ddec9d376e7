"""What goes wrong, from the command line: each ends in a sentence a person understands, and
everything else is still indexed."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from indexer.extract.pages.mupdf import pymupdf
from tests.conftest import Indexed, Served, serve, stop, verb


def _write_all(folder: Path) -> None:
    folder.mkdir()
    (folder / "good.txt").write_text("The spare key is under the blue pot.\n")
    (folder / "empty.txt").write_bytes(b"")
    (folder / "empty.pdf").write_bytes(b"")
    with pymupdf.open() as document:
        document.new_page().insert_text((72, 72), "The lease ends in May.")
        whole = document.tobytes()
        document.save(
            folder / "locked.pdf", encryption=pymupdf.PDF_ENCRYPT_AES_256, user_pw="secret"
        )
    (folder / "cut off.pdf").write_bytes(whole[: len(whole) // 3])
    (folder / "not a picture.png").write_text("These words pretend to be a picture of a zebra.\n")
    soundfile.write(folder / "no sound.wav", np.zeros(0, np.float32), 16_000)
    nans = np.full(32_000, np.nan, np.float32)
    soundfile.write(folder / "nans.wav", nans, 16_000, subtype="FLOAT")
    odd = os.fsencode(folder) + b"/line\nbreak and \xff byte.txt"
    Path(os.fsdecode(odd)).write_text("An oddly named file about quaggas.\n")


@pytest.fixture(scope="module")
def spoiled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    base = tmp_path_factory.mktemp("spoiled")
    made = Indexed(base / "folder", base / "data")
    _write_all(made.folder)
    result = json.loads(verb("index", made.folder, "--json", data=made.data))
    assert result["coverage"]["files"] == result["added"]
    running = serve("serve", library=made)
    yield running
    stop(running)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("empty.txt", "empty"),
        ("empty.pdf", "empty"),
        ("locked.pdf", "locked with a password"),
        ("cut off.pdf", "damaged|cut off|incomplete"),
        ("no sound.wav", "empty"),
    ],
)
def test_a_file_that_cannot_be_read_has_a_reason(spoiled: Served, name: str, sentence: str) -> None:
    status = json.loads(verb("status", "--json", data=spoiled.library.data))
    (failure,) = [failure for failure in status["failed"] if Path(failure["path"]).name == name]
    assert set(failure) == {"path", "reason", "sentence", "attempts"}
    assert any(part in failure["sentence"] for part in sentence.split("|")), failure["sentence"]
    assert failure["sentence"].endswith(".")
    assert failure["reason"]


def test_everything_else_is_found(spoiled: Served) -> None:
    for words, name in (
        ("spare key", "good.txt"),
        ("zebra", "not a picture.png"),
        ("quaggas", r"line\nbreak and \xff byte.txt"),
    ):
        result = json.loads(
            verb("search", words, "--kind", "document", "--json", data=spoiled.library.data)
        )
        path = result["hits"][0]["path"].encode("unicode_escape").decode().replace("\\\\", "\\")
        assert path.endswith(name)
    printed = verb("search", "quaggas", data=spoiled.library.data)
    assert r"line\nbreak" in printed  # a name cannot break the terminal's line


def test_a_recording_of_nans_is_silence_and_no_failure(spoiled: Served) -> None:
    status = json.loads(verb("status", "--json", data=spoiled.library.data))
    assert "nans.wav" not in {Path(failure["path"]).name for failure in status["failed"]}
    coverage = status["coverage"]
    assert coverage["files"] == coverage["understood"] + coverage["failed"]
    result = json.loads(verb("search", "nans", "--json", data=spoiled.library.data))
    assert [hit["kind"] for hit in result["hits"] if hit["title"] == "nans"] == ["recording"]


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    output = verb("index", tmp_path / "nowhere", data=tmp_path / "data", code=1)
    assert "There is no folder" in output
    assert "Traceback" not in output


def test_a_port_in_use(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        output = verb("serve", "--port", str(port), data=tmp_path / "data", code=1)
    assert f"Port {port} is already in use. Choose another with --port." in output


def test_a_second_server_on_the_same_data(spoiled: Served) -> None:
    output = verb("serve", "--port", "0", data=spoiled.library.data, code=1)
    assert f"process {spoiled.process.pid}" in output
    assert spoiled.url in output
    output = verb("remove", spoiled.library.folder / "x", data=spoiled.library.data, code=1)
    assert "not a watched folder" in output
