"""What takes the model long is not lost when it is cut short."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile

from indexer.ingest import understand
from indexer.scan.reconcile import reconcile
from indexer.types.passages import FIRST_UNDERSTOOD
from model.interface import Description as Heard
from model.interface import Image, ModelError, Sound
from tests.fake_model import FakeModel
from tests.library import Small, small

CLIPS = 14


class Interrupted(FakeModel):
    """Ends like a killed process, for the pipeline: no answer after `after` clips."""

    def __init__(self, after: int) -> None:
        super().__init__()
        self.after = after

    def describe(self, content: Image | Sound) -> Heard:
        if self.calls >= self.after:
            raise ModelError("The machine was switched off.")
        return super().describe(content)


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


def drafts(library: Small) -> int:
    with library.catalog.database.reading() as db:
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
        assert drafts(library) == 9
        assert library.catalog.counts.coverage()["understood"] == 0
    with small(tmp_path / "lib", tmp_path / "cut", FakeModel()) as library:
        library.pipeline.housekeeping.recover()
        assert library.pipeline.understanding.run() == 1
        assert library.model.calls == CLIPS - 9
        assert library.rows() == wanted
        assert library.vectors() == vectors
        assert drafts(library) == 0


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
        assert drafts(library) == 0
    with small(tmp_path / "lib", tmp_path / "other", FakeModel()) as library:
        library.pipeline.housekeeping.recover()
        talks(library.folder / "talk.wav", clips=3)
        read(library)
        library.pipeline.housekeeping.tidy(thoroughly=True)
        assert drafts(library) == 0
