"""The command line, as a newcomer would use it, on the demonstration library and the model that
ships. Each verb runs once as a process; what else it can do is shown without one."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from indexer.catalog.catalog import Catalog
from indexer.catalog.storage.inspection import check_pages
from tests.conftest import ENVIRONMENT, ROOT, Indexed, Served, recollect, verb

COVERAGE = {"files", "read", "understood", "failed"}


def said_json(*words: str | Path, data: Path) -> Any:
    return json.loads(verb(*words, "--json", data=data))


def test_search_json_has_exactly_the_documented_shape(demo_server: Served) -> None:
    result = json.loads(recollect("search", "deposit", "--json", data=demo_server.library.data))
    assert set(result) - {"next_offset"} == {"query", "understood", "hits", "coverage", "took_ms"}
    assert set(result["coverage"]) == COVERAGE
    assert result["hits"]
    for rank, hit in enumerate(result["hits"], start=1):
        assert set(hit) == {
            "rank", "id", "path", "kind", "title", "attached_to", "place", "snippet", "source",
            "score", "also_in",
        }  # fmt: skip
        assert hit["rank"] == rank
        assert Path(hit["path"]).is_file()
        assert hit["source"] in {"text", "caption", "transcript", "name"}
        match hit["kind"]:
            case "document":
                assert set(hit["place"]) == {"page"} or hit["source"] == "name"
            case "recording":
                place = hit["place"]
                assert place is None or 0 <= place["start_s"] < place["end_s"]
            case "photo":
                assert hit["place"] is None


def test_a_list_goes_on_where_it_ended(demo_server: Served) -> None:
    def search(*options: str) -> Any:
        words = "the keys of the flat to Lisbon"
        data = demo_server.library.data
        return json.loads(recollect("search", words, *options, "--json", data=data))

    whole = search("--limit", "4", "--by", "words")
    first = search("--limit", "2", "--by", "words")
    assert first["next_offset"] == 2
    rest = search("--limit", "2", "--offset", "2", "--by", "words")
    assert [*first["hits"], *rest["hits"]] == whole["hits"]


def test_a_search_by_words_loads_no_table_and_no_model(demonstration: Indexed) -> None:
    words = ["--data", str(demonstration.data), "search", "deposit", "--json"]
    command = [sys.executable, "-X", "importtime", "-m", "recollect", *words, "--by", "words"]
    process = subprocess.run(command, env=ENVIRONMENT, cwd=ROOT, capture_output=True, text=True)
    hits = json.loads(process.stdout)["hits"]
    imported = {line.rpartition("|")[2].strip() for line in process.stderr.splitlines()}
    assert "indexer.catalog.catalog" in imported
    assert imported.isdisjoint({"lancedb", "pyarrow", "torch", "transformers", "safetensors"})
    assert hits == said_json("search", "deposit", "--by", "words", data=demonstration.data)["hits"]


def test_status_json_has_exactly_the_documented_shape(demonstration: Indexed) -> None:
    status = said_json("status", data=demonstration.data)
    assert set(status) == {"roots", "coverage", "states", "failed", "partial", "queue", "model"}
    known = {"name", "device", "dtype", "resident_bytes", "calls", "loaded"}
    assert set(status["model"]) == known
    assert status["coverage"]["files"] == status["coverage"]["understood"]
    assert status["queue"] == 0
    assert status["failed"] == []
    assert status["states"] == {"understood": status["coverage"]["files"]}


def test_ask_json_has_exactly_the_documented_shape(demonstration: Indexed) -> None:
    answer = said_json("ask", "How much is the deposit?", data=demonstration.data)
    assert set(answer) == {"question", "answer", "citations", "coverage", "speed"}
    assert set(answer["speed"]) == {
        "first_token_ms", "prompt_tokens", "tokens", "tokens_per_s", "draft_acceptance",
    }  # fmt: skip
    for citation in answer["citations"]:
        assert set(citation) == {
            "n", "id", "path", "kind", "title", "attached_to", "place", "quote", "verified",
            "source", "supports",
        }  # fmt: skip
        assert citation["verified"] is True
        assert f"[{citation['n']}]" in answer["answer"]


# From here on through a running server, as the command line does while one holds the library.


@pytest.mark.parametrize(
    ("kind", "words"), [("document", "deposit"), ("photo", "beach"), ("recording", "landlord")]
)
def test_every_kind_is_found_by_itself(demo_server: Served, kind: str, words: str) -> None:
    result = said_json("search", words, "--kind", kind, data=demo_server.library.data)
    assert result["hits"]
    assert {hit["kind"] for hit in result["hits"]} == {kind}
    for hit in result["hits"]:
        assert (hit["place"] is None) == (kind == "photo")


def test_the_folder_filter_keeps_to_the_folder(demo_server: Served) -> None:
    folder = demo_server.library.folder / "Recordings"
    result = said_json("search", "the", "--in", folder, data=demo_server.library.data)
    assert result["hits"]
    assert all(Path(hit["path"]).is_relative_to(folder) for hit in result["hits"])


def test_dates_filter_and_a_wrong_date_is_explained(demo_server: Served) -> None:
    data = demo_server.library.data
    output = verb("search", "deposit", "--before", "1999-01-01", data=data, code=3)
    assert "Nothing matches" in output
    output = verb("search", "deposit", "--after", "soon", data=data, code=1)
    assert "like 2024-03-14" in output


def test_filters_may_stand_among_the_words(demo_server: Served) -> None:
    data = demo_server.library.data
    plain = said_json("search", "deposit", data=data)
    assert plain["understood"] == []
    [first, *_] = plain["hits"]
    word = first["title"].split()[0].lower()
    without = said_json("search", "deposit", f"-{word}", "type:zebra", data=data)
    labels = [typed["label"] for typed in without["understood"]]
    assert labels == [f"without “{word}”", "type:zebra"]
    assert first["id"] not in {hit["id"] for hit in without["hits"]}
    output = verb("search", "deposit", "ext:zip", "before:never", data=data, code=3)
    assert "Left out: “never” is not a date" in output
    assert "Only .zip." in output
    verb("search", "deposit", "--lmit", "5", data=data, code=2)


def test_search_without_words_is_bad_usage(demo_server: Served) -> None:
    data = demo_server.library.data
    assert "Say what to look for" in verb("search", data=data, code=2)


def test_a_picture_finds_itself_first(demo_server: Served) -> None:
    data, folder = demo_server.library.data, demo_server.library.folder
    picture = next((folder / "Pictures").rglob("*.jpg"))
    result = said_json("search", "--like", picture, data=data)
    assert result["hits"][0]["path"] == str(picture)
    verb("search", "--like", folder / "nothing.png", data=data, code=1)


# And again without one.


@pytest.mark.slow  # tests/test_serving.py shows the same of a running server
def test_renaming_the_folder_calls_no_model_and_keeps_the_links(
    demonstration: Indexed, tmp_path: Path
) -> None:
    library, data = tmp_path / "library", tmp_path / "data"
    shutil.copytree(demonstration.folder / "Documents", library / "Documents")
    first = said_json("index", library, data=data)
    assert first["added"] == first["coverage"]["understood"] > 0
    assert first["model_calls"] > 0
    before = said_json("search", "deposit", data=data)["hits"]
    (library / "Documents").rename(library / "Papers")
    moved = said_json("index", data=data)
    assert moved["moved"] == first["added"]
    assert (moved["added"], moved["gone"], moved["model_calls"]) == (0, 0, 0)
    after = said_json("search", "deposit", data=data)["hits"]
    assert [hit["id"] for hit in after] == [hit["id"] for hit in before]
    assert all("/Papers/" in hit["path"] for hit in after)
    # The watched folder itself under a new name: recognised, still nothing to learn.
    library.rename(tmp_path / "renamed")
    verb("add", tmp_path / "renamed", data=data)
    again = said_json("index", data=data)
    assert again["model_calls"] == 0
    hits = said_json("search", "deposit", data=data)["hits"]
    assert [hit["id"] for hit in hits] == [hit["id"] for hit in before]


def test_roots_add_remove_retry(tmp_path: Path) -> None:
    folder, data = tmp_path / "folder", tmp_path / "data"
    folder.mkdir()
    (folder / "note.txt").write_text("The spare key is under the blue pot.")
    verb("add", folder, data=data)
    [root] = said_json("roots", data=data)
    known = {"path": str(folder), "files": 0, "offline": False, "missing": 0}
    assert {name: root[name] for name in known} == known
    assert said_json("index", data=data)["added"] == 1
    assert said_json("search", "blue pot", data=data)["hits"][0]["place"] == {"page": 1}
    assert "0 to be tried" in verb("retry", data=data)
    assert "has not failed" in verb("retry", folder / "note.txt", data=data, code=1)
    assert "with 1 file." in verb("remove", folder, data=data)
    assert said_json("roots", data=data) == []
    assert (folder / "note.txt").exists()
    verb("search", "blue pot", data=data, code=3)


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    output = verb("add", tmp_path / "nowhere", data=tmp_path / "data", code=1)
    assert "There is no folder" in output
    assert "not a watched folder" in verb(
        "remove", tmp_path / "nowhere", data=tmp_path / "data", code=1
    )


def test_doctor_and_models(demonstration: Indexed) -> None:
    findings = said_json("doctor", data=demonstration.data)
    assert all(finding["ok"] for finding in findings), findings
    models = said_json("model", "list", data=demonstration.data)
    assert [model["name"] for model in models if model["in_use"]] == ["pocket"]


def test_a_wrong_setting_and_a_missing_model_are_explained(tmp_path: Path) -> None:
    process = subprocess.run(
        [sys.executable, "-m", "recollect", "status"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**ENVIRONMENT, "RECOLLECT_PORT": "many"},
    )
    assert process.returncode == 1
    assert "RECOLLECT_PORT" in process.stderr
    missing = verb("--model", "/nowhere", "status", data=tmp_path, code=1)
    assert "/nowhere" in missing


def test_doctor_checks_a_catalog_relative_to_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Catalog(Path("rel/catalog.sqlite")).close()
    check_pages(Path("rel/catalog.sqlite"))  # raises where it cannot be opened


@pytest.mark.slow
def test_every_verb_takes_a_data_directory_relative_to_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    folder, data = tmp_path / "papers", Path("rel/dir")
    folder.mkdir()
    (folder / "a.txt").write_text("The boat lies in the river.")
    verb("index", folder, data=data)
    for words in (
        ["status"],
        ["status", folder / "a.txt"],
        ["roots"],
        ["verify"],
        ["model", "list"],
    ):
        assert verb(*words, data=data)
    assert "a.txt" in verb("search", "boat", data=data)
    assert "ok    Library" in verb("doctor", data=data)
    verb("forget", folder / "a.txt", data=data)
    verb("remember", "--all", data=data)
