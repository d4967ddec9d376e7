from __future__ import annotations

import errno
import logging
import resource
import shutil
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from indexer.changes import Hint
from indexer.watcher import OVERFLOW_LOGGER, Watcher, unwatched


@dataclass
class Watched:
    folder: Path
    watcher: Watcher
    woken: threading.Event

    def hints(self, *wanted: Hint, within_s: float = 5.0) -> set[Hint]:
        """What was hinted at until all that is wanted was, or the time is over."""
        found: set[Hint] = set()
        end = time.monotonic() + within_s
        while not (wanted and found.issuperset(wanted)) and time.monotonic() < end:
            self.woken.wait(0.05)
            self.woken.clear()
            found |= set(self.watcher.take() or [])
        return found


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    folder = tmp_path / "lib"
    (folder / "data").mkdir(parents=True)
    woken = threading.Event()
    watcher = Watcher(woken.set, ignored=folder / "data")
    assert watcher.follow([folder]) == []
    yield Watched(folder, watcher, woken)
    watcher.stop()
    assert not watcher.alive()


def test_saved_file_is_hinted_at(watched: Watched) -> None:
    path = watched.folder / "a.txt"
    path.write_text("words")
    assert watched.hints(Hint(path, deep=False)) == {Hint(path, deep=False)}
    assert watched.watcher.take() == [], "hints are taken once"


def test_reading_a_file_is_no_news(watched: Watched) -> None:
    path = watched.folder / "a.txt"
    path.write_text("words")
    watched.hints(Hint(path, deep=False))
    time.sleep(0.3)
    watched.watcher.take()
    path.read_text()
    assert watched.hints(within_s=0.5) == set()


def test_atomic_save_hints_at_the_name_alone(watched: Watched) -> None:
    path = watched.folder / "a.txt"
    part = watched.folder / "a.txt.part"
    part.write_text("words")
    part.replace(path)
    assert watched.hints(Hint(path, deep=False)) == {Hint(path, deep=False)}


def test_folders_made_moved_and_removed_are_looked_through(
    watched: Watched, tmp_path: Path
) -> None:
    outside = tmp_path / "outside" / "deep"
    outside.mkdir(parents=True)
    (outside / "a.txt").write_text("words")
    inside = watched.folder / "inside"
    (tmp_path / "outside").rename(inside)
    assert Hint(inside) in watched.hints(Hint(inside))
    (inside / "deep" / "b.txt").write_text("more")
    late = Hint(inside / "deep" / "b.txt", deep=False)
    assert late in watched.hints(late), "what came in later is watched too"
    renamed = watched.folder / "renamed"
    inside.rename(renamed)
    assert watched.hints(Hint(inside), Hint(renamed)) >= {Hint(inside), Hint(renamed)}
    shutil.rmtree(renamed)
    assert Hint(renamed) in watched.hints(Hint(renamed))


def test_what_is_left_alone_wakes_nobody(watched: Watched) -> None:
    for name in ("data/catalog.sqlite", ".git/index", "a.part", "node_modules/x.txt"):
        path = watched.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("words")
    assert watched.hints(within_s=0.7) == set()


def test_lost_events_mean_a_look_everywhere(watched: Watched) -> None:
    logging.getLogger(OVERFLOW_LOGGER).warning(
        "Inotify queue overflowed; filesystem events were lost"
    )
    assert watched.watcher.take() is None
    assert watched.watcher.take() == []


def test_more_hints_than_are_worth_it_mean_a_look_everywhere(tmp_path: Path) -> None:
    watcher = Watcher(lambda: None, ignored=tmp_path / "data", most_hints=5)
    watcher.follow([tmp_path])
    for n in range(10):
        (tmp_path / f"{n}.txt").touch()
    time.sleep(1)
    assert watcher.take() is None
    assert watcher.take() == []
    watcher.stop()


def test_folder_that_cannot_be_watched_has_a_sentence(watched: Watched) -> None:
    [refused] = watched.watcher.follow([watched.folder, watched.folder / "nowhere"])
    assert refused.path.name == "nowhere"
    assert "looked at every minute" in refused.sentence


def test_no_more_watchers_are_to_be_had(tmp_path: Path) -> None:
    watcher = Watcher(lambda: None, ignored=tmp_path / "data")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
    try:
        [refused] = watcher.follow([tmp_path])
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert "max_user_instances" in refused.sentence
    assert watcher.take() == []
    assert watcher.follow([tmp_path]) == [], "it is tried again"
    watcher.stop()


@pytest.mark.parametrize(
    ("error", "name"), [(errno.ENOSPC, "max_user_watches"), (errno.EMFILE, "max_user_instances")]
)
def test_limit_of_the_system_is_named_with_its_cure(error: int, name: str) -> None:
    sentence = unwatched(Path("/lib"), OSError(error, "no")).sentence
    assert f"sudo sysctl fs.inotify.{name}=" in sentence


def test_folder_removed_and_made_again_is_watched_again(watched: Watched, tmp_path: Path) -> None:
    shutil.rmtree(watched.folder)
    watched.hints(within_s=1.0)
    watched.folder.mkdir()
    watched.watcher.follow([watched.folder])
    path = watched.folder / "a.txt"
    path.write_text("words")
    assert Hint(path, deep=False) in watched.hints(Hint(path, deep=False))


def test_folder_no_longer_followed_is_silent(watched: Watched) -> None:
    watched.watcher.follow([])
    (watched.folder / "a.txt").write_text("words")
    assert watched.hints(within_s=0.5) == set()
