"""The HTTP API on a real library: shapes, bounds, sentences."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.served import Running, running, small_library, write_files
from web.http.admission import MAX_JSON_BYTES
from web.library.arguments.paths import MAX_EXAMPLE_BYTES
from web.library.library import Library


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    base = tmp_path_factory.mktemp("http")
    write_files(base / "files")
    with small_library(base / "files", base / "data") as library, running(library) as server:
        yield server


def assert_refused(response: httpx.Response, status: int, code: str) -> str:
    assert response.status_code == status, response.text
    error = response.json()["error"]
    assert set(error) == {"code", "sentence"}
    assert error["code"] == code
    sentence = error["sentence"]
    assert isinstance(sentence, str)
    assert sentence.endswith(".")
    return sentence


def test_search_finds_the_page(api: httpx.Client) -> None:
    result = api.get("/api/search", params={"q": "loud meeting", "by": "words"}).json()
    assert set(result) == {"query", "understood", "hits", "coverage", "took_ms"}
    first = result["hits"][0]
    assert first["path"].endswith("boats.pdf")
    assert first["place"]["page"] == 2
    assert first["kind"] == "document"
    assert [first["snippet"][a:b].lower() for a, b in first["marks"]] == ["meeting", "loud"]


@pytest.mark.parametrize(
    ("params", "names"),
    [
        ({"q": "red", "kind": "photo"}, {"sunset.png"}),
        ({"q": "loud high sound", "kind": "recording"}, {"whistle.wav"}),
        ({"q": "garden", "after": "2999-01-01"}, set()),
        ({"q": "garden", "before": "1999"}, set()),
    ],
)
def test_search_filters(api: httpx.Client, params: dict[str, str], names: set[str]) -> None:
    result = api.get("/api/search", params=params).json()
    assert {Path(hit["path"]).name for hit in result["hits"]} == names


def test_a_folder_of_no_library_is_no_filter(served: Running, api: httpx.Client) -> None:
    answer = api.get("/api/search", params={"q": "garden", "in": "/nowhere"})
    assert_refused(answer, 422, "folder")
    missing = str(Path(served.library.roots()[0]["path"]) / "missing")
    assert_refused(api.get("/api/search", params={"q": "garden", "in": missing}), 422, "folder")
    assert_refused(api.post("/api/ask", json={"question": "x", "in": "/nowhere"}), 422, "folder")


def test_search_shows_a_name_that_is_not_text(api: httpx.Client) -> None:
    result = api.get("/api/search", params={"q": "zebras"}).json()
    assert result["hits"][0]["path"].endswith('a \\xff\n"name".txt')


@pytest.mark.parametrize(
    ("name", "sent_as", "kind"),
    [
        ("sunset.png", "image/png", "photo"),
        ("whistle.wav", "audio/wav", "recording"),
        ("sunset.png", "application/octet-stream", "photo"),
    ],
)
def test_search_by_example(
    served: Running, api: httpx.Client, name: str, sent_as: str, kind: str
) -> None:
    (folder,) = served.library.roots()
    example = (Path(folder["path"]) / name).read_bytes()
    result = api.post(
        "/api/search", params={"kind": kind}, content=example, headers={"Content-Type": sent_as}
    ).json()
    assert [Path(hit["path"]).name for hit in result["hits"]] == [name]
    assert result["hits"][0]["found_by"] == ["meaning"]


def test_an_example_that_is_none(api: httpx.Client) -> None:
    headers = {"Content-Type": "image/png"}
    answer = api.post("/api/search", content=b"not a picture", headers=headers)
    assert "neither a picture nor a sound" in assert_refused(answer, 422, "example")
    assert_refused(api.post("/api/search", content=b"", headers=headers), 415, "example")
    assert_refused(api.post("/api/search", json={}), 415, "example")


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({}, "query"),
        ({"q": "   "}, "query"),
        ({"q": "x", "kind": "video"}, "query"),
        ({"q": "x", "after": "yesterday"}, "query"),
        ({"q": "x", "after": "2024-13-45"}, "query"),
        ({"q": "x" * 2_001}, "invalid"),
        ({"q": "x", "limit": "0"}, "invalid"),
        ({"q": "x", "limit": "201"}, "invalid"),
        ({"q": "x", "limit": "many"}, "invalid"),
        ({"q": "x", "by": "magic"}, "invalid"),
        ({"q": "x", "in": "y" * 5_000}, "invalid"),
    ],
)
def test_search_refuses_in_words(api: httpx.Client, params: dict[str, str], code: str) -> None:
    assert_refused(api.get("/api/search", params=params), 422, code)


@pytest.mark.parametrize(
    "words",
    ['"', "AND NOT", "a* OR (", "title:x", "' OR 1=1 --", "🦓 zebra", "\x00\n\t", "NEAR(a b)"],
)
def test_search_takes_any_words(api: httpx.Client, words: str) -> None:
    response = api.get("/api/search", params={"q": words})
    assert response.status_code in (200, 422)
    assert "error" not in response.json() or response.json()["error"]["code"] == "query"


def test_status(api: httpx.Client) -> None:
    status = api.get("/api/status").json()
    assert {"roots", "coverage", "states", "failed", "queue", "model"} <= set(status)
    assert status["coverage"] == {"files": 5, "read": 5, "understood": 5, "failed": 0}
    assert api.get("/api/model").json()["name"] == "fake"


def test_files(api: httpx.Client) -> None:
    everything = api.get("/api/files").json()
    assert everything["count"] == 5
    page = api.get("/api/files", params={"offset": 3, "limit": 10}).json()
    assert [file["id"] for file in page["files"]] == [f["id"] for f in everything["files"][3:]]
    photos = api.get("/api/files", params={"kind": "photo"}).json()["files"]
    assert [file["name"] for file in photos] == ["sunset.png"]
    assert api.get("/api/files", params={"state": "failed"}).json() == {"count": 0, "files": []}
    assert_refused(api.get("/api/files", params={"kind": "video"}), 422, "query")
    assert_refused(api.get("/api/files", params={"limit": 5_000}), 422, "invalid")
    assert_refused(api.get("/api/files", params={"offset": -1}), 422, "invalid")


def test_folders_and_retry(api: httpx.Client, tmp_path: Path) -> None:
    folder = tmp_path / "more"
    folder.mkdir()
    added = api.post("/api/roots", json={"path": str(folder)}).json()
    assert str(folder) in [root["path"] for root in added]
    assert api.get("/api/roots").json() == added
    gone = api.request("DELETE", "/api/roots", json={"path": str(folder)})
    assert gone.json() == {"forgotten": 0}
    again = api.request("DELETE", "/api/roots", json={"path": str(folder)})
    assert_refused(again, 422, "folder")
    assert_refused(api.post("/api/roots", json={"path": str(tmp_path / "none")}), 422, "folder")
    assert api.post("/api/retry", json={"path": None}).json() == {"retried": 0}
    assert_refused(api.post("/api/retry", json={"path": str(folder / "x")}), 422, "file")


def test_index_and_item_of(served: Running, api: httpx.Client) -> None:
    done = api.post("/api/index", json={}).json()
    assert (done["added"], done["changed"], done["moved"], done["gone"]) == (0, 0, 0, 0)
    assert done["model_calls"] == 0
    (root,) = served.library.roots()
    path = str(Path(root["path"]) / "boats.pdf")
    assert api.post("/api/items", json={"path": path}).json() == {"id": served.item("boats.pdf")}
    assert_refused(api.post("/api/items", json={"path": "/etc/passwd"}), 422, "file")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'{"path": 1}',
        b'{"path": ""}',
        b'{"path": "x", "more": 1}',
        b'{"path": "\xff"}',
        b"[" * 100_000,
        b'{"path":' * 20_000,
    ],
)
def test_a_body_that_is_no_request(api: httpx.Client, body: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    response = api.post("/api/roots", content=body, headers=headers)
    assert response.status_code in (400, 422)
    assert response.json()["error"]["sentence"]


def test_a_body_that_is_too_large(api: httpx.Client) -> None:
    headers = {"Content-Type": "application/json"}
    large = b" " * (MAX_JSON_BYTES + 1)
    assert_refused(api.post("/api/ask", content=large, headers=headers), 413, "too_large")
    pieces = (b" " * 65_536 for _ in range(10))  # sent without saying how long it is
    assert_refused(api.post("/api/ask", content=pieces, headers=headers), 413, "too_large")
    headers = {"Content-Type": "image/png"}
    picture = b" " * (MAX_EXAMPLE_BYTES + 1)
    assert_refused(api.post("/api/search", content=picture, headers=headers), 413, "too_large")


@pytest.mark.parametrize("path", ["/", "/ask", "/library", "/welcome", "/item/abc"])
def test_every_address_is_the_application(api: httpx.Client, path: str) -> None:
    page = api.get(path)
    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/html")
    assert "<title>Recollect</title>" in page.text
    assert api.get(path, headers={"If-None-Match": page.headers["etag"]}).status_code == 304
    assert api.head(path).headers["content-length"] == page.headers["content-length"]


def test_static_files(api: httpx.Client) -> None:
    script = api.get("/static/theme.js")
    assert script.headers["content-type"].startswith("text/javascript")
    assert script.headers["cache-control"] == "no-cache"
    again = api.get("/static/theme.js", headers={"If-None-Match": script.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    for name in (
        "../app.py",
        "..%2fapp.py",
        "%2e%2e/app.py",
        "/etc/passwd",
        "",
        "vendor",
        "none.js",
    ):
        missing = api.get(f"/static/{name}")
        assert missing.status_code == 404
        assert "<!doctype html>" in missing.text


def test_what_is_not_there(api: httpx.Client) -> None:
    assert_refused(api.get("/api/none"), 404, "not_found")
    assert_refused(api.put("/api/roots", json={}), 405, "method")
    assert api.get("/none").headers["content-type"].startswith("text/html")
    for path in ("/docs", "/redoc", "/openapi.json"):
        assert api.get(path).status_code == 404


def test_an_error_inside_tells_nothing(
    served: Running, api: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(library: Library) -> None:
        raise RuntimeError("/home/somebody/secret.txt")

    monkeypatch.setattr(Library, "roots", fail)
    response = api.get("/api/roots")
    assert_refused(response, 500, "internal")
    assert "secret" not in response.text
    assert response.headers["x-content-type-options"] == "nosniff"


def test_many_questions_at_once(served: Running) -> None:
    """More than can be answered are refused at once, and the others are answered."""
    import asyncio

    async def ask_all() -> list[httpx.Response]:
        headers = {"Authorization": f"Bearer {served.token}"}
        async with httpx.AsyncClient(
            base_url=served.url, headers=headers, timeout=60.0, trust_env=False
        ) as client:
            requests = [client.get("/api/search", params={"q": "garden"}) for _ in range(100)]
            return await asyncio.gather(*requests)

    answers = asyncio.run(ask_all())
    assert {answer.status_code for answer in answers} <= {200, 429}
    assert sum(answer.status_code == 200 for answer in answers) >= 8
    for answer in answers:
        if answer.status_code == 429:
            assert int(answer.headers["retry-after"]) > 0
