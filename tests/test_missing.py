"""Files that vanish by nobody's wish: they are hidden, kept, and never shown."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from indexer.catalog.catalog import Catalog
from indexer.catalog.roots import FolderError
from indexer.scan.reconcile import reconcile
from indexer.types.changes import Changes, Hint
from tests.mounted import memory, mounted, unmount


def fill(folder: Path, count: int, text: str = "words") -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for n in range(count):
        (folder / f"{n}.txt").write_text(f"{text} {n}")


def states(catalog: Catalog) -> dict[str, int]:
    return catalog.counts.states()


def test_fault_26_many_files_that_vanish_at_once_are_held_back(catalog: Catalog, lib: Path) -> None:
    fill(lib / "a", 60)
    fill(lib / "b", 60)
    reconcile(catalog)
    (lib / "a").rename(lib.parent / "away")
    assert reconcile(catalog) == Changes()
    assert states(catalog) == {"missing": 60, "pending": 60}
    assert catalog.counts.coverage()["files"] == 60, "they are hidden"
    [root] = catalog.roots.all()
    assert root.missing == 60
    assert root.acceptable
    assert not root.offline
    assert "60 files went missing at once" in (root.sentence or "")
    assert reconcile(catalog) == Changes(), "nothing more happens to them"
    (lib.parent / "away").rename(lib / "a")
    assert reconcile(catalog) == Changes()
    assert states(catalog) == {"pending": 120}
    assert catalog.roots.all()[0].missing == 0


def test_a_loss_that_a_person_accepts_is_forgotten(catalog: Catalog, lib: Path) -> None:
    fill(lib / "a", 60)
    fill(lib / "b", 60)
    reconcile(catalog)
    shutil.rmtree(lib / "a")
    reconcile(catalog)
    assert catalog.roots.accept(lib) == 60
    assert reconcile(catalog) == Changes(gone=60)
    assert states(catalog) == {"pending": 60}
    shutil.rmtree(lib / "b")
    fill(lib / "c", 1)
    assert reconcile(catalog) == Changes(added=1), "what was accepted once holds once"
    assert states(catalog) == {"missing": 60, "pending": 1}


def test_a_loss_is_taken_for_real_when_the_grace_is_over(catalog: Catalog, lib: Path) -> None:
    fill(lib / "a", 60)
    fill(lib, 2)
    reconcile(catalog)
    shutil.rmtree(lib / "a")
    reconcile(catalog, grace_s=60)
    assert states(catalog) == {"missing": 60, "pending": 2}
    with catalog.database.writing() as db:
        db.execute("UPDATE absent SET since = since - 61")
    assert reconcile(catalog, grace_s=60) == Changes(gone=60)


def test_a_small_loss_is_a_loss(catalog: Catalog, lib: Path) -> None:
    fill(lib / "a", 50)
    fill(lib / "b", 250)
    reconcile(catalog)
    shutil.rmtree(lib / "a")
    assert reconcile(catalog) == Changes(gone=50)


def test_many_small_losses_are_one_large_one(catalog: Catalog, lib: Path) -> None:
    for n in range(10):
        fill(lib / str(n), 12)
    reconcile(catalog)
    gone = Changes()
    for n in range(10):
        shutil.rmtree(lib / str(n))
        fill(lib / "kept", 1)
        gone += reconcile(catalog, [Hint(lib / str(n)), Hint(lib / "kept")])
    assert gone.gone == 48
    assert states(catalog) == {"missing": 72, "pending": 1}
    with catalog.database.writing() as db:
        db.execute("UPDATE roots SET gone_since = gone_since - 601")
        db.execute("DELETE FROM absent")
        db.execute("UPDATE files SET state = 'pending'")
    assert reconcile(catalog) == Changes(), "72 of 73 are many on their own"


def test_held_files_that_changed_meanwhile_are_read_again(catalog: Catalog, lib: Path) -> None:
    fill(lib / "a", 60)
    reconcile(catalog)
    (lib / "a").rename(lib.parent / "away")
    fill(lib, 1)
    reconcile(catalog)
    (lib.parent / "away" / "7.txt").write_text("other words")
    with catalog.database.writing() as db:
        db.execute("UPDATE absent SET state = 'failed'")
    (lib.parent / "away").rename(lib / "a")
    assert reconcile(catalog) == Changes(changed=1)
    assert states(catalog) == {"failed": 59, "pending": 2}


def test_held_files_found_elsewhere_are_moved(catalog: Catalog, lib: Path) -> None:
    fill(lib / "a", 60)
    reconcile(catalog)
    (lib / "a").rename(lib.parent / "away")
    fill(lib, 1)
    reconcile(catalog)
    (lib.parent / "away").rename(lib / "new name")
    assert reconcile(catalog) == Changes(moved=60)
    assert states(catalog) == {"pending": 61}


def test_emptied_root_is_kept_until_the_grace_is_over(catalog: Catalog, lib: Path) -> None:
    fill(lib, 2)
    reconcile(catalog)
    for file in lib.iterdir():
        file.unlink()
    assert reconcile(catalog) == Changes()
    assert catalog.roots.all()[0].why == "empty"
    with catalog.database.writing() as db:
        db.execute("UPDATE roots SET away_since = away_since - 100")
    assert reconcile(catalog, grace_s=200) == Changes()
    assert reconcile(catalog, grace_s=50) == Changes(gone=2)
    [root] = catalog.roots.all()
    assert not root.offline
    assert root.sentence is None


def test_another_folder_in_the_place_of_a_root(catalog: Catalog, lib: Path) -> None:
    fill(lib, 3)
    reconcile(catalog)
    lib.rename(lib.parent / "away")
    fill(lib, 2, "quite other words")
    assert reconcile(catalog) == Changes()
    [root] = catalog.roots.all()
    assert root.why == "replaced"
    assert "Another folder or drive is in the place of" in (root.sentence or "")
    assert states(catalog) == {"offline": 3}
    shutil.rmtree(lib)
    (lib.parent / "away").rename(lib)
    assert reconcile(catalog) == Changes()
    assert states(catalog) == {"pending": 3}
    lib.rename(lib.parent / "away")
    fill(lib, 2, "quite other words")
    reconcile(catalog)
    assert catalog.roots.accept(None) == 3
    assert reconcile(catalog) == Changes(changed=2, gone=1)


def test_a_copy_in_the_place_of_a_root_is_recognised(catalog: Catalog, lib: Path) -> None:
    fill(lib, 3)
    reconcile(catalog)
    shutil.copytree(lib, lib.parent / "copy")
    shutil.rmtree(lib)
    (lib.parent / "copy").rename(lib)
    assert not reconcile(catalog).gone
    assert not catalog.roots.all()[0].offline, "the same times"


def test_a_copy_without_its_times_is_recognised_by_its_bytes(tmp_path: Path) -> None:
    from tests.library import small

    with small(tmp_path / "lib", tmp_path / "data") as library:
        path = library.write("a.txt", "boat")
        library.service.run_once()
        shutil.rmtree(library.folder)
        library.write("a.txt", "boat")
        os.utime(path, (1, 1))
        assert library.service.run_once() == Changes(changed=1)
        assert not library.catalog.roots.all()[0].offline
        assert library.model.calls == 1


def test_what_is_not_there_cannot_be_accepted(catalog: Catalog, lib: Path) -> None:
    fill(lib, 3)
    reconcile(catalog)
    assert catalog.roots.accept(None) == 0
    lib.rename(lib.parent / "away")
    reconcile(catalog)
    with pytest.raises(FolderError, match="`recollect remove` forgets it"):
        catalog.roots.accept(lib)
    with pytest.raises(FolderError, match="not a watched folder"):
        catalog.roots.accept(lib / "nowhere")


def test_fault_26_drive_unplugged_from_a_root(tmp_path: Path) -> None:
    drive = tmp_path / "lib"
    catalog = Catalog(tmp_path / "data" / "catalog.sqlite")
    with memory(drive):
        fill(drive, 3)
        catalog.roots.add(drive)
        reconcile(catalog)
    assert list(drive.iterdir()) == []
    assert reconcile(catalog, grace_s=0.0) == Changes(), "an empty mount point is nobody's word"
    assert reconcile(catalog, grace_s=0.0) == Changes()
    assert states(catalog) == {"offline": 3}
    with memory(drive):
        fill(drive, 3, "of another drive")
        reconcile(catalog)
        assert catalog.roots.all()[0].why == "replaced"
    catalog.close()


def test_fault_26_drive_unplugged_inside_a_root(catalog: Catalog, lib: Path) -> None:
    fill(lib, 3)
    with memory(lib / "drive"):
        fill(lib / "drive" / "deep", 4)
        reconcile(catalog)
        unmount(lib / "drive")
        assert reconcile(catalog, grace_s=0.0) == Changes(), "few, and still nobody's wish"
        assert states(catalog) == {"missing": 4, "pending": 3}
        assert "A drive in this folder is not there" in (catalog.roots.all()[0].sentence or "")
        (lib / "drive").rmdir()
        assert reconcile(catalog, [Hint(lib / "drive")], grace_s=0.0) == Changes()
        assert states(catalog) == {"missing": 4, "pending": 3}
    assert catalog.roots.accept(lib) == 4
    assert reconcile(catalog) == Changes(gone=4)


def test_file_deleted_from_a_drive_that_is_there_is_gone(catalog: Catalog, lib: Path) -> None:
    with memory(lib / "drive"):
        fill(lib / "drive", 4)
        reconcile(catalog)
        (lib / "drive" / "1.txt").unlink()
        assert reconcile(catalog) == Changes(gone=1)


def test_fault_32_folder_mounted_inside_itself(catalog: Catalog, lib: Path) -> None:
    fill(lib, 2)
    with mounted(lib / "again", "--rbind", str(lib)):
        assert (lib / "again" / "1.txt").exists()
        assert reconcile(catalog) == Changes(added=2)
        assert reconcile(catalog, [Hint(lib / "again")]) == Changes()


def test_fault_33_kernel_files_inside_a_root(catalog: Catalog, lib: Path) -> None:
    fill(lib, 1)
    with mounted(lib / "kernel", "-t", "proc", "none"):
        assert reconcile(catalog) == Changes(added=1)
        assert reconcile(catalog, [Hint(lib / "kernel" / "self")]) == Changes()


def test_fault_25_case_only_rename(tmp_path: Path) -> None:
    with mounted(tmp_path / "lib", "-t", "tmpfs", "-o", "casefold", "none") as lib:
        (lib / "folded").mkdir()
        os.system(f"chattr +F '{lib / 'folded'}'")
        (lib / "folded" / "a.txt").write_text("words")
        if not (lib / "folded" / "A.TXT").exists():
            pytest.skip("no file system here takes upper and lower case for one: NOT tested")
        _assert_case_rename_is_one_move(tmp_path, lib / "folded")


def _assert_case_rename_is_one_move(tmp_path: Path, lib: Path) -> None:
    catalog = Catalog(tmp_path / "data" / "catalog.sqlite")
    catalog.roots.add(lib)
    reconcile(catalog)
    (lib / "a.txt").rename(lib / "A.txt")
    hints = [Hint(lib / "a.txt", deep=False), Hint(lib / "A.txt", deep=False)]
    assert reconcile(catalog, hints) == Changes(moved=1)
    assert [row.path.name for row in catalog.files.page()] == ["A.txt"]
    assert reconcile(catalog) == Changes()
    catalog.close()


def test_fault_25_case_only_rename_where_case_does_not_matter(
    tmp_path: Path, lib: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.lstat

    def folded(path: bytes | str) -> os.stat_result:
        """A file is found whatever the case of its last name."""
        folder, name = os.path.split(os.fsencode(path))
        with os.scandir(folder) as entries:
            names = [entry.name for entry in entries if entry.name.lower() == name.lower()]
        return real(folder + b"/" + names[0] if names else path)

    (lib / "a.txt").write_text("words")
    monkeypatch.setattr("indexer.scan.reconcile.os.lstat", folded)
    _assert_case_rename_is_one_move(tmp_path, lib)


def test_file_deleted_from_an_overlay_is_gone(tmp_path: Path) -> None:
    for name in ("lower", "upper", "work"):
        (tmp_path / "layers" / name).mkdir(parents=True)
    with memory(tmp_path / "layers" / "upper fs") as upper:
        (upper / "up").mkdir()
        (upper / "work").mkdir()
        fill(tmp_path / "layers" / "lower", 3)
        layers = f"lowerdir={tmp_path / 'layers' / 'lower'},upperdir={upper / 'up'}"
        options = f"{layers},workdir={upper / 'work'}"
        with mounted(tmp_path / "lib", "-t", "overlay", "-o", options, "none") as lib:
            catalog = Catalog(tmp_path / "data" / "catalog.sqlite")
            catalog.roots.add(lib)
            reconcile(catalog)
            (lib / "1.txt").unlink()
            assert reconcile(catalog) == Changes(gone=1)
            catalog.close()
