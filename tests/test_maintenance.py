"""Forgetting and verifying, as people do it: from the browser's API and the command line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import Indexed, recollect, serve, stop
from tests.served import Running, running, small_library
from tests.test_forget import CANARY, holding

SECRET = CANARY.encode()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    base = tmp_path_factory.mktemp("maintenance")
    folder = base / "lib"
    folder.mkdir()
    for n in range(4):
        (folder / f"{n}.txt").write_text(f"The boat number {n}.")
    (folder / "secret.txt").write_text(f"A garden and {CANARY} in it.")
    with small_library(folder, base / "data") as library, running(library) as server:
        yield server


def data_of(served: Running) -> Path:
    return served.library.items._catalog.file.parent


def test_forget_verify_and_remember_over_http(served: Running) -> None:
    item = served.item("secret.txt")
    with served.browser() as browser:
        assert browser.get("/api/forget").status_code == 405, "reading never changes anything"
        whole = browser.post("/api/verify", json={"deep": True})
        assert whole.status_code == 200, whole.text
        assert whole.json()["sound"] is True
        assert whole.json()["files"] == 5
        assert holding(data_of(served), [SECRET])
        answer = browser.post("/api/forget", json={"what": item})
        assert answer.status_code == 200, answer.text
        assert answer.json()["erased"] is True
        [path] = answer.json()["forgotten"]
        assert Path(path).read_text().endswith(f"{CANARY} in it.")
        assert browser.get(f"/api/items/{item}").status_code == 404
        assert browser.get("/api/search", params={"q": CANARY, "by": "words"}).json()["hits"] == []
        assert holding(data_of(served), [SECRET]) == []
        again = browser.post("/api/forget", json={"what": path})
        assert again.status_code == 404
        assert "not in the library" in again.json()["error"]["sentence"]
        served.library.index()
        assert browser.get("/api/search", params={"q": CANARY, "by": "words"}).json()["hits"] == []
        assert browser.post("/api/remember", json={"path": path}).json() == {"remembered": 2}
        served.library.index()
        hits = browser.get("/api/search", params={"q": CANARY, "by": "words"}).json()["hits"]
        assert [hit["path"] for hit in hits] == [path]


def test_a_damaged_file_is_told_and_mended_over_http(served: Running) -> None:
    file = max((data_of(served) / "lance" / "words.lance" / "data").iterdir())
    held = bytearray(file.read_bytes())
    held[len(held) // 2] ^= 1
    file.write_bytes(bytes(held))
    with served.program() as program:
        verdict = program.post("/api/verify", json={}).json()
        assert verdict["sound"] is False
        assert {fault["code"] for fault in verdict["faults"]} >= {"file"}
        mended = program.post("/api/verify", json={"repair": True}).json()
        assert mended["sound"] is True, mended
        assert all(fault["mended"] for fault in mended["faults"])
        served.library.index()
        assert program.post("/api/verify", json={}).json()["faults"] == []


@pytest.mark.parametrize("what", ["", None, 7, "x" * 5000])
def test_odd_requests_to_forget_are_refused(served: Running, what: object) -> None:
    with served.browser() as browser:
        assert browser.post("/api/forget", json={"what": what}).status_code == 422
        folder = str(data_of(served))
        refused = browser.post("/api/forget", json={"what": folder})
        assert refused.status_code == 422
        assert "recollect remove" in refused.json()["error"]["sentence"]


@pytest.mark.slow
def test_forget_and_verify_from_the_command_line(tmp_path: Path) -> None:
    folder, data = tmp_path / "lib", tmp_path / "data"
    folder.mkdir()
    (folder / "a.txt").write_text("A boat lies in the river.")
    secret = folder / "secret.txt"
    secret.write_text(f"A garden and {CANARY} in it.")
    recollect("index", folder, data=data)
    assert json.loads(recollect("verify", "--deep", "--json", data=data))["faults"] == []
    assert holding(data, [SECRET])
    output = recollect("forget", secret, data=data)
    assert "Not a byte of it is left" in output
    assert holding(data, [SECRET]) == []
    recollect("index", data=data)
    recollect("search", CANARY, data=data, code=3)
    assert "not in the library" in recollect("forget", secret, data=data, code=1)
    # a flipped byte, while nobody serves and while somebody does
    file = max((data / "lance" / "words.lance" / "data").iterdir())
    held = bytearray(file.read_bytes())
    held[len(held) // 2] ^= 1
    file.write_bytes(bytes(held))
    output = recollect("verify", data=data, code=1)
    assert "is not what was written" in output
    assert "recollect verify --repair" in output
    served = serve("serve", library=Indexed(folder, data))
    try:
        # by this, or by the server itself, which may have been quicker
        output = recollect("verify", "--repair", data=data)
        assert "mended" in output or "The index is whole" in output
        assert "The index is whole" in recollect("verify", data=data)
        recollect("remember", secret, data=data)
        recollect("index", data=data)
        assert str(secret) in recollect("search", CANARY, data=data)
        assert "is forgotten with" in recollect("remove", folder, data=data)
        assert holding(data, [SECRET, b"boat lies"]) == []
    finally:
        stop(served)
    assert json.loads(recollect("verify", "--json", data=data))["sound"] is True
