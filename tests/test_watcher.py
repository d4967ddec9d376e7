from __future__ import annotations

import errno
import os
import resource
import shutil
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from watchdog.observers.inotify_c import (
    InotifyConstants,
    InotifyEvent,
    InotifyFD,
    WatchDescriptor,
)

from indexer.files.walk import WalkLimits, walk
from indexer.scan.unwatched import Unwatched, unwatched
from indexer.scan.watcher import Watcher
from indexer.types.changes import Hint


@dataclass
class Watched:
    folder: Path
    watcher: Watcher
    woken: threading.Event
    marks: int = 0

    def hints(self, *wanted: Hint, within_s: float = 60.0) -> set[Hint]:
        """What was hinted at until all that is wanted was, or the time is over; folders that were
        hinted at are walked through, as the indexer does."""
        hints: set[Hint] = set()
        end = time.monotonic() + within_s
        while not (wanted and hints.issuperset(wanted)) and time.monotonic() < end:
            self.woken.wait(0.05)
            self.woken.clear()
            for hint in self.watcher.events.take() or []:
                hints.add(hint)
                if hint.deep:
                    go_through(self.watcher, hint.path)
        return hints

    def news(self) -> set[Hint]:
        """What was hinted at of all that has happened so far: hints come in its order."""
        self.marks += 1
        mark = self.folder / f"mark {self.marks}.txt"
        mark.write_text("words")
        hints = self.hints(Hint(mark, deep=False))
        return {hint for hint in hints if not hint.path.name.startswith("mark ")}


def go_through(watcher: Watcher, folder: Path) -> None:
    list(walk(os.fsencode(folder), limits=WalkLimits(entering=watcher.enter)))


def follow(watcher: Watcher, *folders: Path) -> list[Unwatched]:
    """Watches folders as a look everywhere does; returns what could not be."""
    watcher.follow(folders)
    for folder in folders:
        go_through(watcher, folder)
    watcher.finish()
    return watcher.unwatched


def heard(watcher: Watcher) -> list[Hint] | None:
    """The first hints that arrive."""
    end = time.monotonic() + 60
    while (hints := watcher.events.take()) == []:
        assert time.monotonic() < end
        time.sleep(0.02)
    return hints


@pytest.fixture(params=["folders", pytest.param("trees", marks=pytest.mark.slow)])
def watched(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Watched]:
    folder = tmp_path / "lib"
    (folder / "data").mkdir(parents=True)
    woken = threading.Event()
    by_folder = request.param == "folders"
    watcher = Watcher(woken.set, ignored=folder / "data", folder_by_folder=by_folder)
    assert follow(watcher, folder) == []
    yield Watched(folder, watcher, woken)
    watcher.stop()
    assert not watcher.alive()


def test_saved_file_is_hinted_at(watched: Watched) -> None:
    path = watched.folder / "a.txt"
    path.write_text("words")
    assert watched.hints(Hint(path, deep=False)) == {Hint(path, deep=False)}
    assert watched.watcher.events.take() == [], "hints are taken once"


def test_reading_a_file_is_no_news(watched: Watched) -> None:
    path = watched.folder / "a.txt"
    path.write_text("words")
    watched.news()
    path.read_text()
    assert watched.news() == set()


def test_fault_17_atomic_save_hints_at_the_name_alone(watched: Watched) -> None:
    path = watched.folder / "a.txt"
    part = watched.folder / "a.txt.part"
    part.write_text("words")
    part.replace(path)
    assert watched.hints(Hint(path, deep=False)) == {Hint(path, deep=False)}


def test_fault_22_folders_made_moved_and_removed_are_looked_through(
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
    assert watched.news() == set()


@pytest.fixture
def watcher(tmp_path: Path) -> Iterator[Watcher]:
    """Folder by folder, as on Linux."""
    (tmp_path / "data").mkdir()
    watcher = Watcher(lambda: None, ignored=tmp_path / "data", folder_by_folder=True)
    yield watcher
    watcher.stop()


def inotify(watcher: Watcher) -> InotifyFD:
    fd: InotifyFD = watcher._observer._fd  # type: ignore[union-attr]
    return fd


def watches(watcher: Watcher) -> set[Path]:
    """The folders that the kernel watches for us, by its own word."""
    known = watcher._observer._by_watch  # type: ignore[union-attr]
    number = inotify(watcher)._inotify_fd
    lines = Path(f"/proc/self/fdinfo/{number}").read_text().splitlines()
    numbers = [int(line.split()[1].partition(":")[2], 16) for line in lines if "inotify" in line]
    return {Path(os.fsdecode(known[wd])) for wd in numbers if wd in known}


def test_fault_19_lost_events_mean_a_look_everywhere(watcher: Watcher, tmp_path: Path) -> None:
    follow(watcher, tmp_path)
    lost = InotifyEvent(WatchDescriptor(-1), InotifyConstants.IN_Q_OVERFLOW, 0, b"")
    inotify(watcher).handle_event(lost)
    assert watcher.events.take() is None
    assert watcher.events.take() == []


@pytest.mark.slow
def test_fault_19_a_queue_that_overflows(watcher: Watcher, tmp_path: Path) -> None:
    follow(watcher, tmp_path)
    most = int(Path("/proc/sys/fs/inotify/max_queued_events").read_text())
    if most > 100_000:
        pytest.skip(f"the queue holds {most} events here: NOT tested")
    with inotify(watcher)._lock:  # the reading thread stands still meanwhile
        for n in range(most // 2 + 100):
            (tmp_path / f"{n % 200}.txt").touch()
            (tmp_path / f"{n % 200}.txt").unlink()
    end = time.monotonic() + 60
    while watcher.events.take() is not None:
        assert time.monotonic() < end
        time.sleep(0.05)


def test_more_hints_than_are_worth_it_mean_a_look_everywhere(tmp_path: Path) -> None:
    watcher = Watcher(lambda: None, ignored=tmp_path / "data", most_hints=5)
    follow(watcher, tmp_path)
    end = time.monotonic() + 60
    while watcher.events.take() is not None:  # it hears them in as many goes as it likes
        assert time.monotonic() < end
        for n in range(10):
            (tmp_path / f"{n}.txt").touch()
        time.sleep(0.3)
    watcher.events.take()
    time.sleep(0.3)
    assert watcher.events.take() == []
    watcher.stop()


def test_fault_20_no_more_watchers_are_to_be_had(watcher: Watcher, tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
    try:
        watcher.follow([tmp_path])
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    [refused] = watcher.unwatched
    assert "max_user_instances" in refused.sentence
    assert watcher.events.take() == []
    assert follow(watcher, tmp_path) == [], "it is tried again"


def test_fault_20_folders_beyond_the_limit(
    watcher: Watcher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a/b/c", "d/e"):
        (tmp_path / name).mkdir(parents=True)
    real, left = InotifyFD.add_callback, [4]

    def limited(self: InotifyFD, path: bytes, *rest: object) -> object:
        if left[0] == 0:
            raise OSError(errno.ENOSPC, "inotify watch limit reached")
        left[0] -= 1
        return real(self, path, *rest)  # type: ignore[arg-type]

    watcher.follow([tmp_path])
    monkeypatch.setattr(InotifyFD, "add_callback", limited)
    go_through(watcher, tmp_path)
    refused = watcher.unwatched
    assert refused
    assert all(
        "sudo sysctl fs.inotify.max_user_watches=" in unwatched.sentence for unwatched in refused
    )
    covered = watches(watcher)
    for folder in (tmp_path, *tmp_path.glob("**/")):
        polled = any(unwatched.path in (folder, *folder.parents) for unwatched in refused)
        assert polled or folder in covered or folder.name == "data"
    left[0] = 100
    assert follow(watcher, tmp_path) == [], "room again"
    assert tmp_path / "d" / "e" in watches(watcher)


def test_fault_39_what_is_left_alone_costs_no_watch(watcher: Watcher, tmp_path: Path) -> None:
    for name in (".git/objects/ab", "node_modules/x", "left out/deep", "kept/deep"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / ".recollectignore").write_text("left out/\n")
    follow(watcher, tmp_path)
    kept = {tmp_path, tmp_path / "kept", tmp_path / "kept" / "deep", tmp_path / "data"}
    assert watches(watcher) == kept
    (tmp_path / ".recollectignore").write_text("kept/deep/\n")
    follow(watcher, tmp_path)
    left = {tmp_path / "left out", tmp_path / "left out" / "deep"}
    assert watches(watcher) == (kept | left) - {tmp_path / "kept" / "deep"}


def test_fault_38_changed_rules_are_a_look_at_their_folder(watched: Watched) -> None:
    (watched.folder / ".recollectignore").write_text("*.log")
    assert watched.hints(Hint(watched.folder)) == {Hint(watched.folder)}


def test_fault_23_folder_moved_out_is_watched_no_longer(watcher: Watcher, tmp_path: Path) -> None:
    (tmp_path / "lib" / "a" / "b").mkdir(parents=True)
    follow(watcher, tmp_path / "lib")
    (tmp_path / "lib" / "a").rename(tmp_path / "out")
    end = time.monotonic() + 60
    while len(watches(watcher)) > 1:
        assert time.monotonic() < end
        time.sleep(0.02)
    (tmp_path / "out" / "b" / "a.txt").write_text("words")
    time.sleep(0.3)
    moved = {tmp_path / "lib", tmp_path / "lib" / "a"}  # the move itself is heard, late at times
    assert {hint.path for hint in watcher.events.take() or ()} <= moved


def test_root_that_is_renamed_is_looked_at(watcher: Watcher, tmp_path: Path) -> None:
    (tmp_path / "lib" / "a").mkdir(parents=True)
    follow(watcher, tmp_path / "lib")
    (tmp_path / "lib").rename(tmp_path / "out")
    assert heard(watcher) == [Hint(tmp_path / "lib")]


def test_fault_31_withdrawn_permission_is_hinted_at(watcher: Watcher, tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("words")
    follow(watcher, tmp_path)
    path.chmod(0o000)
    assert heard(watcher) == [Hint(path, deep=False)]


def test_fault_30_a_watcher_that_stands_still_is_noticed(watcher: Watcher, tmp_path: Path) -> None:
    follow(watcher, tmp_path)
    assert watcher.probe(), "none was sent yet"
    time.sleep(0.3)
    until_probed(watcher)
    with inotify(watcher)._lock:
        time.sleep(0.3)
        watcher.probe()
        time.sleep(0.3)
        assert not watcher.probe()
    until_probed(watcher)


def until_probed(watcher: Watcher) -> None:
    end = time.monotonic() + 60
    while not watcher.probe():
        assert time.monotonic() < end
        time.sleep(0.3)


@pytest.mark.parametrize(
    ("error", "name"), [(errno.ENOSPC, "max_user_watches"), (errno.EMFILE, "max_user_instances")]
)
def test_fault_20_limit_of_the_system_is_named_with_its_cure(error: int, name: str) -> None:
    sentence = unwatched(Path("/lib"), OSError(error, "no")).sentence
    assert f"sudo sysctl fs.inotify.{name}=" in sentence


def test_folder_removed_and_made_again_is_watched_again(watched: Watched, tmp_path: Path) -> None:
    shutil.rmtree(watched.folder)
    watched.hints(within_s=1.0)
    watched.folder.mkdir()
    follow(watched.watcher, watched.folder)
    path = watched.folder / "a.txt"
    path.write_text("words")
    assert Hint(path, deep=False) in watched.hints(Hint(path, deep=False))


def test_folder_no_longer_followed_is_silent(watched: Watched) -> None:
    follow(watched.watcher)
    (watched.folder / "a.txt").write_text("words")
    assert watched.hints(within_s=0.5) == set()
