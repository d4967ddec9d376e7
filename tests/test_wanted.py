"""What a person looks at is understood next; driven through the running server."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from pydantic import ValidationError

from indexer.catalog.storage.database import Database
from indexer.ingest.service import SETTLE_S
from indexer.scan.reconcile import reconcile
from recollect import main
from tests.fake_model import Patient
from tests.library import one_at_a_time, small, until
from tests.served import Running, running, small_library
from web.machine.settings import Settings


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Running, Patient]]:
    one_at_a_time(monkeypatch)
    model = Patient()
    (tmp_path / "lib").mkdir()
    with small_library(tmp_path / "lib", tmp_path / "data", model) as library:
        for n in range(8):
            (tmp_path / "lib" / f"{n}.txt").write_text(f"otter {n}")
            time.sleep(0.01)
        time.sleep(SETTLE_S)  # so that all are read in one go, the newest first
        with running(library) as server:
            library.service.start()
            try:
                yield server, model
            finally:
                model.turn.release(1000)
                library.service.stop()


def test_found_and_opened_files_are_understood_next(served: tuple[Running, Patient]) -> None:
    server, model = served
    with server.program() as api:
        until(lambda: api.get("/api/status").json()["coverage"]["read"] == 8)
        assert model.asked.wait(60)  # the first one, the newest, is with the model
        hits = api.get("/api/search", params={"q": "3", "by": "words"}).json()["hits"]
        assert [hit["title"] for hit in hits] == ["3"]
        time.sleep(0.01)
        assert api.get(f"/api/items/{server.item('1.txt')}").json()["state"] == "read"
        model.turn.release(8)
        until(lambda: api.get("/api/status").json()["coverage"]["understood"] == 8)
        row = api.get("/api/files", params={"path": str(hits[0]["path"])}).json()["files"][0]
        assert row["state"] == "understood"
    order = [text for text in model.given if text.startswith("otter")]
    assert order[1:3] == ["otter 1", "otter 3"], "opened last, then found; the rest is newest first"
    assert order[3:] == sorted(order[3:], reverse=True)


def test_a_path_that_is_not_there_is_never_shown(served: tuple[Running, Patient]) -> None:
    server, model = served
    model.turn.release(1000)
    with server.program() as api:
        until(lambda: api.get("/api/status").json()["coverage"]["read"] == 8)
        item = server.item("5.txt")
        server.library.service.stop()  # nothing is noticed from here on
        folder = Path(server.library.roots()[0]["path"])
        (folder / "5.txt").rename(folder / "new name.txt")
        assert api.get("/api/search", params={"q": "5", "by": "words"}).json()["hits"] == []
        assert api.get(f"/api/items/{item}").status_code == 404
        server.library.service.start()
        until(lambda: api.get("/api/search", params={"q": "5", "by": "words"}).json()["hits"])
        [hit] = api.get("/api/search", params={"q": "5", "by": "words"}).json()["hits"]
        assert hit["path"].endswith("new name.txt")
        assert api.get(f"/api/items/{item}").json()["path"] == hit["path"]


def test_losses_and_limits_over_the_api(served: tuple[Running, Patient], tmp_path: Path) -> None:
    server, model = served
    model.turn.release(1000)
    with server.program() as api:
        assert api.post("/api/accept", json={"path": None}).json() == {"accepted": 0}
        refused = api.post("/api/accept", json={"path": str(tmp_path / "nowhere")})
        assert refused.status_code == 422
        assert "not a watched folder" in refused.json()["error"]["sentence"]
        assert api.get("/api/files", params={"path": "/nowhere"}).status_code == 422
        assert "node_modules" in api.get("/api/excludes").json()["folders"]
        status = api.get("/api/status").json()
        assert status["waiting"] is None
        assert status["problem"] is None
        assert status["watching"]["unwatched"] == []
        assert status["roots"][0]["network"] is None


@pytest.mark.slow
def test_losses_limits_and_states_on_the_command_line(tmp_path: Path) -> None:
    data, folder = tmp_path / "data", tmp_path / "lib"
    (folder / "many").mkdir(parents=True)
    for n in range(60):
        (folder / "many" / f"{n}.txt").write_text(f"otter {n}")
    (folder / "one.txt").write_text("walrus")

    def recollect(*words: str | Path, code: int = 0) -> str:
        result = CliRunner().invoke(main, ["--data", str(data), *map(str, words)])
        assert result.exit_code == code, result.output
        return result.output

    recollect("index", folder)
    assert "read and understood" in recollect("status", folder / "one.txt")
    assert "not in the library" in recollect("status", folder / "no.txt", code=1)
    for n in range(60):
        (folder / "many" / f"{n}.txt").unlink()
    output = recollect("index")
    assert " 0 gone" in output
    assert "60 files went missing at once" in output
    assert "`recollect accept`" in recollect("status")
    assert "missing, hidden and kept" in recollect("status", folder / "many/1.txt")
    assert "60 files went missing" in recollect("doctor", code=1)
    assert "60 to be forgotten" in recollect("accept", folder)
    assert "60 gone" in recollect("index")
    assert "files went missing" not in recollect("roots")


def test_what_is_wanted_voids_no_count(tmp_path: Path) -> None:
    """A search by words would count every file of the library again."""
    with small(tmp_path / "lib", tmp_path / "data") as library:
        file = library.write("a.txt", "A boat.")
        reconcile(library.catalog)
        library.pipeline.reading.run()
        item = library.catalog.items.at_path(file)
        assert item is not None
        catalog = library.catalog
        version = catalog.database.version()
        for at in (1e9, 2e9):
            catalog.items.want({item.item: at})
            assert catalog.database.version() == version
            with catalog.database.reading() as db:
                assert db.execute("SELECT wanted_at FROM contents").fetchone()[0] == at
        catalog.database.keep_note("test", "1")
        changed = catalog.database.version()
        assert changed != version
        catalog.items.want({item.item: 3e9})
        assert catalog.database.version() == changed
        with Database(catalog.file).writing() as db:  # as another process
            db.execute("DELETE FROM notes WHERE name = 'test'")
        assert catalog.database.version() not in (version, changed)


def test_wrong_hours_are_explained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECOLLECT_UNDERSTAND_HOURS", "at night")
    with pytest.raises(ValidationError, match="write it like 22-6"):
        Settings(data=tmp_path)
    monkeypatch.setenv("RECOLLECT_UNDERSTAND_HOURS", "22-6")
    assert Settings(data=tmp_path).understand_hours == "22-6"
