"""What is attached to a mail, as it is served and shown: in pieces, safely, and said to be so."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import soundfile
from PIL import Image as Picture
from playwright.sync_api import Browser

from indexer.extract.pages.mupdf import pymupdf
from tests.browser import chromium, visit
from tests.documents import eml, message
from tests.films import film
from tests.served import Running, running, small_library


@pytest.fixture(scope="module")
def apart(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What is attached, where nobody watches."""
    folder = tmp_path_factory.mktemp("apart")
    Picture.new("RGB", (320, 240), (250, 10, 10)).save(folder / "beach.png")
    sound = 0.5 * np.sin(2 * np.pi * 900 * np.arange(48_000) / 16_000)
    soundfile.write(folder / "memo.wav", sound.astype(np.float32), 16_000)
    film(folder / "ferry.mp4", scenes_s=(2, 2), sound=sound.astype(np.float32), rate_hz=16_000)
    with pymupdf.open() as paper:
        for line in ("The boat was paid for.", "The money lies by the river."):
            paper.new_page().insert_text((72, 72), line)
        paper.save(folder / "receipt.pdf")
    (folder / "page.html").write_text("<script>alert(1)</script><p>Words of a page of kettles.")
    (folder / "torn.docx").write_bytes(b"PK\x03\x04 and nothing that is a letter")
    return folder


@pytest.fixture(scope="module")
def served(apart: Path) -> Iterator[Running]:
    folder = apart.parent / "attachments" / "files"
    folder.mkdir(parents=True)
    eml(folder / "keys.eml", *sorted(apart.iterdir()))
    with small_library(folder, folder.parent / "data") as library, running(library) as server:
        yield server


@pytest.fixture
def ids(api: httpx.Client, served: Running) -> dict[str, str]:
    mail = api.get(f"/api/items/{served.item('keys.eml')}").json()
    titles = {file["title"]: file["id"] for file in mail["attachments"]}
    return titles | {"mail": mail["id"]}


def hit(api: httpx.Client, **asked: str) -> Any:
    [first, *_] = api.get("/api/search", params=asked).json()["hits"]
    return first


def test_hits_say_which_mail_they_came_in(api: httpx.Client, ids: dict[str, str]) -> None:
    mail = {"id": ids["mail"], "title": "The keys"}
    photo = hit(api, q="red", kind="photo")
    assert (photo["title"], photo["attached_to"]) == ("beach", mail)
    assert photo["thumb"] == {"w": 320, "h": 240, "colour": "#fa0a0a"}
    page = hit(api, q="money river")
    assert (page["title"], page["place"], page["attached_to"]) == ("receipt", {"page": 2}, mail)
    sound = hit(api, q="high loud", kind="recording")
    assert (sound["title"], sound["place"]["start_s"]) == ("memo", 0.0)
    assert hit(api, q="baker")["attached_to"] is None
    facts = api.get(f"/api/items/{photo['id']}").json()
    assert (facts["attached_to"], facts["caption"]) == (mail, "A red picture.")
    assert facts["path"].endswith("keys.eml")


TORN = "The attachment “torn.docx” could not be read"


def test_what_could_not_be_read_is_told_of_the_mail(api: httpx.Client, ids: dict[str, str]) -> None:
    notes = api.get(f"/api/items/{ids['mail']}").json()["notes"]
    assert [(note["code"], TORN in note["sentence"]) for note in notes] == [
        ("attachment_unread", True)
    ]
    assert api.get(f"/api/items/{ids['beach']}").json()["notes"] == []
    [file] = api.get("/api/files").json()["files"]
    assert (file["state"], file["sentence"], file["notes"]) == ("understood", None, notes)


def test_an_answer_cites_what_was_attached(api: httpx.Client, ids: dict[str, str]) -> None:
    asked = {"question": "Where does the money lie?"}
    with api.stream("POST", "/api/ask", json=asked) as answer:
        text = answer.read().decode()
    assert f'"attached_to":{{"id":"{ids["mail"]}","title":"The keys"}}' in text.replace(": ", ":")
    assert "event: citation" in text


def test_pictures_and_pages_are_drawn(api: httpx.Client, ids: dict[str, str]) -> None:
    for address in ("beach/thumb", "beach/picture?px=100", "receipt/page/2", "receipt/thumb",
                    "page/page/1", "page/thumb", "ferry/thumb", "ferry/picture?at=1"):  # fmt: skip
        name, _, rest = address.partition("/")
        answer = api.get(f"/api/items/{ids[name]}/{rest}")
        assert (answer.status_code, answer.headers["content-type"]) == (200, "image/webp"), address
    words = api.get(f"/api/items/{ids['receipt']}/page/2/words?q=money").json()
    assert [words["words"][n][4] for n in words["marks"]] == ["money"]


def test_sound_is_served_by_ranges(api: httpx.Client, ids: dict[str, str], apart: Path) -> None:
    whole = (apart / "memo.wav").read_bytes()
    address = f"/api/items/{ids['memo']}/audio"
    answer = api.get(address)
    assert (answer.content, answer.headers["content-type"]) == (whole, "audio/wav")
    assert answer.headers["accept-ranges"] == "bytes"
    part = api.get(address, headers={"Range": "bytes=1000-1999"})
    assert (part.status_code, part.content) == (206, whole[1000:2000])
    assert part.headers["content-range"] == f"bytes 1000-1999/{len(whole)}"
    assert api.get(address, headers={"Range": f"bytes={len(whole)}-"}).status_code == 416
    same = api.get(address, headers={"If-None-Match": answer.headers["etag"]})
    assert same.status_code == 304
    assert int(api.head(address).headers["content-length"]) == len(whole)
    film_sound = api.get(f"/api/items/{ids['ferry']}/audio", headers={"Range": "bytes=0-99"})
    assert film_sound.content.startswith(b"RIFF")
    assert len(api.get(f"/api/items/{ids['memo']}/peaks").json()["peaks"]) == 400


def test_originals_are_saved_never_shown(
    api: httpx.Client, ids: dict[str, str], apart: Path
) -> None:
    for name, kind in (("page", "application/octet-stream"), ("receipt", "application/pdf")):
        answer = api.get(f"/api/items/{ids[name]}/original")
        [file] = apart.glob(f"{name}.*")
        assert answer.content == file.read_bytes()
        assert answer.headers["content-type"] == kind
        assert answer.headers["content-security-policy"] == "default-src 'none'; sandbox"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["content-disposition"].startswith(
            f'attachment; filename="{file.name}"'
        )


def test_what_is_not_the_same_mail_any_more_gives_nothing(tmp_path: Path, apart: Path) -> None:
    folder = tmp_path / "files"
    folder.mkdir()
    mail = eml(folder / "keys.eml", apart / "beach.png")
    other = eml(tmp_path / "other.eml", apart / "receipt.pdf")
    with (
        small_library(folder, tmp_path / "data") as library,
        running(library) as server,
        server.program() as client,
    ):
        photo = hit(client, q="red", kind="photo")["id"]
        addresses = [f"/api/items/{photo}/{part}" for part in ("original", "picture")]
        assert [client.get(address).status_code for address in addresses] == [200, 200]
        mail.unlink()
        mail.symlink_to(other)  # has something else by that number
        assert {client.get(address).status_code for address in addresses} <= {404, 422}
        mail.unlink()
        os.mkfifo(mail)  # and nobody waits for a writer
        assert {client.get(address).status_code for address in addresses} <= {404, 422}


def test_one_is_forgotten_over_the_api(tmp_path: Path, apart: Path) -> None:
    folder = tmp_path / "files"
    folder.mkdir()
    mail = folder / "keys.eml"
    mail.write_bytes(bytes(message("Hello", "See this.", apart / "beach.png")))
    with (
        small_library(folder, tmp_path / "data") as library,
        running(library) as server,
        server.program() as client,
    ):
        photo = hit(client, q="red", kind="photo")["id"]
        answer = client.post("/api/forget", json={"what": photo})
        assert answer.json()["forgotten"] == [f"beach.png, attached to {mail}"]
        assert client.get(f"/api/items/{photo}/thumb").status_code == 404
        assert client.get("/api/search", params={"q": "Hello"}).json()["hits"]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.mark.browser
def test_the_page_says_what_came_in_which_mail(browser: Browser, served: Running) -> None:
    with visit(browser, served) as tab:
        tab.open("/?q=money%20river")
        row = tab.see(".row.document")
        assert "attached to The keys" in row.inner_text()
        row.locator("a.row-link").click()
        tab.see(".paper rect")
        tab.see(".viewer .mail a").click()
        tab.until("document.querySelector('.viewer h2').innerText === 'The keys'")
        attached = tab.page.locator(".viewer .mail a").all_inner_texts()
        assert attached == ["beach", "ferry", "memo", "page", "receipt"]
        assert TORN in tab.see(".viewer .left-out").inner_text()
        tab.page.locator(".viewer .mail a").first.click()
        tab.until("document.querySelector('.viewer .picture img')?.naturalWidth === 320")
        tab.open("/?q=red&kind=photo")
        tab.until("document.querySelector('.photos img')?.naturalWidth === 320")
        assert "attached to The keys" in tab.see(".photos .caption").inner_text()
        tab.open("/?q=high%20loud&kind=recording")
        tab.see(".row.recording button").click()
        assert tab.played_from_s() == 0.0
