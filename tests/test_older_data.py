"""A data directory that an older program wrote: opened, searched, brought up to date, proved.

`tests/data/before_wings.zip` was made at commit 51c9949 by `recollect --data data index files`,
with the model that ships. It holds the data directory, the five files it was made of, and a
config.toml with every setting of then. The files have since moved to another folder: the one path
that the catalog keeps in full, a root's, is rewritten here with that folder's device and inode, and
so is the same path in `chosen.json`.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from indexer.extract.process.reader import ReaderProcess
from tests.conftest import ENVIRONMENT, ROOT, Indexed, serve, stop, verb

ARCHIVE = Path(__file__).parent / "data" / "before_wings.zip"
NAMES = ["late.png", "lease.pdf", "minutes.eml", "note.txt", "pottery.wav"]


@pytest.fixture
def older(tmp_path: Path) -> Indexed:
    """The data directory and its files, unpacked, the root pointing at where the files are now."""
    shutil.unpack_archive(ARCHIVE, tmp_path)
    library = Indexed(tmp_path / "files", tmp_path / "data")
    folder = os.fsencode(library.folder)
    status = library.folder.stat()
    with sqlite3.connect(library.data / "catalog.sqlite") as db:
        db.execute(
            "UPDATE roots SET path = ?, device = ?, inode = ?",
            (folder, status.st_dev, status.st_ino),
        )
    db.close()
    chosen = library.data / "chosen.json"
    known = json.loads(chosen.read_text())
    assert len(known["roots"]) == 1
    chosen.write_text(json.dumps({**known, "roots": [base64.b64encode(folder).decode()]}))
    return library


def results(library: Indexed, *words: str) -> list[dict[str, Any]]:
    answer = json.loads(verb("search", *words, "--json", data=library.data))
    assert "problem" not in answer
    hits: list[dict[str, Any]] = answer["hits"]
    return hits


def names(library: Indexed, *words: str) -> list[str]:
    return [Path(hit["path"]).name for hit in results(library, *words)]


def assert_everything_is_found(library: Indexed) -> None:
    """Words of each kind of file, a caption, a transcript at its second, and one by meaning."""
    assert names(library, "bicycle") == ["note.txt"]
    assert names(library, "1,850") == ["lease.pdf"]
    lamp = results(library, "lighthouse")[0]
    assert Path(lamp["path"]).name == "minutes.eml"
    assert lamp["attached_to"] is not None
    cat = results(library, "orange", "cat")[0]
    assert (Path(cat["path"]).name, cat["source"]) == ("late.png", "caption")
    course = results(library, "pottery", "course")[0]
    assert (Path(course["path"]).name, course["source"]) == ("pottery.wav", "transcript")
    assert course["place"] == {"start_s": 0.24, "end_s": 4.6}
    assert names(library, "ceramics", "lesson") == ["lease.pdf"]  # no word of it: by its vectors


def test_an_older_data_directory_is_searched_as_it_is(older: Indexed) -> None:
    assert_everything_is_found(older)
    status = json.loads(verb("status", "--json", data=older.data))
    assert status["coverage"] == {"files": 5, "read": 5, "understood": 5, "failed": 0}


def test_an_older_data_directory_is_brought_up_to_date_without_the_model(
    older: Indexed, monkeypatch: pytest.MonkeyPatch
) -> None:
    extracted: list[Path] = []
    extract = ReaderProcess.extract

    def counted(self: ReaderProcess, path: Path, *arguments: Any, **named: Any) -> Any:
        extracted.append(path)
        return extract(self, path, *arguments, **named)

    monkeypatch.setattr(ReaderProcess, "extract", counted)
    # Today's extractors read more than those of then, so each file is read once more; what they
    # find is the same, so the model is asked for nothing.
    report = json.loads(verb("index", "--json", data=older.data))
    assert report["model_calls"] == 0
    assert report["coverage"] == {"files": 5, "read": 5, "understood": 5, "failed": 0}
    assert (report["added"], report["gone"]) == (0, 0)
    assert len(extracted) == len(set(extracted)) == report["coverage"]["files"]
    extracted.clear()
    assert json.loads(verb("index", "--json", data=older.data))["model_calls"] == 0
    assert extracted == [], "what has been read anew stays read"
    verdict = json.loads(verb("verify", "--deep", "--json", data=older.data))
    assert verdict["sound"] is True
    assert verdict["faults"] == []
    assert_everything_is_found(older)


def test_a_page_of_an_older_data_directory_opens_and_a_file_is_forgotten(older: Indexed) -> None:
    lease = results(older, "deposit")[0]
    served = serve("serve", library=older)
    try:
        with httpx.Client(
            base_url=served.url, headers={"Authorization": f"Bearer {served.token}"}
        ) as client:
            page = client.get(f"/api/items/{lease['id']}/page/1", params={"w": 400})
            assert page.status_code == 200
            assert page.content[8:12] == b"WEBP"
    finally:
        stop(served)
    verb("forget", str(older.folder / "note.txt"), data=older.data)
    answer = verb("search", "bicycle", "--json", data=older.data, code=3)  # 3: nothing was found
    assert json.loads(answer)["hits"] == []
    assert names(older, "deposit") == ["lease.pdf"]
    assert json.loads(verb("verify", "--json", data=older.data))["sound"] is True


def test_what_was_chosen_outlives_the_older_catalog(older: Indexed) -> None:
    (older.data / "catalog.sqlite").unlink()
    report = json.loads(verb("index", "--json", data=older.data))
    assert report["model_calls"] == 0
    assert report["coverage"]["understood"] == 5
    assert_everything_is_found(older)


def test_every_setting_of_an_older_config_file_is_read(older: Indexed, tmp_path: Path) -> None:
    config = tmp_path / "xdg" / "recollect" / "config.toml"
    config.parent.mkdir(parents=True)
    config.write_text((older.data.parent / "config.toml").read_text())
    code = (
        "from web.machine.settings import load_settings\nprint(load_settings({}).model_dump_json())"
    )
    process = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**ENVIRONMENT, "XDG_CONFIG_HOME": str(tmp_path / "xdg")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(process.stdout) == {
        "data": "DATA",
        "model": "pocket",
        "models": "MODELS",
        "context": 4096,
        "drafter": False,
        "embedding": "int8",
        "port": 7999,
        "rescan_s": 300.0,
        "network_poll_s": 60.0,
        "missing_grace_days": 3.0,
        "audit_days": 14.0,
        "understand_hours": "22-6",
        "understand_on_battery": False,
        "understand_max_load": 0.5,
        "least_free_mb": 250.0,
        "threads": 2,
        "unload_after_s": 900.0,
    }
