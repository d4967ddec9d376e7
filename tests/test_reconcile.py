from __future__ import annotations

import os
import resource
import shutil
import socket
import time
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from indexer.catalog.catalog import Catalog
from indexer.files.walk import is_elsewhere
from indexer.scan.reconcile import reconcile
from indexer.types.changes import Changes, Hint
from tests.library import as_nobody, small, write


def names(catalog: Catalog) -> list[str]:
    return sorted(row.path.name for row in catalog.files.page(limit=100_000))


def ids(catalog: Catalog) -> dict[int, bytes]:
    with catalog.database.reading() as db:
        return {row["id"]: row["path"] for row in db.execute("SELECT id, path FROM files")}


def test_added_changed_and_gone(catalog: Catalog, lib: Path) -> None:
    write(lib / "a.txt")
    write(lib / "sub" / "b.txt")
    assert reconcile(catalog) == Changes(added=2)
    assert reconcile(catalog) == Changes()
    write(lib / "a.txt", "other words")
    (lib / "sub" / "b.txt").unlink()
    write(lib / "c.txt")
    assert reconcile(catalog) == Changes(added=1, changed=1, gone=1)
    assert names(catalog) == ["a.txt", "c.txt"]


def test_fault_12_same_size_and_time_with_another_inode_is_a_change(
    catalog: Catalog, lib: Path
) -> None:
    first = write(lib / "a.txt", "one")
    reconcile(catalog)
    mtime_ns = first.stat().st_mtime_ns
    second = write(lib / "b.tmp", "two")
    os.utime(second, ns=(mtime_ns, mtime_ns))
    second.replace(first)
    assert reconcile(catalog) == Changes(changed=1)


def test_fault_17_atomic_save_is_one_change(catalog: Catalog, lib: Path) -> None:
    write(lib / "a.txt", "one")
    reconcile(catalog)
    before = ids(catalog)
    write(lib / "a.txt.part", "two").replace(lib / "a.txt")
    assert reconcile(catalog) == Changes(changed=1)
    assert ids(catalog) == before


def test_renamed_folder_keeps_its_rows(catalog: Catalog, lib: Path) -> None:
    for n in range(50):
        write(lib / "old" / f"{n}.txt", f"text {n}")
    reconcile(catalog)
    before = ids(catalog)
    (lib / "old").rename(lib / "new")
    assert reconcile(catalog) == Changes(moved=50)
    assert ids(catalog).keys() == before.keys()
    assert all(path.startswith(b"new/") for path in ids(catalog).values())


def test_rename_seen_through_hints_of_one_side_only(catalog: Catalog, lib: Path) -> None:
    write(lib / "a" / "x.txt")
    reconcile(catalog)
    (lib / "a").rename(lib / "b")
    assert reconcile(catalog, [Hint(lib / "b")]) == Changes(moved=1)
    assert reconcile(catalog, [Hint(lib / "a")]) == Changes()


def test_fault_12_swapped_names_are_two_changes_and_no_loss(catalog: Catalog, lib: Path) -> None:
    write(lib / "a.txt", "one")
    write(lib / "b.txt", "two")
    reconcile(catalog)
    (lib / "a.txt").rename(lib / "c.txt")
    (lib / "b.txt").rename(lib / "a.txt")
    (lib / "c.txt").rename(lib / "b.txt")
    assert reconcile(catalog) == Changes(changed=2)


def test_fault_32_hard_links_move_one_each(catalog: Catalog, lib: Path) -> None:
    write(lib / "a" / "x.txt")
    os.link(lib / "a" / "x.txt", lib / "a" / "y.txt")
    reconcile(catalog)
    (lib / "a").rename(lib / "b")
    assert reconcile(catalog) == Changes(moved=2)
    assert names(catalog) == ["x.txt", "y.txt"]


def test_move_from_one_root_to_another(catalog: Catalog, lib: Path, tmp_path: Path) -> None:
    (tmp_path / "two").mkdir()
    catalog.roots.add(tmp_path / "two")
    write(lib / "a.txt")
    write(lib / "b.txt")
    reconcile(catalog)
    (lib / "a.txt").rename(tmp_path / "two" / "a.txt")
    assert reconcile(catalog) == Changes(moved=1)


def test_hint_at_a_file_looks_at_that_file_alone(catalog: Catalog, lib: Path) -> None:
    write(lib / "a.txt")
    write(lib / "b.txt")
    assert reconcile(catalog, [Hint(lib / "a.txt", deep=False)]) == Changes(added=1)
    assert names(catalog) == ["a.txt"]
    (lib / "a.txt").unlink()
    assert reconcile(catalog, [Hint(lib / "a.txt", deep=False)]) == Changes(gone=1)


def test_shallow_hint_leaves_deeper_files_alone(catalog: Catalog, lib: Path) -> None:
    write(lib / "sub" / "deep" / "a.txt")
    reconcile(catalog)
    shutil.rmtree(lib / "sub" / "deep")
    write(lib / "sub" / "b.txt")
    assert reconcile(catalog, [Hint(lib / "sub", deep=False)]) == Changes(added=1)
    assert reconcile(catalog, [Hint(lib / "sub")]) == Changes(gone=1)


def test_hint_outside_of_every_root_is_nothing(catalog: Catalog, lib: Path) -> None:
    write(lib.parent / "a.txt")
    assert reconcile(catalog, [Hint(lib.parent / "a.txt"), Hint(Path("/nowhere"))]) == Changes()


def test_file_that_became_a_folder(catalog: Catalog, lib: Path) -> None:
    write(lib / "a.txt")
    reconcile(catalog)
    (lib / "a.txt").unlink()
    write(lib / "a.txt" / "b.txt", "others")
    assert reconcile(catalog, [Hint(lib / "a.txt")]) == Changes(added=1, gone=1)
    assert names(catalog) == ["b.txt"]


@pytest.mark.parametrize(
    "name",
    [
        ".git/config",
        ".ssh/id_rsa",
        ".hidden.txt",
        "node_modules/x/index.txt",
        "__pycache__/a.txt",
        "film.mp4.part",
        "a.crdownload",
        "~$letter.docx",
        ".~lock.letter.odt#",
        "#a.txt#",
        "a.txt~",
        "a.swp",
        "server.key",
        "cert.PEM",
        "id_ed25519.pub",
        "Thumbs.db",
        "env/pyvenv.cfg",
        "env/lib/a.txt",
        "cache/CACHEDIR.TAG",
        "cache/a.txt",
    ],
)
def test_fault_39_left_alone_by_default(catalog: Catalog, lib: Path, name: str) -> None:
    write(lib / "env" / "pyvenv.cfg")
    write(lib / "cache" / "CACHEDIR.TAG")
    path = write(lib / name)
    assert reconcile(catalog) == Changes()
    hints = [Hint(path, deep=False), Hint(path.parent)]
    assert reconcile(catalog, hints) == Changes()


def test_fault_33_links_pipes_and_sockets_are_not_files(catalog: Catalog, lib: Path) -> None:
    outside = write(lib.parent / "outside" / "secret.txt")
    (lib / "link.txt").symlink_to(outside)
    (lib / "folder").symlink_to(outside.parent)
    (lib / "loop").symlink_to(lib)
    os.mkfifo(lib / "pipe.txt")
    with socket.socket(socket.AF_UNIX) as server:
        before = Path.cwd()
        os.chdir(lib)  # a socket's path is short
        server.bind("socket.txt")
        os.chdir(before)
        assert reconcile(catalog) == Changes()
        hints = [
            Hint(lib / "pipe.txt"),
            Hint(lib / "link.txt"),
            Hint(lib / "folder" / "secret.txt"),
        ]
        assert reconcile(catalog, hints) == Changes()


def test_fault_11_our_own_data_inside_a_root(tmp_path: Path) -> None:
    write(tmp_path / "lib" / "a.txt")
    catalog = Catalog(tmp_path / "lib" / "recollect data" / "catalog.sqlite")
    write(tmp_path / "lib" / "recollect data" / "deep" / "b.txt")
    catalog.roots.add(tmp_path / "lib")
    assert reconcile(catalog) == Changes(added=1)
    assert reconcile(catalog, [Hint(catalog.file.parent), Hint(catalog.file)]) == Changes()
    (tmp_path / "lib" / "recollect data").rename(tmp_path / "lib" / "other name")
    moved = Catalog(tmp_path / "lib" / "other name" / "catalog.sqlite")
    assert reconcile(moved) == Changes()


@pytest.mark.parametrize(
    "name",
    [b"two\nlines.txt", b"caf\xe9 \xff.txt", b"-rf.txt", b"tab\t.txt", b"a" * 251 + b".txt",
     "‮txt.exe.txt".encode(), "é.txt".encode(), b"%s %d.txt", b"'; DROP TABLE files; --.txt"],
)  # fmt: skip
def test_fault_34_odd_names(catalog: Catalog, lib: Path, name: bytes) -> None:
    path = write(lib / os.fsdecode(name))
    assert reconcile(catalog) == Changes(added=1)
    assert os.fsencode(catalog.files.page()[0].path) == os.fsencode(lib) + b"/" + name
    (lib / "sub").mkdir()
    path = path.rename(lib / "sub" / path.name)
    assert reconcile(catalog) == Changes(moved=1)
    path.unlink()
    assert reconcile(catalog) == Changes(gone=1)


def test_fault_34_composed_and_decomposed_names_stay_two_files(catalog: Catalog, lib: Path) -> None:
    write(lib / "\u00e9.txt", "one")
    write(lib / "e\u0301.txt", "two")
    assert reconcile(catalog) == Changes(added=2)


def test_fault_26_missing_root_is_offline_and_remembered(catalog: Catalog, lib: Path) -> None:
    write(lib / "a.txt")
    write(lib / "b.txt")
    reconcile(catalog)
    lib.rename(lib.parent / "away")
    assert reconcile(catalog) == Changes()
    [root] = catalog.roots.all()
    assert root.offline
    assert root.sentence == f"The folder {lib} is not there; its 2 files are remembered."
    assert catalog.counts.coverage()["files"] == 0
    assert catalog.counts.states() == {"offline": 2}
    (lib.parent / "away").rename(lib)
    assert reconcile(catalog) == Changes()
    [root] = catalog.roots.all()
    assert not root.offline
    assert root.sentence is None


def test_fault_26_emptied_root_is_offline_and_remembered(catalog: Catalog, lib: Path) -> None:
    write(lib / "a.txt")
    reconcile(catalog)
    (lib / "a.txt").unlink()
    assert reconcile(catalog) == Changes()
    assert catalog.roots.all()[0].offline
    assert "is empty; its one file is remembered" in (catalog.roots.all()[0].sentence or "")


def test_empty_root_that_never_held_a_file_is_fine(catalog: Catalog) -> None:
    assert reconcile(catalog) == Changes()
    assert not catalog.roots.all()[0].offline


def test_renamed_root_is_recognised_when_it_is_added(catalog: Catalog, lib: Path) -> None:
    write(lib / "a.txt")
    reconcile(catalog)
    before = ids(catalog)
    lib.rename(lib.parent / "renamed")
    reconcile(catalog)
    catalog.roots.add(lib.parent / "renamed")
    assert reconcile(catalog) == Changes(moved=1)
    assert reconcile(catalog) == Changes()
    assert [root.path.name for root in catalog.roots.all()] == ["renamed"]
    assert ids(catalog) == before


def test_root_that_moved_into_another_root(catalog: Catalog, lib: Path, tmp_path: Path) -> None:
    write(lib / "a.txt")
    (tmp_path / "home").mkdir()
    catalog.roots.add(tmp_path / "home")
    reconcile(catalog)
    lib.rename(tmp_path / "home" / "lib")
    assert reconcile(catalog) == Changes(moved=1)
    assert [root.path for root in catalog.roots.all()] == [tmp_path / "home"]


def test_fault_31_unopenable_folder_hides_its_files_and_forgets_nothing() -> None:
    with as_nobody() as base:
        lib = base / "lib"
        write(lib / "shut" / "a.txt")
        write(lib / "b.txt")
        catalog = Catalog(base / "data" / "catalog.sqlite")
        catalog.roots.add(lib)
        reconcile(catalog)
        (lib / "shut").chmod(0)
        assert reconcile(catalog) == Changes()
        assert [(row.path.name, row.reason) for row in catalog.files.failed()] == [
            ("shut", "permission"),
            ("a.txt", "permission"),
        ]
        assert all("allow reading it" in row.sentence for row in catalog.files.failed())
        (lib / "shut").chmod(0o700)
        assert reconcile(catalog) == Changes()
        assert catalog.counts.states() == {"pending": 2}
        catalog.close()


def test_root_that_may_not_be_opened_is_offline() -> None:
    with as_nobody() as base:
        write(base / "lib" / "a.txt")
        catalog = Catalog(base / "data" / "catalog.sqlite")
        catalog.roots.add(base / "lib")
        reconcile(catalog)
        (base / "lib").chmod(0)
        assert reconcile(catalog) == Changes()
        assert "may not open" in (catalog.roots.all()[0].sentence or "")
        (base / "lib").chmod(0o700)
        reconcile(catalog)
        assert catalog.counts.coverage()["files"] == 1
        catalog.close()


def test_fault_12_file_waits_until_it_has_been_quiet(catalog: Catalog, lib: Path) -> None:
    write(lib / "new.txt")
    old = write(lib / "old.txt")
    reconcile(catalog, settle_s=5.0)

    def due_in_s() -> dict[bytes, float]:
        with catalog.database.reading() as db:
            rows = db.execute("SELECT path, due_at FROM files").fetchall()
        return {row["path"]: row["due_at"] - time.time() for row in rows}

    assert 3 < due_in_s()[b"new.txt"] <= 5
    os.utime(old, (2_000_000_000.0, 2_000_000_000.0))
    reconcile(catalog, settle_s=5.0)
    assert 3 < due_in_s()[b"old.txt"] <= 5, "a time in the future does not make it wait for years"


def test_fault_15_file_that_never_settles_is_read_after_a_while(
    catalog: Catalog, lib: Path
) -> None:
    log = write(lib / "log.txt")
    reconcile(catalog, settle_s=5.0)
    with catalog.database.writing() as db:
        db.execute("UPDATE files SET pending_since = pending_since - 100")
    write(log, "more words")
    assert reconcile(catalog, settle_s=5.0) == Changes(changed=1)
    with catalog.database.reading() as db:
        assert db.execute("SELECT due_at FROM files").fetchone()["due_at"] < time.time()


@pytest.mark.slow
def test_fault_24_renaming_fifty_thousand_files_takes_seconds(catalog: Catalog, lib: Path) -> None:
    for folder in range(50):
        (lib / "old" / str(folder)).mkdir(parents=True)
        for n in range(1000):
            (lib / "old" / str(folder) / f"{n}.txt").touch()
    reconcile(catalog)
    (lib / "old").rename(lib / "new")
    began = time.perf_counter()
    assert reconcile(catalog) == Changes(moved=50_000)
    assert time.perf_counter() - began < 15


@pytest.mark.parametrize("letters", [10, 90, 170, 250])  # the first folder that does not fit,
def test_fault_35_folder_deeper_than_a_path_may_be_long(  # or what would be read in it
    catalog: Catalog, lib: Path, letters: int
) -> None:
    write(lib / "a.txt")
    start = lib / ("s" * letters)
    start.mkdir()
    handle = os.open(start, os.O_RDONLY)
    for _ in range(18):
        os.mkdir("d" * 250, dir_fd=handle)
        inner = os.open("d" * 250, os.O_RDONLY, dir_fd=handle)
        os.close(handle)
        handle = inner
    os.close(os.open("deep.txt", os.O_CREAT | os.O_WRONLY, dir_fd=handle))
    os.close(handle)
    assert reconcile(catalog) == Changes(added=1)
    [deep] = catalog.files.failed()
    assert deep.reason == "too_deep"
    assert reconcile(catalog) == Changes()
    shutil.rmtree(start)
    reconcile(catalog)
    assert catalog.files.failed() == []


@pytest.mark.slow
def test_fault_35_folder_with_very_many_files(catalog: Catalog, lib: Path) -> None:
    for n in range(100_000):
        os.close(os.open(lib / f"{n}.txt", os.O_CREAT | os.O_WRONLY))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert reconcile(catalog) == Changes(added=100_000)
    grown_mb = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    print(f"\n100,000 files in one folder: the process grew by {grown_mb:.0f} MB")
    assert grown_mb < 100


def test_fault_36_sparse_file_is_refused_unread(tmp_path: Path) -> None:
    with small(tmp_path / "lib", tmp_path / "data") as library:
        path = library.write("a.txt", "boat")
        os.truncate(path, 1 << 40)
        library.service.run_once()
        [failed] = library.catalog.files.failed()
        assert failed.reason == "too_large"


def test_fault_37_file_in_a_cloud_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with small(tmp_path / "lib", tmp_path / "data") as library:
        library.write("a.txt", "boat")
        monkeypatch.setattr("indexer.ingest.read.is_elsewhere", lambda status: True)
        library.service.run_once()
        [row] = library.catalog.files.page()
        assert (row.state, row.reason) == ("skipped", "placeholder")
        assert "is read once it is here" in (row.sentence or "")


def test_fault_37_marks_of_a_file_in_a_cloud(tmp_path: Path) -> None:
    assert not is_elsewhere(tmp_path.stat())
    windows = SimpleNamespace(st_file_attributes=0x400000 | 0x20)
    assert is_elsewhere(cast(os.stat_result, windows))
    assert not is_elsewhere(cast(os.stat_result, SimpleNamespace(st_file_attributes=0x20)))
    assert is_elsewhere(cast(os.stat_result, SimpleNamespace(st_flags=0x40000000)))


def test_fault_38_root_that_is_removed_takes_its_files_along(catalog: Catalog, lib: Path) -> None:
    write(lib / "a.txt")
    reconcile(catalog)
    assert catalog.roots.remove(lib) == 1
    assert reconcile(catalog) == Changes()
    assert catalog.counts.states() == {}
