"""A person asks and searches while files are being understood: how much longer they wait."""

from __future__ import annotations

import json
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import soundfile
from PIL import Image as Picture

from bench.prompts import LIBRARY, POCKET
from bench.report import Report, Row
from model.runtime.runtime import Runtime
from model.runtime.slices import SLICE_S
from recollect import build
from web.library.library import Library
from web.machine.demonstration import copy_demonstration
from web.machine.settings import Settings

SEED = 1
ROUNDS, ASKED = 4, 8
PAUSE_S = 0.4  # a person reads before asking on; meanwhile the background works
PICTURES = {".png", ".jpg", ".webp"}
SOUNDS = {".wav", ".ogg", ".flac", ".mp3"}


@dataclass
class Waits:
    """Seconds until the first word of an answer, and until the hits of a search."""

    first_s: list[float] = field(default_factory=list)
    found_s: list[float] = field(default_factory=list)


def run(quick: bool) -> Report:
    rounds, asked = (1, 6) if quick else (ROUNDS, ASKED)
    facts = json.loads((POCKET / "demonstration.json").read_text())
    questions = [entry["question"] for entry in facts["questions"]]
    idle, busy = Waits(), Waits()
    with tempfile.TemporaryDirectory() as base:
        known, new = Path(base) / "known", Path(base) / "new"
        copy_demonstration(known)
        _strange_files(new, 200 if quick else 1_000)
        library = build(Settings(data=Path(base) / "data", model="pocket"))
        with closing(library):
            library.add(str(known))
            library.index()
            library.add(str(new))
            slices = _runtime(library).slices
            _person(library, questions[:3], Waits())  # whatever the first of its kind costs
            slices.reset()
            longest_s = waited_s = 0.0
            for number in range(rounds):
                mine = [questions[(number * asked + at) % len(questions)] for at in range(asked)]
                _person(library, mine, idle)
                with _indexing(library):
                    slices.reset()
                    _person(library, mine, busy)
                    longest_s = max(longest_s, slices.longest_s)
                    waited_s = max(waited_s, slices.longest_wait_s)
                    assert library.status()["queue"], "the files were understood too soon"
    first, search_s = statistics.median(busy.first_s), statistics.median(busy.found_s)
    idle_first, idle_found = statistics.median(idle.first_s), statistics.median(idle.found_s)
    count = len(busy.first_s)
    rows = [
        Row("first_token", f"first word of an answer while files are understood, median of {count},"
            " over the same with nothing else to do plus the longest slice of background work",
            1e3 * first, "ms", 1e3 * (idle_first + longest_s), 1.0, at_most=True),
        Row("first_token_idle", "the same over the same with nothing else to do alone",
            1e3 * first, "ms", 1e3 * idle_first),
        Row("first_token_worst", "the longest of them, over the longest with nothing else to do "
            "plus the longest slice",
            1e3 * max(busy.first_s), "ms", 1e3 * (max(idle.first_s) + longest_s), 1.0,
            at_most=True),
        Row("slice", "the longest slice of background work, over what is aimed at",
            1e3 * longest_s, "ms", 1e3 * SLICE_S, 1.0, at_most=True),
        Row("wait", "the longest wait of a person for the model's thread, over the longest slice",
            1e3 * waited_s, "ms", 1e3 * longest_s, 1.0, at_most=True),
        Row("search", "hits of a search by words and meaning while files are understood, median, "
            "over the same with nothing else to do plus the longest slice",
            1e3 * search_s, "ms", 1e3 * (idle_found + longest_s), 1.0, at_most=True),
        Row("search_idle", "the same over the same with nothing else to do alone",
            1e3 * search_s, "ms", 1e3 * idle_found),
    ]  # fmt: skip
    return Report("people", rows, seeds=[SEED])


def _runtime(library: Library) -> Runtime:
    assert isinstance(library._runtime, Runtime)
    return library._runtime


@contextmanager
def _indexing(library: Library) -> Iterator[None]:
    """The index service at work on both stages, from when the model has begun."""
    slices = _runtime(library).slices
    slices.reset()
    library.service.start()
    try:
        until = time.monotonic() + 120
        while not slices.count:
            assert time.monotonic() < until, "the model was given nothing to do"
            time.sleep(0.05)
        yield
    finally:
        library.service.stop()


def _person(library: Library, questions: list[str], waits: Waits) -> None:
    for question in questions:
        time.sleep(PAUSE_S)
        began = time.perf_counter()
        library.search(question)
        waits.found_s.append(time.perf_counter() - began)
        time.sleep(PAUSE_S)
        began = time.perf_counter()
        answer = library.ask(question)
        for event in answer:
            assert event["event"] != "error", event
            if event["event"] == "token":
                waits.first_s.append(time.perf_counter() - began)
                break
        answer.close()  # type: ignore[attr-defined]


def _strange_files(folder: Path, count: int) -> None:
    """Files like the demonstration's, none of them the same: what is to be understood meanwhile."""
    folder.mkdir()
    rng = np.random.default_rng(SEED)
    files = sorted(path for path in LIBRARY.rglob("*") if path.is_file())
    for number in range(count):
        source = files[number % len(files)]
        target = folder / f"{number:04} {source.name}"
        if source.suffix in PICTURES:
            with Picture.open(source) as opened:
                opened.thumbnail((600, 600))
                pixels = np.asarray(opened.convert("RGB"), np.int16)
            noisy = np.clip(pixels + rng.integers(-20, 20, pixels.shape), 0, 255)
            Picture.fromarray(noisy.astype(np.uint8)).save(target.with_suffix(".png"))
        elif source.suffix in SOUNDS:
            samples, rate_hz = soundfile.read(source, dtype="float32", always_2d=True)
            samples += rng.normal(0, 0.003, samples.shape).astype(np.float32)
            soundfile.write(target.with_suffix(".wav"), samples, rate_hz)
        elif source.suffix in {".txt", ".md"}:
            target.write_text(source.read_text() + f"\n\nCopied as number {number}.\n")
