from __future__ import annotations

import hashlib
import os
import shutil
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from unittest.mock import Mock

import numpy as np
import pytest
import soundfile
from PIL import Image as Picture

from indexer.catalog.queue import Queue
from indexer.extract.process.pool import ReaderPool
from indexer.extract.process.reader import ReaderProcess
from indexer.ingest import read_ahead
from indexer.ingest.pipeline import Pipeline
from indexer.ingest.service import IndexService
from indexer.scan.reconcile import reconcile
from indexer.types.changes import Changes
from indexer.types.outcomes import Outcome, PendingFile
from indexer.types.passages import FIRST_UNDERSTOOD
from indexer.types.pieces import Extracted
from indexer.types.places import Kind, Span
from model.interface import Content, Fingerprint, ModelError, Role, Vectors
from tests.fake_model import FakeModel, counts
from tests.library import READER, Small, as_nobody, small


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Small]:
    with small(tmp_path / "lib", tmp_path / "data", FakeModel("1", "tornado", "hollow")) as library:
        yield library


def nearest(library: Small, words: str) -> list[str]:
    key = library.model.fingerprint.key
    matches = library.store.search.vectors(key, "gist", counts(words), 3)
    live = library.catalog.items.live_generations({match.generation for match in matches})
    items = library.catalog.items.of_contents({match.content for match in matches})
    return [items[match.content].path.name for match in matches if match.generation in live]


def tree(folder: Path) -> dict[str, tuple[int, int, str]]:
    """Mode, time and bytes of everything in a folder."""
    return {
        str(path.relative_to(folder)): (
            path.stat().st_mode,
            path.stat().st_mtime_ns,
            hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "",
        )
        for path in sorted(folder.rglob("*"))
    }


def beep(path: Path, hz: float = 200.0, seconds: float = 1.0) -> Path:
    time_s = np.arange(int(16_000 * seconds)) / 16_000
    soundfile.write(path, 0.5 * np.sin(2 * np.pi * hz * time_s), 16_000)
    return path


def test_words_come_before_the_model(library: Small) -> None:
    library.write("a.txt", "The boat lies in the river.")
    reconcile(library.catalog)
    assert library.pipeline.reading.run() == 1
    assert library.found("river") == [library.folder / "a.txt"]
    assert library.catalog.counts.coverage() == {
        "files": 1,
        "read": 1,
        "understood": 0,
        "failed": 0,
    }
    assert library.pipeline.understanding.model_calls == 0
    assert library.pipeline.understanding.run() == 1
    assert nearest(library, "boat river") == ["a.txt"]
    assert library.catalog.counts.coverage()["understood"] == 1
    assert library.pipeline.understanding.model_calls == 1
    assert library.pipeline.remaining_s() == 0


def test_photo_gets_a_caption_and_a_recording_a_transcript(library: Small) -> None:
    Picture.new("RGB", (64, 48), (250, 5, 5)).save(library.folder / "p.png")
    beep(library.folder / "s.wav")
    library.service.run_once()
    photo = library.catalog.items.at_path(library.folder / "p.png")
    sound = library.catalog.items.at_path(library.folder / "s.wav")
    assert photo is not None
    assert sound is not None
    assert (photo.kind, sound.kind) == (Kind.PHOTO, Kind.RECORDING)
    assert photo.thumb is not None
    assert library.catalog.items.thumb(
        photo.content,
    )
    assert photo.understood_generation is not None
    assert sound.understood_generation is not None
    generations = [photo.understood_generation, sound.understood_generation]
    [caption], [transcript, *_] = library.store.generations.passages(generations).values()
    assert caption.text == "A red picture."
    assert caption.ordinal == FIRST_UNDERSTOOD
    assert transcript.text == "A loud low sound."
    assert isinstance(transcript.place, Span)
    assert library.found("red") == [library.folder / "p.png"]
    assert nearest(library, "loud low")[0] == "s.wav"


def test_rename_of_a_folder_costs_nothing_and_keeps_every_name(library: Small) -> None:
    for n in range(20):
        library.write(f"old/{n}.txt", f"boat number {n}")
    assert library.service.run_once() == Changes(added=20)
    before = {row.item for row in library.catalog.files.page()}
    calls = library.pipeline.understanding.model_calls
    assert calls == 20
    (library.folder / "old").rename(library.folder / "new")
    assert library.service.run_once() == Changes(moved=20)
    assert {row.item for row in library.catalog.files.page()} == before
    assert library.pipeline.understanding.model_calls == calls
    assert library.found("number 7")[0] == library.folder / "new" / "7.txt"


def test_renamed_root_costs_nothing(library: Small, tmp_path: Path) -> None:
    library.write("a.txt", "boat")
    library.service.run_once()
    item = library.catalog.items.at_path(library.folder / "a.txt")
    library.folder.rename(tmp_path / "renamed")
    assert library.service.run_once() == Changes()
    assert library.found("boat") == []
    library.catalog.roots.add(tmp_path / "renamed")
    assert library.service.run_once() == Changes(moved=1)
    assert library.pipeline.understanding.model_calls == 1
    again = library.catalog.items.at_path(tmp_path / "renamed" / "a.txt")
    assert item is not None
    assert again is not None
    assert again.item == item.item


def test_move_to_another_disk_is_recognised_by_its_bytes(library: Small) -> None:
    library.write("a/x.txt", "boat")
    library.write("b.txt", "garden")
    library.service.run_once()
    shutil.copy(library.folder / "a" / "x.txt", library.folder / "y.txt")
    shutil.rmtree(library.folder / "a")
    assert library.service.run_once() == Changes(moved=1)
    assert library.pipeline.understanding.model_calls == 2


def test_change_replaces_and_never_blinks(library: Small) -> None:
    path = library.write("a.txt", "The old boat.")
    library.service.run_once()
    library.write("a.txt", "The new garden.")
    reconcile(library.catalog)
    assert library.found("old boat") == [path], "found until the new words are there"
    library.pipeline.reading.run()
    assert library.found("boat") == []
    assert library.found("garden") == [path]
    library.service.run_once()
    assert [row[4] for row in library.rows()] == ["The new garden."]


def test_delete_leaves_search_and_then_the_store(library: Small) -> None:
    library.write("a.txt", "boat")
    library.write("b.txt", "garden")
    library.service.run_once()
    (library.folder / "a.txt").unlink()
    reconcile(library.catalog)
    assert library.found("boat") == []
    library.service.run_once()
    assert [row[4] for row in library.rows()] == ["garden"]
    assert library.store.generations.all() == library.generations()


def test_a_text_that_breaks_the_model_breaks_nothing_else(library: Small) -> None:
    library.write("bad.txt", "A tornado came.")
    library.write("nothing.txt", "A hollow tree.")
    for n in range(5):
        library.write(f"{n}.txt", f"boat number {n}")
    library.service.run_once()
    assert library.catalog.counts.coverage() == {
        "files": 7,
        "read": 7,
        "understood": 5,
        "failed": 2,
    }
    reasons = {failure.path.name: failure for failure in library.catalog.files.failed()}
    assert reasons["bad.txt"].reason == "model"
    assert reasons["nothing.txt"].reason == "embedding"
    assert {failure.attempts for failure in reasons.values()} == {2}
    assert library.found("tornado") == [library.folder / "bad.txt"], "its words are still good"
    calls = library.pipeline.understanding.model_calls
    library.service.run_once()
    assert library.pipeline.understanding.model_calls == calls, "not tried for ever"
    assert library.catalog.files.retry(library.folder / "bad.txt") == 1
    library.service.run_once()
    assert library.pipeline.understanding.model_calls == calls + 2


def test_bad_files_have_a_reason_and_a_person_can_retry(library: Small) -> None:
    library.write("empty.txt", "")
    Picture.new("RGB", (64, 48), (250, 5, 5)).save(library.folder / "p.png")
    whole = (library.folder / "p.png").read_bytes()
    (library.folder / "p.png").write_bytes(whole[: len(whole) // 2])
    library.write("good.txt", "boat")
    library.service.run_once()
    failed = {failure.path.name: failure for failure in library.catalog.files.failed()}
    assert failed.keys() == {"empty.txt", "p.png"}
    assert all(failure.sentence.endswith(".") for failure in failed.values())
    assert library.service.run_once() == Changes()
    assert library.catalog.files.retry() == 2
    assert library.catalog.counts.states() == {"pending": 2, "understood": 1}
    library.service.run_once()
    assert library.catalog.counts.coverage()["failed"] == 2
    (library.folder / "p.png").write_bytes(whole)
    assert library.service.run_once() == Changes(changed=1)
    assert library.catalog.counts.coverage()["failed"] == 1


def test_file_without_read_permission() -> None:
    with as_nobody() as base:
        (base / "lib").mkdir()
        path = base / "lib" / "a.txt"
        path.write_text("boat")
        path.chmod(0)
        with small(base / "lib", base / "data") as library:
            library.service.run_once()
            [failure] = library.catalog.files.failed()
            assert failure.reason == "permission"
            assert "allow reading it" in failure.sentence
            assert library.catalog.counts.coverage() == {
                "files": 1, "read": 0, "understood": 0, "failed": 1
            }  # fmt: skip
            path.chmod(0o600)
            reconcile(library.catalog)
            assert library.catalog.counts.states() == {"pending": 1}


class Meddling(ReaderProcess):
    """Changes the file it reads, as an editor may at any moment."""

    def __init__(self, times: int) -> None:
        super().__init__()
        self.left = times

    def extract(self, path: Path, whole: bool = True) -> list[Extracted]:
        pieces = super().extract(path, whole)
        if self.left:
            self.left -= 1
            path.write_text("The garden came later.")
        return pieces


def test_fault_16_file_that_changes_while_it_is_read_is_read_again(library: Small) -> None:
    library.write("a.txt", "The boat came first.")
    pipeline = Pipeline(library.catalog, library.store, ReaderPool([Meddling(1)]), library.model)
    reconcile(library.catalog)
    pipeline.reading.run()
    assert library.found("boat") == []
    assert library.catalog.counts.states() == {"pending": 1}
    pipeline.close()
    library.service.run_once()
    assert library.found("garden") == [library.folder / "a.txt"]
    assert library.found("boat") == []


def test_newest_first_and_what_is_wanted_before_that(library: Small) -> None:
    for n, name in enumerate(["oldest", "middle", "newest"]):
        os.utime(library.write(f"{name}.txt", f"{name} boat"), (1000 + n, 1000 + n))
    reconcile(library.catalog)
    library.pipeline.reading.run(1)
    assert library.found("boat") == [library.folder / "newest.txt"]
    library.pipeline.reading.run()
    oldest = library.catalog.items.at_path(library.folder / "oldest.txt")
    assert oldest is not None
    library.catalog.items.want({oldest.item: time.time()})
    done: list[str] = []
    while library.pipeline.understanding.run(1):
        [understood] = {row.path.stem for row in library.catalog.files.page("understood")} - set(
            done
        )
        done.append(understood)
    assert done == ["oldest", "newest", "middle"]


def test_the_next_batch_is_read_while_one_is_written_down(
    library: Small, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is read twice or left out, copies in two batches among it."""
    monkeypatch.setattr(read_ahead, "MOST_FILES", 4)
    for n in range(24):
        library.write(f"{n:02}.txt", f"boat number {n % 20}")  # the last four are copies
    reconcile(library.catalog)
    claimed = threading.Event()
    claim, keep = library.pipeline.queue.claim_files, library.pipeline.reading._publish
    overlapped = []

    def claiming(limit: int) -> list[PendingFile]:
        claimed.set()
        return claim(limit)

    def keeping(done: Sequence[Outcome]) -> None:
        claimed.clear()
        overlapped.append(claimed.wait(0.3))
        keep(done)

    monkeypatch.setattr(library.pipeline.queue, "claim_files", claiming)
    monkeypatch.setattr(library.pipeline.reading, "_publish", keeping)
    while library.pipeline.reading.run(4, for_s=60):
        pass
    assert True in overlapped
    assert library.catalog.counts.states() == {"read": 24}
    assert len(library.found("boat")) == 20
    assert library.store.generations.passage_count() == 20


def test_copies_of_a_damaged_file_are_refused_without_going_round_in_circles(
    library: Small,
) -> None:
    for n in range(6):
        (library.folder / f"{n}.pdf").write_bytes(b"%PDF-1.7 and nothing that is one")
    reconcile(library.catalog)
    began = time.monotonic()
    while library.pipeline.reading.run(for_s=60):
        pass
    assert time.monotonic() - began < 30
    assert library.catalog.counts.states() == {"failed": 6}


def test_what_was_read_ahead_is_put_back_when_writing_down_fails(
    library: Small, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(12):
        library.write(f"{n:02}.txt", f"boat number {n}")
    reconcile(library.catalog)
    with monkeypatch.context() as broken:
        broken.setattr(library.store, "add_words", Mock(side_effect=OSError("no such luck")))
        with pytest.raises(OSError, match="luck"):
            library.pipeline.reading.run(4, for_s=60)
    assert library.catalog.counts.states() == {"pending": 12}
    library.service.run_once()
    assert library.catalog.counts.states() == {"understood": 12}
    assert len(library.found("boat")) == 12


def test_another_model_understands_everything_anew(library: Small, tmp_path: Path) -> None:
    library.write("a.txt", "boat")
    library.write("b.txt", "a tornado")
    library.service.run_once()
    old = library.model.fingerprint.key
    model = FakeModel("2")
    pipeline = Pipeline(library.catalog, library.store, ReaderPool([READER]), model)
    service = IndexService(library.catalog, pipeline)
    assert service.run_once() == Changes()
    assert library.catalog.counts.coverage()["understood"] == 2
    assert pipeline.understanding.model_calls == 2
    assert library.store.search.vectors(old, "gist", counts("boat"), 5) == []
    new = model.fingerprint.key
    assert len(library.store.search.vectors(new, "gist", counts("boat"), 5)) == 2


class Missing(FakeModel):
    """A model that cannot be loaded."""

    def embed(self, contents: object, role: Role = "item") -> list[Vectors]:
        raise ModelError("There is no model; name one with `--model`.")


def test_model_that_cannot_be_used_fails_no_file(library: Small) -> None:
    library.write("a.txt", "boat")
    pipeline = Pipeline(library.catalog, library.store, ReaderPool([READER]), Missing())
    with pytest.raises(ModelError, match="--model"):
        IndexService(library.catalog, pipeline).run_once()
    assert library.catalog.counts.coverage() == {
        "files": 1,
        "read": 1,
        "understood": 0,
        "failed": 0,
    }
    library.service.run_once()
    assert library.catalog.counts.coverage()["understood"] == 1


class Wrong(FakeModel):
    """Promises more numbers than its vectors have, and gives some that are none."""

    @property
    def fingerprint(self) -> Fingerprint:
        return Fingerprint("wrong", "counts", "1", "1", 4)

    def _vectors(self, content: Content) -> Vectors:
        nan = np.full(4, np.nan, dtype=np.float32)
        return Vectors(nan, nan)


def test_vectors_that_are_not_numbers_are_refused(library: Small) -> None:
    library.write("a.txt", "boat")
    pipeline = Pipeline(library.catalog, library.store, ReaderPool([READER]), Wrong())
    IndexService(library.catalog, pipeline).run_once()
    assert [failure.reason for failure in library.catalog.files.failed()] == ["embedding"]
    assert library.found("boat") == [library.folder / "a.txt"]


def test_rows_that_a_power_cut_took_are_made_again(library: Small) -> None:
    library.write("a.txt", "boat")
    library.write("b.txt", "garden")
    beep(library.folder / "s.wav")
    library.service.run_once()
    before = library.rows()
    gone = library.catalog.items.at_path(library.folder / "a.txt")
    heard = library.catalog.items.at_path(library.folder / "s.wav")
    assert gone is not None
    assert gone.read_generation is not None
    assert heard is not None
    assert heard.understood_generation is not None
    library.store.remove([gone.read_generation, heard.understood_generation])
    assert library.rows() != before
    library.service.run_once()
    assert library.rows() == before
    assert nearest(library, "loud low")[0] == "s.wav"


def test_rows_that_nobody_points_at_are_swept(library: Small) -> None:
    library.write("a.txt", "boat")
    library.service.run_once()
    item = library.catalog.items.at_path(library.folder / "a.txt")
    assert item is not None
    assert item.read_generation is not None
    [passages] = library.store.generations.passages([item.read_generation]).values()
    library.store.add_words([("ab" * 16, item.content, item.kind, passages)])
    assert library.found("boat") == [library.folder / "a.txt"], "and never shown"
    library.service.run_once()
    assert library.store.generations.all() == library.generations()


def test_reading_again_without_news_keeps_the_vectors(library: Small) -> None:
    library.write("a.txt", "boat")
    library.service.run_once()
    before = library.catalog.items.at_path(library.folder / "a.txt")
    with library.catalog.database.writing() as db:
        db.execute("UPDATE contents SET extractor = 0")  # as an older program would have left it
    library.service.run_once()
    assert library.catalog.items.at_path(library.folder / "a.txt") == before
    assert library.pipeline.understanding.model_calls == 1


def test_work_taken_by_a_killed_process_is_put_back(library: Small) -> None:
    library.write("a.txt", "boat")
    library.write("b.txt", "garden")
    reconcile(library.catalog)
    library.pipeline.reading.run(1)
    worklist = Queue(library.catalog.database)
    assert len(worklist.claim_files(5)) == 1
    assert len(worklist.claim_contents(5)) == 1
    assert library.catalog.counts.states() == {"reading": 1, "understanding": 1}
    library.service.run_once()
    assert library.catalog.counts.states() == {"understood": 2}


def test_odd_names_go_all_the_way(library: Small) -> None:
    for name in (b"two\nlines.txt", b"caf\xe9.txt"):
        with open(os.fsencode(library.folder) + b"/" + name, "w") as file:
            file.write(f"boat {len(name)}")
    library.service.run_once()
    assert library.catalog.counts.coverage()["understood"] == 2
    assert {os.fsencode(path.name) for path in library.found("boat")} == {
        b"two\nlines.txt", b"caf\xe9.txt"
    }  # fmt: skip


def test_a_persons_files_are_left_as_they_are(library: Small) -> None:
    library.write("sub/a.txt", "boat")
    library.write("empty.txt", "")
    Picture.new("RGB", (64, 48), (250, 5, 5)).save(library.folder / "p.png")
    beep(library.folder / "s.wav")
    before = tree(library.folder)
    library.service.run_once()
    library.catalog.files.retry()
    library.service.run_once()
    library.catalog.roots.remove(library.folder)
    library.service.run_once()
    assert tree(library.folder) == before
    assert library.rows() == []


def test_clock_that_was_set_back_delays_nothing_for_long(library: Small) -> None:
    library.write("a.txt", "boat")
    reconcile(library.catalog)
    with library.catalog.database.writing() as db:
        db.execute("UPDATE files SET due_at = due_at + 86400")
    assert library.pipeline.reading.run() == 1


def test_some_parts_that_fail_do_not_fail_the_rest(library: Small) -> None:
    words = "The boat lies in the river and nobody is there to see it. " * 12
    library.write("a.txt", f"{words}\n\n{words} A tornado came. {words}\n\n{words}")
    library.service.run_once()
    item = library.catalog.items.at_path(library.folder / "a.txt")
    assert item is not None
    assert item.state == "understood"
    assert item.reason == "model"
    assert "parts could not be understood" in (item.sentence or "")
    assert library.catalog.counts.coverage()["failed"] == 0
    assert library.catalog.files.retry() == 0, "only when a person names it"
    assert library.catalog.files.retry(item.path) == 1
    assert library.catalog.counts.states() == {"read": 1}
