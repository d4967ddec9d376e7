"""What takes the model long is not lost when it is cut short."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import soundfile

from indexer.catalog.catalog import Catalog
from indexer.ingest import read as read_stage
from indexer.ingest import understand
from indexer.scan.reconcile import reconcile
from indexer.types.passages import FIRST_UNDERSTOOD, Passage
from indexer.types.pieces import Piece
from model.interface import Content, Image, ModelError, Role, Sound, Vectors
from model.interface import Description as Heard
from tests.conftest import Indexed, serve, stop
from tests.fake_model import FakeModel
from tests.library import Small, small, until
from web.library.client import Client

CLIPS = 14
PASSAGE_S = 0.2


class Interrupted(FakeModel):
    """Ends like a killed process, for the pipeline: no answer after `after` clips or passages."""

    def __init__(self, after: int) -> None:
        super().__init__()
        self.after = after

    def describe(self, content: Image | Sound) -> Heard:
        if self.calls >= self.after:
            raise ModelError("The machine was switched off.")
        return super().describe(content)

    def embed(self, contents: Sequence[Content], role: Role = "item") -> list[Vectors]:
        if self.calls >= self.after:
            raise ModelError("The machine was switched off.")
        return super().embed(contents, role)


class Clock:
    """Time that passes only where somebody is said to work."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def monotonic(self) -> float:
        return self.now_s


class Slow(FakeModel):
    """Takes PASSAGE_S for each passage, by the clock."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock

    def embed(self, contents: Sequence[Content], role: Role = "item") -> list[Vectors]:
        self._clock.now_s += PASSAGE_S * len(contents)
        return super().embed(contents, role)


def talks(path: Path, clips: int = CLIPS) -> Path:
    """A beep, each as high as none before, and a silence that parts it from the next."""
    time_s = np.arange(16_000) / 16_000
    sounds = [
        np.concatenate([0.3 * np.sin(2 * np.pi * (150 + 40 * n) * time_s), np.zeros(32_000)])
        for n in range(clips)
    ]
    soundfile.write(path, np.concatenate(sounds), 16_000)
    return path


def read(library: Small) -> None:
    reconcile(library.catalog)
    while library.pipeline.reading.run():
        pass


def book(words: str = "boat") -> str:
    """A text of a little more than two hundred passages."""
    filler = "The garden lies behind the river. " * 19
    return "".join(f"{words} is number {n}. {filler}" for n in range(200))


def passages_left(catalog: Catalog) -> int:
    with catalog.database.reading() as db:
        return int(db.execute("SELECT sum(words) FROM contents").fetchone()[0])


def understood(library: Small) -> set[str]:
    names = {path.name for path in library.folder.iterdir()}
    items = {name: library.catalog.items.at_path(library.folder / name) for name in names}
    return {name for name, item in items.items() if item and item.state == "understood"}


def has_drafts(catalog: Catalog, more_than: int) -> bool:
    return drafts(catalog) > more_than


def drafts(catalog: Catalog) -> int:
    with catalog.database.reading() as db:
        return int(db.execute("SELECT count(*) FROM drafts").fetchone()[0])


def test_fault_57_a_long_recording_goes_on_where_it_was_cut_short(tmp_path: Path) -> None:
    with small(tmp_path / "lib", tmp_path / "whole", FakeModel()) as library:
        talks(library.folder / "talk.wav")
        read(library)
        assert library.pipeline.understanding.run() == 1
        assert library.model.calls == CLIPS
        wanted, vectors = library.rows(), library.vectors()
    with small(tmp_path / "lib", tmp_path / "cut", Interrupted(after=9)) as library:
        read(library)
        with pytest.raises(ModelError):
            library.pipeline.understanding.run()
        assert drafts(library.catalog) == 9
        assert library.catalog.counts.coverage()["understood"] == 0
    with small(tmp_path / "lib", tmp_path / "cut", FakeModel()) as library:
        library.pipeline.housekeeping.recover()
        assert library.pipeline.understanding.run() == 1
        assert library.model.calls == CLIPS - 9
        assert library.rows() == wanted
        assert library.vectors() == vectors
        assert drafts(library.catalog) == 0


def test_a_long_text_goes_on_where_it_was_cut_short(tmp_path: Path) -> None:
    with small(tmp_path / "lib", tmp_path / "whole", FakeModel()) as library:
        library.write("book.txt", book())
        read(library)
        count = passages_left(library.catalog)
        library.pipeline.understanding.run()
        assert library.model.calls == count
        wanted, vectors = library.rows(), library.vectors()
    with small(tmp_path / "lib", tmp_path / "cut", Interrupted(after=100)) as library:
        read(library)
        with pytest.raises(ModelError):
            library.pipeline.understanding.run()
        kept = drafts(library.catalog)
        assert 100 <= kept < count
        assert understood(library) == set()
    with small(tmp_path / "lib", tmp_path / "cut", FakeModel()) as library:
        library.pipeline.housekeeping.recover()
        library.pipeline.understanding.run()
        assert library.model.calls == count - kept
        assert library.rows() == wanted
        assert library.vectors() == vectors
        assert drafts(library.catalog) == 0


def test_long_texts_take_turns_and_say_how_long_they_take(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    monkeypatch.setattr(understand, "time", clock)
    with small(tmp_path / "lib", tmp_path / "data", Slow(clock)) as library:
        stage = library.pipeline.understanding
        library.write("first.txt", book("money"))
        library.write("second.txt", book("garden"))
        read(library)
        assert library.pipeline.remaining_s() is None
        whole_s = passages_left(library.catalog) * PASSAGE_S
        stage.run()
        assert clock.now_s <= understand.INSTALMENT_S + 32 * PASSAGE_S, "a turn is bounded"
        left_s = library.pipeline.remaining_s()
        assert left_s is not None
        assert abs(left_s - (whole_s - clock.now_s)) <= 1
        library.write("short.txt", "A boat on the river.")
        read(library)
        stage.run()
        assert understood(library) == {"short.txt"}, "before the rest of the books"
        ends: dict[str, float] = {}
        while stage.run():
            ends |= {name: clock.now_s for name in understood(library) - ends.keys()}
            left_s = library.pipeline.remaining_s()
            assert left_s is not None
            assert abs(left_s - (whole_s + PASSAGE_S - clock.now_s)) <= 1
        first_s, second_s = sorted(ends[name] for name in ("first.txt", "second.txt"))
        assert second_s - first_s <= 2 * understand.INSTALMENT_S, "neither waits for the other"
        assert first_s > whole_s / 2 + understand.INSTALMENT_S
        assert library.pipeline.remaining_s() == 0


def test_drafts_of_a_text_that_was_read_anew_are_not_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another version of the program cuts the same bytes into other passages."""
    with small(tmp_path / "lib", tmp_path / "data", Interrupted(after=100)) as library:
        library.write("book.txt", book())
        read(library)
        with pytest.raises(ModelError):
            library.pipeline.understanding.run()
    cut = read_stage.passages_of

    def otherwise(pieces: Iterable[Piece]) -> tuple[Passage, ...]:
        return tuple(replace(passage, text=passage.text.upper()) for passage in cut(pieces))

    monkeypatch.setattr(read_stage, "passages_of", otherwise)
    with small(tmp_path / "lib", tmp_path / "data", FakeModel()) as library:
        with library.catalog.database.writing() as db:
            db.execute("UPDATE contents SET extractor = 0")
        library.pipeline.housekeeping.recover()
        read(library)
        assert drafts(library.catalog) == 0
        library.pipeline.understanding.run()
        assert library.model.calls == len(library.rows())


@pytest.mark.slow
def test_a_book_outlasts_kills_of_the_server_and_is_done_when_it_says(tmp_path: Path) -> None:
    """With the model that ships. Two kills; what is estimated is what it takes."""
    library = Indexed(tmp_path / "lib", tmp_path / "data")
    library.folder.mkdir()
    text = "".join(book(word) for word in ("boat", "money", "garden", "river", "meeting", "loud"))
    (library.folder / "book.txt").write_text(text)
    calls = []
    for after in (200, 500):
        running = serve("serve", library.folder, library=library)
        with closing(Catalog(library.data / "catalog.sqlite")) as catalog:
            until(partial(has_drafts, catalog, after), 300)
            running.process.kill()
            running.process.communicate()
            calls.append(drafts(catalog))
    running = serve("serve", library.folder, library=library)
    try:
        with Client(running.url, running.token) as client:
            until(lambda: client.status()["eta_s"], 300)
            eta_s = client.status()["eta_s"] or 0
            took_s = until(lambda: client.status()["coverage"]["understood"], 600)
            with closing(Catalog(library.data / "catalog.sqlite")) as catalog:
                count = passages_left(catalog)
            assert count > 1_200
            assert client.status()["model"]["calls"] < count - calls[-1] + 32 + 8
        assert eta_s / 2 < took_s < eta_s * 2
    finally:
        stop(running)


@pytest.mark.slow
def test_a_long_recording_lets_others_have_a_turn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(understand, "INSTALMENT_S", 0.0)
    with small(tmp_path / "lib", tmp_path / "data", FakeModel()) as library:
        talks(library.folder / "talk.wav")
        soundfile.write(library.folder / "beep.wav", np.full(16_000, 0.2), 16_000)
        read(library)
        assert library.pipeline.understanding.run() == 2
        assert library.catalog.counts.coverage()["understood"] == 1
        turns = 0
        while library.pipeline.understanding.run():
            turns += 1
        assert turns == CLIPS - 1
        assert library.catalog.counts.coverage()["understood"] == 2
        assert library.model.calls == CLIPS + 1


@pytest.mark.slow
def test_what_failed_in_an_instalment_is_not_tried_in_each(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Deaf(FakeModel):
        def describe(self, content: Image | Sound) -> Heard:
            assert isinstance(content, Sound)
            if self.calls == 2:
                self.calls += 1
                raise RuntimeError("out of order")
            return super().describe(content)

    monkeypatch.setattr(understand, "INSTALMENT_S", 0.0)
    with small(tmp_path / "lib", tmp_path / "data", Deaf()) as library:
        talks(library.folder / "talk.wav")
        read(library)
        while library.pipeline.understanding.run():
            pass
        assert library.model.calls == CLIPS
        item = library.catalog.items.at_path(library.folder / "talk.wav")
        assert item is not None
        assert item.state == "understood"
        assert item.sentence is not None
        assert item.sentence.startswith(f"1 of {CLIPS} parts")
        ordinals = [ordinal for _, ordinal, *_ in library.rows()]
        assert ordinals == [FIRST_UNDERSTOOD + n for n in range(CLIPS) if n != 2]


@pytest.mark.slow
def test_another_model_and_another_file_begin_anew(tmp_path: Path) -> None:
    with small(tmp_path / "lib", tmp_path / "data", Interrupted(after=9)) as library:
        talks(library.folder / "talk.wav")
        read(library)
        with pytest.raises(ModelError):
            library.pipeline.understanding.run()
    shutil.copytree(tmp_path / "data", tmp_path / "other")
    with small(tmp_path / "lib", tmp_path / "data", FakeModel("2")) as library:
        library.pipeline.housekeeping.recover()
        library.pipeline.understanding.run()
        assert library.model.calls == CLIPS
        assert drafts(library.catalog) == 0
    with small(tmp_path / "lib", tmp_path / "other", FakeModel()) as library:
        library.pipeline.housekeeping.recover()
        talks(library.folder / "talk.wav", clips=3)
        read(library)
        library.pipeline.housekeeping.tidy(thoroughly=True)
        assert drafts(library.catalog) == 0
