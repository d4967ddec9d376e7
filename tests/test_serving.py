"""`recollect serve` from start to end: a real process, a watched folder, the API as a program
uses it."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from tests.conftest import ENVIRONMENT, ROOT, Indexed, Served, recollect, serve, stop, verb
from web.http.security import load_or_create_token

PATIENCE_S = 60.0


def eventually(true: Callable[[], bool]) -> bool:
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        if true():
            return True
        time.sleep(0.1)
    return False


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    base = tmp_path_factory.mktemp("served")
    library = Indexed(base / "folder", base / "data")
    (library.folder / "letters").mkdir(parents=True)
    (library.folder / "letters" / "lease.txt").write_text("The deposit is 1,850 euro.\n")
    running = serve("serve", library.folder, library=library)
    yield running
    stop(running)


@pytest.fixture
def http(served: Served) -> Iterator[httpx.Client]:
    headers = {"Authorization": f"Bearer {served.token}"}
    with httpx.Client(base_url=served.url, headers=headers, timeout=60, trust_env=False) as client:
        yield client


def paths(http: httpx.Client, words: str) -> list[str]:
    result = http.get("/api/search", params={"q": words, "by": "words"}).json()
    return [hit["path"] for hit in result["hits"]]


def test_a_saved_file_is_found_changed_and_forgotten(served: Served, http: httpx.Client) -> None:
    note = served.library.folder / "note.txt"
    note.write_text("The quokka sleeps at noon.\n")
    assert eventually(lambda: paths(http, "quokka") == [str(note)])
    note.write_text("The wombat sleeps at noon.\n")
    assert eventually(lambda: paths(http, "wombat") == [str(note)])
    assert paths(http, "quokka") == []
    note.unlink()
    assert eventually(lambda: paths(http, "wombat") == [])


def test_a_renamed_folder_keeps_its_links_and_calls_no_model(
    served: Served, http: httpx.Client
) -> None:
    assert eventually(lambda: http.get("/api/status").json()["queue"] == 0)
    (hit,) = http.get("/api/search", params={"q": "deposit", "by": "words"}).json()["hits"]
    calls = http.get("/api/status").json()["model"]["calls"]
    renamed = served.library.folder / "papers"
    (served.library.folder / "letters").rename(renamed)
    assert eventually(lambda: paths(http, "deposit") == [str(renamed / "lease.txt")])
    item = http.get(f"/api/items/{hit['id']}").json()
    assert item["path"] == str(renamed / "lease.txt")
    assert http.get(f"/api/items/{hit['id']}/page/1").headers["content-type"] == "image/webp"
    assert http.get("/api/status").json()["model"]["calls"] == calls
    assert http.get(f"/item/{hit['id']}").status_code == 200


def test_the_command_line_asks_the_server(served: Served, http: httpx.Client) -> None:
    data = served.library.data
    assert eventually(lambda: paths(http, "deposit") != [])
    assert "lease.txt" in verb("search", "deposit", data=data)
    assert str(served.library.folder) in verb("roots", data=data)
    about = served.library.folder / "papers" / "lease.txt"
    if not about.exists():
        about = served.library.folder / "letters" / "lease.txt"
    assert eventually(lambda: paths(http, "deposit") == [str(about)])
    output = recollect("ask", "How much is the deposit?", "--about", about, "--json", data=data)
    assert '"question": "How much is the deposit?"' in output
    assert "0 added" in verb("index", data=data)


@pytest.mark.slow
def test_a_name_is_meant_from_where_a_person_stands(served: Served, tmp_path: Path) -> None:
    def here(*words: str, codes: tuple[int, ...] = (0,)) -> str:
        process = subprocess.run(
            [sys.executable, "-m", "recollect", "--data", served.library.data, *words],
            capture_output=True,
            text=True,
            cwd=tmp_path,  # the server began elsewhere
            env={**ENVIRONMENT, "PYTHONPATH": str(ROOT)},
        )
        assert process.returncode in codes, process.stderr
        return process.stdout

    file = tmp_path / "letters" / "numbat.txt"
    file.parent.mkdir()
    file.write_text("The numbat eats termites.\n")
    here("index", "letters")
    assert str(file.parent) in here("roots")
    here("ask", "What does the numbat eat?", "--about", "letters/numbat.txt", codes=(0, 3))
    assert str(file) in here("forget", "letters/numbat.txt")
    here("remove", "letters")


def test_nothing_is_served_without_the_key(served: Served) -> None:
    for path in ("/", "/api/status", "/static/app.js"):
        assert httpx.get(served.url + path, trust_env=False).status_code == 401


def test_the_key_is_kept_where_only_its_owner_reads(served: Served) -> None:
    file = served.library.data / "token"
    assert load_or_create_token(file) == served.token  # a server that comes after takes it up
    assert file.stat().st_mode & 0o777 == 0o600


@pytest.mark.slow
def test_the_key_outlives_the_server(tmp_path: Path) -> None:
    library = Indexed(tmp_path / "folder", tmp_path / "data")
    library.folder.mkdir()
    tokens = []
    for _ in range(2):
        running = serve("serve", library.folder, library=library)
        tokens.append(running.token)
        stop(running)
    assert tokens[0] == tokens[1]
    assert (library.data / "token").stat().st_mode & 0o777 == 0o600
    (library.data / "token").chmod(0o644)  # somebody may have read it
    running = serve("serve", library.folder, library=library)
    assert running.token != tokens[0]
    stop(running)
