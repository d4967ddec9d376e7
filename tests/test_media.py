"""Pictures, sounds and originals: ranges, caching, names, and files swapped behind our back."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as Picture

from tests.films import film, tracks_film
from tests.pitches import rising, second_heard
from tests.served import Running, running, small_library, write_files
from web.cli.output.phrases import place_phrase
from web.http.byte_ranges import RangeError, parse_range
from web.http.media import content_disposition, open_regular_file
from web.library.errors import NotFoundError

LATER_S = 40.0  # what the second track says differs by so many seconds
ENGLISH, GERMAN = {"language": "eng"}, {"language": "ger", "title": "Surround"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("media") / "files"


@pytest.fixture(scope="module")
def served(folder: Path) -> Iterator[Running]:
    write_files(folder)
    quiet, loud = rising(6, 48_000, loud=0.05), rising(6, 48_000, from_s=LATER_S)
    tracks_film(folder / "dubbed.mkv", [(quiet, ENGLISH), (loud, GERMAN)])
    with small_library(folder, folder.parent / "data") as library, running(library) as server:
        yield server


# --- ranges


@pytest.mark.parametrize(
    ("wanted", "part"),
    [
        ("bytes=0-0", (0, 1)),
        ("bytes=0-99", (0, 100)),
        ("bytes=0-1000", (0, 100)),
        ("bytes=10-", (10, 90)),
        ("bytes=-10", (90, 10)),
        ("bytes=-1000", (0, 100)),
        ("bytes=99-", (99, 1)),
        ("bytes=5-4", None),
        ("bytes=-", None),
        ("bytes=0-1,5-6", None),
        ("bytes= 0-1", None),
        ("items=0-1", None),
        ("bytes=a-b", None),
        ("bytes=0-" + "9" * 30, None),
        ("bytes=" + "0-," * 10_000, None),
        ("", None),
    ],
)
def test_stretch(wanted: str, part: tuple[int, int] | None) -> None:
    assert parse_range(wanted, 100) == part


@pytest.mark.parametrize("wanted", ["bytes=100-", "bytes=100-200", "bytes=-0"])
def test_stretch_behind_the_end(wanted: str) -> None:
    with pytest.raises(RangeError):
        parse_range(wanted, 100)


@given(wanted=st.from_regex(r"bytes=\d{0,20}-\d{0,20}", fullmatch=True), size=st.integers(0, 10**9))
def test_any_stretch_lies_in_the_file(wanted: str, size: int) -> None:
    try:
        part = parse_range(wanted, size)
    except RangeError:
        return
    if part is not None:
        start, length = part
        assert 0 <= start < start + length <= size


def test_sound_in_ranges(served: Running, folder: Path, api: httpx.Client) -> None:
    whole = (folder / "whistle.wav").read_bytes()
    address = f"/api/items/{served.item('whistle.wav')}/audio"
    answer = api.get(address)
    assert (answer.status_code, answer.content) == (200, whole)
    assert answer.headers["content-type"] == "audio/wav"
    assert answer.headers["accept-ranges"] == "bytes"
    part = api.get(address, headers={"Range": "bytes=1000-1999"})
    assert (part.status_code, part.content) == (206, whole[1000:2000])
    assert part.headers["content-range"] == f"bytes 1000-1999/{len(whole)}"
    assert part.headers["content-length"] == "1000"
    beyond = api.get(address, headers={"Range": f"bytes={len(whole)}-"})
    assert (beyond.status_code, beyond.content) == (416, b"")
    assert beyond.headers["content-range"] == f"bytes */{len(whole)}"
    several = api.get(address, headers={"Range": "bytes=0-1,4-5"})
    assert (several.status_code, several.content) == (200, whole)
    etag = answer.headers["etag"]
    answer = api.get(address, headers={"Range": "bytes=0-1", "If-Range": etag})
    assert answer.status_code == 206
    changed = api.get(address, headers={"Range": "bytes=0-1", "If-Range": '"other"'})
    assert (changed.status_code, changed.content) == (200, whole)
    assert api.get(address, headers={"If-None-Match": etag}).status_code == 304
    head = api.head(address)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == str(len(whole))


def test_sound_put_together_from_parts(served: Running, folder: Path, api: httpx.Client) -> None:
    whole = (folder / "whistle.wav").read_bytes()
    address = f"/api/items/{served.item('whistle.wav')}/audio"
    got = b""
    while len(got) < len(whole):
        wanted = f"bytes={len(got)}-{len(got) + 30_000}"
        got += api.get(address, headers={"Range": wanted}).content
    assert got == whole


# --- pictures


def test_thumb_and_picture(served: Running, api: httpx.Client) -> None:
    item = served.item("sunset.png")
    thumb = api.get(f"/api/items/{item}/thumb")
    assert thumb.headers["content-type"] == "image/webp"
    assert thumb.headers["cache-control"] == "private, max-age=31536000, immutable"
    assert Picture.open(io.BytesIO(thumb.content)).size == (320, 200)
    etag = {"If-None-Match": f'W/"x", {thumb.headers["etag"]}'}
    assert api.get(f"/api/items/{item}/thumb", headers=etag).status_code == 304
    picture = api.get(f"/api/items/{item}/picture", params={"px": 100})
    assert max(Picture.open(io.BytesIO(picture.content)).size) == 100
    assert api.get(f"/api/items/{item}/picture", params={"px": 100_000}).status_code == 422


def test_the_thumb_of_a_text_is_drawn_when_it_is_looked_at(
    served: Running, api: httpx.Client
) -> None:
    thumb = api.get(f"/api/items/{served.item('garden.txt')}/thumb")
    picture = Picture.open(io.BytesIO(thumb.content))
    assert picture.size == (339, 480)
    assert min(picture.convert("L").tobytes()) < 100, "its words are on it"


def test_page_and_its_words(served: Running, api: httpx.Client) -> None:
    item = served.item("boats.pdf")
    page = api.get(f"/api/items/{item}/page/2", params={"w": 600})
    assert page.headers["content-type"] in ("image/webp", "image/png")
    assert page.headers["cache-control"] == "private, no-cache"
    assert Picture.open(io.BytesIO(page.content)).width == 600
    again = {"If-None-Match": page.headers["etag"]}
    assert api.get(f"/api/items/{item}/page/2?w=600", headers=again).status_code == 304
    assert api.get(f"/api/items/{item}/page/2?w=601", headers=again).status_code == 200
    words = api.get(f"/api/items/{item}/page/2/words", params={"q": "money"}).json()
    assert [words["words"][i][4] for i in words["marks"]] == ["money"]
    assert 0 < words["words"][0][0] < words["words"][0][2] < words["width"]
    for n in ("0", "3", "-1", "999999999"):
        assert api.get(f"/api/items/{item}/page/{n}").status_code == 404
    assert api.get(f"/api/items/{item}/page/x").status_code == 422
    for width in ("0", "5000", "x"):
        assert api.get(f"/api/items/{item}/page/1", params={"w": width}).status_code == 422


def test_a_text_has_a_page_too(served: Running, api: httpx.Client) -> None:
    page = api.get(f"/api/items/{served.item('garden.txt')}/page/1")
    assert Picture.open(io.BytesIO(page.content)).width == 900


def test_facts_text_and_peaks(served: Running, api: httpx.Client) -> None:
    item = served.item("sunset.png")
    facts = api.get(f"/api/items/{item}").json()
    assert (facts["id"], facts["kind"], facts["w"], facts["h"]) == (item, "photo", 320, 200)
    assert facts["caption"] == "A red picture."
    text = api.get(f"/api/items/{served.item('boats.pdf')}/text").json()
    assert [passage["place"] for passage in text["passages"]] == [{"page": 1}, {"page": 2}]
    peaks = api.get(f"/api/items/{served.item('whistle.wav')}/peaks").json()
    assert peaks["duration_s"] == pytest.approx(3.0, abs=0.01)
    assert all(0 <= peak <= 1 for peak in peaks["peaks"])


# --- what is not there


@pytest.mark.parametrize(
    "part", ["", "/text", "/thumb", "/picture", "/audio", "/peaks", "/original", "/page/1"]
)
@pytest.mark.parametrize("item", ["a" * 26, "A" * 26, "a" * 27, "%2e%2e", "1", "a" * 25 + "1"])
def test_unknown_items(api: httpx.Client, item: str, part: str) -> None:
    answer = api.get(f"/api/items/{item}{part}")
    assert answer.status_code in (404, 405)
    assert answer.json()["error"]["sentence"]


def test_parts_an_item_has_not(served: Running, api: httpx.Client) -> None:
    photo, sound = served.item("sunset.png"), served.item("whistle.wav")
    for address in (f"{photo}/audio", f"{photo}/peaks", f"{photo}/page/1", f"{sound}/picture"):
        assert api.get(f"/api/items/{address}").status_code == 404


# --- originals


def test_original_is_saved_never_shown(served: Running, folder: Path, api: httpx.Client) -> None:
    answer = api.get(f"/api/items/{served.item('boats.pdf')}/original")
    assert answer.content == (folder / "boats.pdf").read_bytes()
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-disposition"] == (
        "attachment; filename=\"boats.pdf\"; filename*=UTF-8''boats.pdf"
    )


def test_original_with_an_impossible_name(served: Running, api: httpx.Client) -> None:
    item = served.item('a \\xff\n"name".txt')
    answer = api.get(f"/api/items/{item}/original")
    assert answer.text == "An oddly named file about zebras.\n"
    assert answer.headers["content-disposition"] == (
        "attachment; filename=\"a _xff__name_.txt\"; filename*=UTF-8''a%20%5Cxff%0A%22name%22.txt"
    )


@given(name=st.text(st.characters(exclude_characters="/\0", codec="utf-8"), min_size=1))
def test_a_name_stays_in_its_header(name: str) -> None:
    header = content_disposition(name)
    header.encode("latin-1")
    assert "\r" not in header
    assert "\n" not in header
    assert header.count('"') == 2


def test_a_file_swapped_for_a_link(tmp_path: Path) -> None:
    base = tmp_path / "library"
    folder = base / "files"
    folder.mkdir(parents=True)
    secret = tmp_path / "secret"
    secret.mkdir()
    (secret / "notes.txt").write_text("another's")
    (folder / "notes.txt").write_text("mine")
    (folder / "other.txt").write_text("the other")
    with small_library(folder, base / "data") as library, running(library) as server:
        address = f"/api/items/{server.item('notes.txt')}/original"
        with server.program() as client:
            assert client.get(address).text == "mine"
            (folder / "notes.txt").unlink()
            assert client.get(address).status_code == 404
            (folder / "notes.txt").symlink_to(secret / "notes.txt")
            assert client.get(address).status_code == 404
            (folder / "notes.txt").unlink()
            os.mkfifo(folder / "notes.txt")
            assert client.get(address).status_code == 404  # and it does not wait for a writer
            folder.rename(base / "moved")
            folder.symlink_to(secret)
            assert client.get(address).status_code == 404


def test_open_plain(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_text("x")
    with open_regular_file(file) as opened:
        assert opened.read() == b"x"
    for wrong in (tmp_path, tmp_path / "none", file / "below"):
        with pytest.raises(NotFoundError):
            open_regular_file(wrong)


# --- films


@pytest.mark.slow
def test_a_film_is_found_by_a_frame_and_played_in_any_browser(tmp_path: Path) -> None:
    seconds = np.arange(18 * 48_000) / 48_000
    sound = np.where(seconds % 6 < 3, 0.3 * np.sin(2 * np.pi * 440 * seconds), 0)
    (tmp_path / "files").mkdir()
    film(tmp_path / "files" / "holiday.mp4", sound=sound.astype(np.float32))
    with (
        small_library(tmp_path / "files", tmp_path / "data") as library,
        running(library) as server,
        server.program() as api,
    ):
        hits = api.get("/api/search", params={"q": "red", "kind": "recording"}).json()["hits"]
        assert hits[0]["path"].endswith("holiday.mp4")
        assert hits[0]["source"] == "caption"
        assert hits[0]["place"] == {"start_s": 0.0, "end_s": 0.0}
        item = f"/api/items/{hits[0]['id']}"
        facts = api.get(item).json()
        assert (facts["w"], facts["h"], facts["kind"]) == (320, 180, "recording")
        for second, channel in ((0, 0), (6, 2), (12, 1)):
            answer = api.get(f"{item}/picture", params={"px": 160, "at": second})
            with Picture.open(io.BytesIO(answer.content)) as picture:
                assert picture.size == (160, 90)
                assert int(np.argmax(np.asarray(picture)[2, 2])) == channel
        assert api.get(f"{item}/picture").status_code == 404
        assert api.get(f"{item}/picture", params={"at": "nan"}).status_code == 422
        assert len(api.get(f"{item}/thumb").content) > 100
        whole = api.get(f"{item}/audio")
        assert whole.headers["content-type"] == "audio/wav"
        samples, rate_hz = soundfile.read(io.BytesIO(whole.content))
        assert samples.size == pytest.approx(18 * rate_hz, rel=0.01)
        assert np.abs(samples[rate_hz : 2 * rate_hz]).max() == pytest.approx(0.3, abs=0.05)
        assert np.abs(samples[4 * rate_hz : 5 * rate_hz]).max() < 0.05
        for wanted, start, end in (
            ("0-99", 0, 100),
            ("30-2047", 30, 2048),
            ("400001-", 400_001, None),
        ):
            part = api.get(f"{item}/audio", headers={"Range": f"bytes={wanted}"})
            assert part.status_code == 206
            assert int(part.headers["content-length"]) == len(part.content)
            if end is not None:
                assert part.content == whole.content[start:end]
            else:
                ours = np.frombuffer(part.content[1:], "<i2").astype(int)
                theirs = np.frombuffer(whole.content[start + 1 :], "<i2").astype(int)
                assert np.abs(ours - theirs).mean() < 60
        head = api.head(f"{item}/audio")
        assert int(head.headers["content-length"]) == len(whole.content)
        beyond = api.get(f"{item}/audio", headers={"Range": "bytes=99999999-"})
        assert beyond.status_code == 416
        assert len(api.get(f"{item}/peaks").json()["peaks"]) == 400


# --- sound tracks


def second_sent(api: httpx.Client, address: str) -> float:
    """The second that is heard four seconds into the sound that is sent."""
    sound, rate_hz = soundfile.read(io.BytesIO(api.get(address).content), dtype="float32")
    assert sound.size / rate_hz == pytest.approx(6, abs=0.1)
    return second_heard(np.asarray(sound[round(3.9 * rate_hz) : round(4.1 * rate_hz)]), rate_hz)


def test_a_hit_names_its_sound_track_and_that_is_sent(served: Running, api: httpx.Client) -> None:
    item = served.item("dubbed.mkv")
    hits = served.library.search("loud", limit=5)["hits"]
    (place,) = [hit["place"] for hit in hits if hit["id"] == item]
    assert place is not None
    assert (place["track"], place["label"]) == (2, "German (Surround)")
    assert place_phrase(place).endswith(", track 2: German (Surround)")
    facts = api.get(f"/api/items/{item}").json()
    assert facts["tracks"] == [
        {"track": 1, "label": "English"},
        {"track": 2, "label": "German (Surround)"},
    ]
    assert facts["notes"] == []
    spoken = api.get(f"/api/items/{item}/text").json()["passages"]
    assert {passage["place"].get("track") for passage in spoken} == {1, 2}
    address = f"/api/items/{item}/audio"
    assert second_sent(api, f"{address}?track=2") == pytest.approx(4 + LATER_S, abs=0.1)
    assert second_sent(api, f"{address}?track=1") == pytest.approx(4, abs=0.1)
    assert second_sent(api, address) == pytest.approx(4, abs=0.1)


def test_each_sound_track_has_its_peaks_and_no_other_track_is_sent(
    served: Running, api: httpx.Client
) -> None:
    address = f"/api/items/{served.item('dubbed.mkv')}"
    quiet, loud = (api.get(f"{address}/peaks?track={n}").json()["peaks"] for n in (1, 2))
    assert max(loud) > 3 * max(quiet)
    for part in ("audio?track=3", "peaks?track=3"):
        assert api.get(f"{address}/{part}").status_code == 404
    assert api.get(f"{address}/audio?track=0").status_code == 422
    whistle = f"/api/items/{served.item('whistle.wav')}/audio"
    assert api.get(f"{whistle}?track=1").status_code == 200
    assert api.get(f"{whistle}?track=2").status_code == 404
