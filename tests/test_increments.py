"""Counts of files, kept by what has changed: equal to a count of all files, whatever happened."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest

from indexer.catalog.counts import Counts
from indexer.scan.reconcile import reconcile
from indexer.types.places import Kind
from tests.library import Small, small


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Small]:
    base = tmp_path_factory.mktemp("increments")
    with small(base / "lib", base / "data") as library:
        yield library


def mail(path: Path, attached: str) -> None:
    message = EmailMessage()
    message["Subject"] = "The harbour"
    message.set_content("See what is attached.")
    message.add_attachment(attached, filename=f"{path.stem}.txt")
    path.write_bytes(bytes(message))


def read(library: Small) -> None:
    reconcile(library.catalog)
    while library.pipeline.reading.run():
        pass


def understand(library: Small) -> None:
    while library.pipeline.understanding.run():
        pass


def events(library: Small) -> Iterator[None]:
    """One after the other, each of which changes what is counted."""
    folder = library.folder
    for number in range(5):
        library.write(f"{number}.txt", f"boat {number}")
    library.write("empty.txt", "")
    mail(folder / "first.eml", "a garden")
    reconcile(library.catalog)
    yield
    read(library)
    yield
    understand(library)
    yield
    mail(folder / "second.eml", "all the money")
    library.write("0.txt", "a river")
    library.write("1.txt", "boat 2")  # the content of another file
    read(library)
    yield
    (folder / "3.txt").unlink()
    (folder / "second.eml").rename(folder / "third.eml")
    reconcile(library.catalog)
    yield
    understand(library)
    yield
    library.catalog.files.retry(folder / "empty.txt")
    yield
    read(library)
    yield
    aside = folder.with_name("aside")
    folder.rename(aside)
    reconcile(library.catalog)
    yield
    aside.rename(folder)
    reconcile(library.catalog)
    yield
    library.pipeline.housekeeping.recover()
    yield
    (folder / "first.eml").unlink()
    reconcile(library.catalog)
    yield
    library.pipeline.housekeeping.tidy(thoroughly=True)
    yield
    shutil.rmtree(folder)
    folder.mkdir()
    reconcile(library.catalog)
    yield
    library.catalog.roots.remove(folder)
    yield


def test_counts_by_increments_are_those_of_all_files(library: Small) -> None:
    kept = library.catalog.counts
    seen = []
    for _ in events(library):
        fresh = Counts(library.catalog.database)
        assert kept.states() == fresh.states()
        for kinds in (None, {Kind.DOCUMENT}, {Kind.PHOTO}):
            assert kept.coverage(kinds) == fresh.coverage(kinds)
        seen.append(str(kept.states()))
    assert len({state for state, _ in itertools.groupby(seen)}) > 6, "much has happened"


def test_a_commit_has_no_more_files_counted_than_it_changed(tmp_path: Path) -> None:
    """As many steps of SQLite in a library that is ten times as large."""
    steps = []
    for count in (60, 600):
        with small(tmp_path / f"lib{count}", tmp_path / f"data{count}") as library:
            for number in range(count):
                library.write(f"{number}.txt", f"boat {number}")
            reconcile(library.catalog)
            counts = library.catalog.counts
            for path in ("0.txt", "1.txt", "2.txt"):
                library.write(path, "a river, longer than before")
                reconcile(library.catalog)
                library.catalog.database.keep_note("test", path)
                taken = _steps(library, counts.states)
                assert counts.states() == {"pending": count}
            steps.append(taken)
    assert 0 < steps[1] < 2 * steps[0]


def _steps(library: Small, action: Callable[[], object]) -> int:
    """How many instructions of SQLite's machine the idle connection of a catalog takes for it."""
    steps = itertools.count()
    with library.catalog.database.reading() as db:
        db.set_progress_handler(lambda: 0 * next(steps), 1)
    action()
    return next(steps)
