"""The demonstration library: every file is what its list says, and can be made again."""

from __future__ import annotations

import json
import shutil
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from model.answer_format import REFUSAL
from training.demonstration import write
from training.demonstration.library import SHIPPED
from training.demonstration.ogg import with_serial
from training.demonstration.typeset import paragraphs
from training.world.stems import content_words

LISTED: dict[str, Any] = json.loads(SHIPPED.with_suffix(".json").read_text("utf-8"))
FILES: dict[str, dict[str, Any]] = {file["path"]: file for file in LISTED["files"]}


def test_every_file_is_listed_and_every_listed_file_is_there() -> None:
    files = {file.relative_to(SHIPPED).as_posix() for file in SHIPPED.rglob("*") if file.is_file()}
    assert files == set(FILES)


def test_library_is_as_large_and_as_small_as_promised() -> None:
    kinds = [file["kind"] for file in FILES.values()]
    assert kinds.count("document") >= 14
    assert kinds.count("photo") >= 14
    assert kinds.count("recording") >= 9
    assert sum(file.stat().st_size for file in SHIPPED.rglob("*") if file.is_file()) < 3 * 2**20
    endings = {Path(path).suffix for path in FILES}
    assert endings == {
        ".pdf",
        ".md",
        ".txt",
        ".jpg",
        ".png",
        ".webp",
        ".wav",
        ".ogg",
        ".flac",
        ".mp3",
    }


@pytest.mark.parametrize("path", [path for path in FILES if path.endswith(".pdf")])
def test_pdf_pages_hold_their_words(path: str) -> None:
    from indexer.extract.pages.mupdf import pymupdf

    flags = pymupdf.TEXTFLAGS_TEXT & ~pymupdf.TEXT_PRESERVE_LIGATURES
    with pymupdf.open(SHIPPED / path) as book:
        assert book.page_count == len(FILES[path]["words"])
        for page, listed in zip(book, FILES[path]["words"], strict=True):
            text = " ".join(page.get_text(flags=flags).split())
            if "Notice in the hall" in path:
                assert text == ""
                assert page.get_images()
                continue
            for line in listed["text"].splitlines():
                assert " ".join(line.split()) in text


@pytest.mark.parametrize("path", [p for p, file in FILES.items() if file["kind"] == "photo"])
def test_picture_opens_and_has_a_caption(path: str) -> None:
    with Image.open(SHIPPED / path) as picture:
        assert picture.size == (800, 600)
        assert np.asarray(picture.convert("RGB")).std() > 20
    assert len(FILES[path]["words"][0]["text"].split()) >= 4


@pytest.mark.parametrize("path", [p for p, file in FILES.items() if file["kind"] == "recording"])
def test_recording_is_heard_where_its_turns_are(path: str) -> None:
    import soundfile

    samples, rate_hz = soundfile.read(SHIPPED / path, dtype="float32")
    turns = FILES[path]["words"]
    assert samples.ndim == 1
    assert rate_hz == 16_000
    assert turns[-1]["end_s"] <= len(samples) / rate_hz
    for turn in turns:
        assert turn["end_s"] - turn["start_s"] < 15
        heard = samples[int(turn["start_s"] * rate_hz) : int(turn["end_s"] * rate_hz)]
        assert np.sqrt((heard**2).mean()) > 0.02
    for before, after in pairwise(turns):
        gap = samples[int(before["end_s"] * rate_hz) + 800 : int(after["start_s"] * rate_hz) - 800]
        assert np.abs(gap).max() < 0.1


def test_questions_are_answered_where_they_say() -> None:
    assert len(LISTED["questions"]) >= 30
    for question in LISTED["questions"]:
        words = FILES[question["path"]]["words"]
        (place,) = [entry for entry in words if question["says"] in entry["text"]]
        for key in ("page", "start_s", "end_s"):
            assert question.get(key) == place.get(key)
        value = [word for word in question["value"].split() if word not in ("months", "euros")]
        assert all(word in place["text"] for word in value), question


def test_absent_questions_are_answered_nowhere() -> None:
    texts = [place["text"] for file in FILES.values() for place in file["words"]]
    sentences = [s for text in texts for line in text.splitlines() for s in line.split(". ")]
    assert len(LISTED["absent"]) >= 6
    for question in LISTED["absent"]:
        wanted = content_words(question)
        assert not any(wanted <= content_words(sentence) for sentence in sentences)
        assert question != REFUSAL


def test_searches_name_files_of_the_library() -> None:
    assert len(LISTED["searches"]) >= 12
    assert all(search["path"] in FILES for search in LISTED["searches"])


def test_pages_of_a_source_lose_their_marks() -> None:
    html = "<h1>Lease</h1><p>One.<br/>Two.</p><hr/><table><tr><td>a</td><td>b</td></tr></table>"
    assert paragraphs(html) == ["Lease\nOne.\nTwo.", "a\nb"]


def test_ogg_serial_leaves_the_sound_alone(tmp_path: Path) -> None:
    import soundfile

    path = next(path for path in FILES if path.endswith(".ogg"))
    file = tmp_path / "same.ogg"
    ogg = (SHIPPED / path).read_bytes()
    assert with_serial(ogg, int.from_bytes(ogg[14:18], "little")) == ogg
    file.write_bytes(with_serial(ogg, 77))
    assert np.array_equal(soundfile.read(file)[0], soundfile.read(SHIPPED / path)[0])
    with pytest.raises(ValueError, match="no Ogg page"):
        with_serial(b"RIFF" + bytes(60), 1)


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="espeak-ng speaks; apt")
def test_library_is_made_again_the_same_twice(tmp_path: Path) -> None:
    first, second = tmp_path / "one", tmp_path / "other"
    assert write(first) == write(second)
    for file in sorted(first.rglob("*")):
        if file.is_file():
            assert file.read_bytes() == (second / file.relative_to(first)).read_bytes(), file.name
