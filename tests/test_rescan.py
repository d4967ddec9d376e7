"""When is looked where: at networks, after sleep, when the watcher dies, at what was missed."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from indexer.catalog.catalog import Catalog
from indexer.files.mounts import Mount, _mount, mount_of, mounts, network_places
from indexer.ingest.audit import Audit
from indexer.ingest.service import IndexService
from indexer.scan import rescan as module
from indexer.scan.rescan import Rescan, RescanTimes
from indexer.types.changes import Changes
from tests.library import Small, small, until
from tests.mounted import memory


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Small]:
    with small(tmp_path / "lib", tmp_path / "data") as library:
        yield library


def next_changes(rescan: Rescan) -> Changes:
    """What is found at the first hint that arrives."""
    end = time.monotonic() + 60
    while (changes := rescan.look()) is None:
        assert time.monotonic() < end
        time.sleep(0.02)
    return changes


@pytest.fixture
def rescan(library: Small) -> Iterator[Rescan]:
    rescan = Rescan(library.catalog, lambda: None, lambda: None, RescanTimes(settle_s=0.0))
    rescan.start()
    yield rescan
    rescan.stop()


# --- what is looked at


def test_everything_at_the_start_then_only_what_is_hinted_at(
    library: Small, rescan: Rescan
) -> None:
    library.write("a.txt", "boat")
    assert rescan.look() == Changes(added=1)
    assert rescan.look() is None
    library.write("b.txt", "boat")
    assert next_changes(rescan) == Changes(added=1)


def test_fault_13_sleep_means_a_look_everywhere(
    library: Small, rescan: Rescan, monkeypatch: pytest.MonkeyPatch
) -> None:
    rescan.look()
    assert rescan._watcher is not None
    rescan._watcher.follow([])  # no events arrive while the machine sleeps
    rescan._watcher.finish()
    library.write("a.txt", "boat")
    assert rescan.look() is None
    real = time.time
    monkeypatch.setattr("indexer.scan.rescan.time.time", lambda: real() + 300)
    assert rescan.look() == Changes(added=1)
    assert rescan.look() is None, "once"


def test_fault_30_watcher_that_died_is_begun_anew(library: Small, rescan: Rescan) -> None:
    rescan.look()
    assert rescan._watcher is not None
    observer = rescan._watcher._observer
    assert observer is not None
    observer.stop()
    library.write("a.txt", "boat")
    assert rescan.look() == Changes(added=1)
    assert rescan.restarts == 1
    library.write("b.txt", "boat")
    assert next_changes(rescan) == Changes(added=1), "events arrive again"


def test_fault_30_watcher_that_fell_silent_is_begun_anew(
    library: Small, rescan: Rescan, monkeypatch: pytest.MonkeyPatch
) -> None:
    rescan.look()
    monkeypatch.setattr(module, "PROBE_S", 0.0)
    assert rescan.look() is None
    assert rescan._watcher is not None
    monkeypatch.setattr(rescan._watcher, "probe", lambda: False)
    library.write("a.txt", "boat")
    assert rescan.look() == Changes(added=1)
    assert rescan.restarts == 1


def test_fault_20_folders_beyond_the_limit_are_looked_at(
    library: Small, rescan: Rescan, monkeypatch: pytest.MonkeyPatch
) -> None:
    from watchdog.observers.inotify_c import InotifyFD

    def full(*_: object) -> None:
        raise OSError(28, "inotify watch limit reached")

    assert rescan._watcher is not None
    library.write("sub/a.txt", "boat")
    rescan._watcher.follow([])
    monkeypatch.setattr(InotifyFD, "add_callback", full)
    rescan.look()
    [refused] = rescan.unwatched
    assert refused.path == library.folder, "one folder stands for all below it"
    assert "sudo sysctl fs.inotify.max_user_watches=" in refused.sentence
    library.write("sub/b.txt", "boat")
    monkeypatch.setattr(module, "POLL_S", 0.0)
    assert rescan.look() == Changes(added=1)


def test_offline_root_is_looked_for_without_looking_everywhere(
    library: Small, rescan: Rescan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library.write("a.txt", "boat")
    rescan.look()
    library.folder.rename(tmp_path / "away")
    rescan.everywhere()
    rescan.look()
    assert library.catalog.roots.all()[0].offline
    rescanned_at = rescan.rescanned_at
    (tmp_path / "away").rename(library.folder)
    monkeypatch.setattr(module, "POLL_S", 0.0)
    rescan.look()
    assert not library.catalog.roots.all()[0].offline
    assert rescan.rescanned_at == rescanned_at


def test_path_that_is_not_there_is_looked_at(library: Small, rescan: Rescan) -> None:
    path = library.write("a.txt", "boat")
    rescan.look()
    assert rescan._watcher is not None
    rescan._watcher.follow([])
    rescan._watcher.finish()
    path.unlink()
    library.write("other.txt", "river")
    assert rescan.is_there(library.folder)
    assert not rescan.is_there(path)
    assert rescan.look() == Changes(gone=1)


# --- networks


def test_what_the_kernel_says_of_mounts() -> None:
    line = rb"36 35 0:98 / /mnt/my\040share rw,noatime master:1 - nfs4 box:/x rw"
    mount = _mount(line)
    assert mount == Mount(Path("/mnt/my share"), "nfs4", os.makedev(0, 98))
    assert mount.network
    assert _mount(b"") is None
    mount = mount_of(Path("/proc/self"))
    assert mount is not None
    assert mount.type == "proc"
    assert any(known.path == Path("/") for known in mounts())


@pytest.mark.parametrize(
    ("kind", "network"),
    [("nfs", True), ("cifs", True), ("smb3", True), ("9p", True), ("vboxsf", True),
     ("fuse.sshfs", True), ("fuse.rclone", True), ("fuse", True), ("drvfs", True), ("ext4", False),
     ("btrfs", False), ("fuseblk", False), ("tmpfs", False), ("fusectl", False)],
)  # fmt: skip
def test_fault_27_network_file_systems_are_known(kind: str, network: bool) -> None:
    known = [Mount(Path("/"), "ext4"), Mount(Path("/home/ada/far"), kind)]
    places = network_places([Path("/home/ada")], known)
    assert places == ({Path("/home/ada/far"): kind} if network else {})
    inside = network_places([Path("/home/ada/far/deep")], known)
    assert inside == ({Path("/home/ada/far/deep"): kind} if network else {})


def test_a_local_file_system_over_a_network_one() -> None:
    far, near = Mount(Path("/far"), "nfs"), Mount(Path("/far/disk"), "ext4")
    over = Mount(Path("/far"), "tmpfs")
    assert network_places([Path("/far/disk/a")], [far, near]) == {}
    assert network_places([Path("/far")], [far, over]) == {}


def test_real_mount_is_seen(tmp_path: Path) -> None:
    with memory(tmp_path / "lib") as folder:
        mount = mount_of(folder / "deep")
        assert mount is not None
        assert (mount.path, mount.type, mount.device) == (folder, "tmpfs", folder.stat().st_dev)


@pytest.fixture
def far(library: Small, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of the library that is taken to lie on a network."""
    place = library.folder / "far"
    place.mkdir()
    monkeypatch.setattr(module, "network_places", lambda roots: {place: "nfs"})
    return place


def test_fault_27_network_folders_are_polled_apart(
    library: Small, far: Path, rescan: Rescan
) -> None:
    library.write("near.txt", "boat")
    library.write("far/a.txt", "river")
    assert rescan.look() == Changes(added=1), "only what is near"
    assert rescan.poll() == RescanTimes().network_poll_s
    assert {row.path.name for row in library.catalog.files.page()} == {"near.txt", "a.txt"}
    library.write("far/b.txt", "river")
    time.sleep(0.2)
    assert rescan.look() is None, "no events come from there"
    assert 0 < rescan.poll() <= RescanTimes().network_poll_s, "it is not time yet"
    rescan.everywhere()
    assert rescan.look() == Changes(), "what is known of it stays"
    rescan.poll()
    assert library.catalog.counts.states() == {"pending": 3}


def test_fault_27_network_that_hangs_holds_up_nothing_else(
    library: Small, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    share = tmp_path / "share"
    share.mkdir()
    (share / "a.txt").write_text("river")
    library.catalog.roots.add(share)
    library.service.run_once()
    monkeypatch.setattr(module, "network_places", lambda roots: {share: "nfs"})
    monkeypatch.setattr(module, "SILENT_S", 0.3)
    answers = threading.Event()
    real = os.scandir

    def hanging(path: bytes | str) -> object:
        if os.fsencode(path).startswith(os.fsencode(share)):
            answers.wait(60)
        return real(path)

    monkeypatch.setattr(os, "scandir", hanging)
    library.service.start()
    try:
        path = library.write("near.txt", "boat")
        until(lambda: library.found("boat") == [path])
        until(lambda: library.catalog.roots.all()[1].offline)
        assert "does not answer" in (library.catalog.roots.all()[1].sentence or "")
        answers.set()
        until(lambda: not library.catalog.roots.all()[1].offline)
    finally:
        answers.set()
        library.service.stop()


# --- the audit


def test_fault_12_same_size_and_times_with_other_bytes_are_found_by_the_audit(
    library: Small,
) -> None:
    path = library.write("a.txt", "boat")
    library.service.run_once()
    known = path.stat()
    path.write_text("oars")
    os.utime(path, ns=(known.st_atime_ns, known.st_mtime_ns))
    with library.catalog.database.writing() as db:  # a file system that keeps no ctime
        db.execute("UPDATE files SET ctime_ns = ?", (path.stat().st_ctime_ns,))
    assert library.service.run_once() == Changes()
    assert Audit(library.catalog.database, 3600).run() == 0, "it was read a moment ago"
    assert Audit(library.catalog.database, 0).run() == 0, "it is switched off"
    assert Audit(library.catalog.database, 1e-9).run() == 1
    library.service.run_once()
    assert library.found("oars") == [path]
    assert library.found("boat") == []


def test_audit_leaves_the_unchanged_and_the_vanished_alone(library: Small) -> None:
    library.write("a.txt", "boat")
    gone = library.write("b.txt", "river")
    library.service.run_once()
    gone.unlink()
    calls = library.model.calls
    assert Audit(library.catalog.database, 1e-9).run() == 2
    assert library.catalog.counts.states() == {"understood": 2}
    library.service.run_once()
    assert library.model.calls == calls


def test_audit_is_made_when_nothing_else_is_to_do(library: Small) -> None:
    path = library.write("a.txt", "boat")
    library.service.run_once()
    times = RescanTimes(settle_s=0.1)
    service = IndexService(library.catalog, library.pipeline, times=times, audit_s=1.0)
    with library.catalog.database.writing() as db:
        db.execute("UPDATE contents SET content = content")
        db.execute("UPDATE files SET audited_at = 1")
    service.start()
    try:
        until(lambda: _audited_at(library.catalog) > 1)
        assert library.found("boat") == [path]
    finally:
        service.stop()


def _audited_at(catalog: Catalog) -> float:
    with catalog.database.reading() as db:
        return float(db.execute("SELECT min(audited_at) AS at FROM files").fetchone()["at"])


def test_file_read_right_after_it_was_written_waits_for_the_next_tick(library: Small) -> None:
    path = library.write("a.txt", "boat")
    library.service.run_once()
    with library.catalog.database.reading() as db:
        row = db.execute("SELECT * FROM files").fetchone()
    assert row["audited_at"] - path.stat().st_mtime > 0.02


def test_fault_21_folders_made_with_files_in_them_at_once(library: Small, rescan: Rescan) -> None:
    rescan.look()
    library.write("a/b/c/1.txt", "boat")
    assert next_changes(rescan) == Changes(added=1)
    library.write("a/b/c/2.txt", "boat")
    assert next_changes(rescan) == Changes(added=1), "the innermost is watched"
