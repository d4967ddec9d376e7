"""Whether the catalog, the tables and the files on the disk agree; and making good where not.

Everything is read: the catalog's pages, every row of every table against what the catalog wrote
down of it, every file of the index against its checksum. What is damaged is made again from a
person's files; what is whole is kept, so that the model is asked for nothing twice.
"""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from indexer.catalog.catalog import Catalog
from indexer.catalog.contents.expectations import ExpectedRows, expected_rows, stored_thumbs
from indexer.catalog.contents.garbage import Garbage
from indexer.catalog.requeue import Requeue
from indexer.catalog.storage import integrity
from indexer.catalog.tree.audits import known_files
from indexer.files.hashing import hash_unchanged
from indexer.maintenance.rebuild import ADOPTING
from indexer.maintenance.word_index import write_missing_words
from indexer.vectors.census import Census, GenerationRows, count_rows
from indexer.vectors.store import Store

ROUNDS = 3
MISLED = "a row of it says that it is of another"


@dataclass(frozen=True, slots=True)
class Defect:
    """What does not agree: a stable `code`, a sentence for people, and whether it was `mended`.
    `about` is what it is of: a table, a generation, a content."""

    code: str
    sentence: str
    about: str = ""
    mended: bool = False

    @property
    def key(self) -> tuple[str, str]:
        """What is the same of a defect that is found again."""
        return self.code, self.about


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """`again` is how many files have to be read or understood once more."""

    defects: list[Defect]
    passages: int
    vectors: int
    files: int
    again: int = 0

    @property
    def sound(self) -> bool:
        return all(defect.mended for defect in self.defects)


class Verifier:
    """Checks one library. Nothing may be written to it meanwhile (`Housekeeping.quiet`)."""

    def __init__(self, catalog: Catalog, store: Store) -> None:
        self._catalog = catalog
        self._store = store
        self._requeue = Requeue(catalog.database)
        self._garbage = Garbage(catalog.database)

    def check(self, deep: bool = False) -> VerifyReport:
        """Everything but a person's own files, and with `deep` those too."""
        damaged = self._of_index_files()  # before a row is read
        census = count_rows(self._store.tables)
        defects = [*self._of_catalog(), *self._of_thumbs(), *damaged, *self._of_store(census)]
        files = 0
        if deep:
            files, differing = self._of_files()
            defects += differing
        return VerifyReport(
            defects,
            passages=sum(counted.rows for counted in census.tables.get("words", {}).values()),
            vectors=sum(
                counted.rows
                for name, generations in census.tables.items()
                if name != "words"
                for counted in generations.values()
            ),
            files=files,
        )

    def repair(self, deep: bool = False) -> VerifyReport:
        """Checks, repairs what it can, and checks again: what is left is not `mended`."""
        first = self.check(deep)
        if not first.defects:
            return first
        defects: list[Defect] = []
        again, last = 0, first
        for _ in range(ROUNDS):  # what a damaged table had to leave out shows when it is made anew
            known = {defect.key for defect in defects}
            new = [defect for defect in last.defects if defect.key not in known]
            if not new:
                break
            defects += new
            again += self._mend(new)
            last = self.check()
        left = {defect.key for defect in last.defects}
        defects = [replace(defect, mended=defect.key not in left) for defect in defects]
        return VerifyReport(defects, last.passages, last.vectors, first.files, again)

    # What can be wrong

    def _of_catalog(self) -> Iterator[Defect]:
        database = self._catalog.database
        for fault in integrity.page_faults(database):
            yield Defect("catalog", f"The catalog is damaged: {fault}.", "catalog")
        if not integrity.is_name_index_whole(database):
            yield Defect("names", "The index of file names is damaged.", "names")
        if unindexed := integrity.count_unindexed_names(database):
            yield Defect("names", f"{unindexed:,} file names are not in their index.", "names")

    def _of_thumbs(self) -> Iterator[Defect]:
        from PIL import Image, UnidentifiedImageError

        for thumb in stored_thumbs(self._catalog.database):
            try:
                with Image.open(io.BytesIO(thumb.webp), formats=["WEBP"]) as picture:
                    picture.load()
                    is_whole = picture.size == (thumb.width_px, thumb.height_px)
            except (UnidentifiedImageError, OSError, ValueError):
                is_whole = False
            if not is_whole:
                yield Defect("thumb", "A thumbnail is no picture any more.", thumb.content)

    def _of_index_files(self) -> list[Defect]:
        return [
            Defect("file", f"The index file {file} {fault}.", table)
            for table, file, fault in self._store.repair.damaged_files()
        ]

    def _of_store(self, census: Census) -> Iterator[Defect]:
        for table, fault in census.unread.items():
            yield Defect(
                "table", f"The index table {table} cannot be read in full: {fault}.", table
            )
        wanted = self._garbage.referenced()
        unknown = census.generations() - wanted - set(self._garbage.trash())
        if self._is_adopting():  # the files that they were made from have not all been read again
            unknown = set()
        for generation in sorted(unknown):
            yield Defect("orphan", "The index holds rows that nothing points at.", generation)
        for expected in expected_rows(self._catalog.database):
            yield from _of_content(expected, census)
        if (missed := self._catalog.passages.gap()) is not None:
            yield Defect("index", f"The index of words is not whole: {missed}.", "words")

    def _is_adopting(self) -> bool:
        counts, database = self._catalog.counts, self._catalog.database
        return database.note(ADOPTING) is not None or not counts.has_contents()

    def _of_files(self) -> tuple[int, list[Defect]]:
        """A person's files that have other bytes than were read, though nothing else tells."""
        files = known_files(self._catalog.database)
        defects = []
        for file in files:
            content = hash_unchanged(file.path, file.stat)
            if content is not None and content != file.content:
                sentence = (
                    f"{os.fsdecode(file.path)} has other bytes than were read, at the same time."
                )
                defects.append(Defect("bytes", sentence, str(file.id)))
        return len(files), defects

    # Making good

    def _mend(self, defects: list[Defect]) -> int:
        """How many contents and files are to be read or understood again."""
        by_code: dict[str, list[str]] = {}
        for defect in defects:
            by_code.setdefault(defect.code, []).append(defect.about)
        damaged = {*by_code.get("file", ()), *by_code.get("table", ())}
        missing = set(by_code.get("read", ())) | set(by_code.get("understood", ()))
        whole = None if self._is_adopting() else self._garbage.referenced() - missing
        for table in sorted(damaged):
            self._store.repair.replace_table(table, whole)
        self._store.remove([*by_code.get("orphan", ()), *missing])
        self._store.sync()
        if "index" in by_code:
            self._catalog.passages.clear()
            write_missing_words(self._catalog, self._store)
        if "names" in by_code:
            integrity.rebuild_name_index(self._catalog.database)
        again = self._requeue.damaged(
            by_code.get("read", ()),
            by_code.get("understood", ()),
            by_code.get("thumb", ()),
            by_code.get("bytes", ()),
        )
        return again


def _of_content(expected: ExpectedRows, census: Census) -> Iterator[Defect]:
    """What the tables hold for one content, against what the catalog wrote down of it. What is to
    be read or understood once more already is passed over."""
    read, understood = expected.read_generation, expected.understood_generation
    itself = {(expected.content, expected.kind)}
    if read is not None and not expected.rereading:
        words = census.words(read)
        fault = _difference(words, expected.words, expected.words_sum, census.sum_of)
        if fault is None and words.owners - itself:
            fault = MISLED
        if fault is not None:
            yield Defect("read", f"The words of a file are not whole: {fault}.", read)
    if understood is not None and not expected.redoing:
        captions, vectors = census.words(understood), census.vectors(understood)
        fault = _difference(captions, expected.captions, expected.captions_sum, census.sum_of)
        if fault is None and (expected.vectors and not vectors.rows):
            fault = "its vectors are gone"
        if fault is None and expected.vectors_sum is not None:
            fault = _difference(vectors, vectors.rows, expected.vectors_sum, census.sum_of)
        if fault is None and (captions.owners | vectors.owners) - itself:
            fault = MISLED
        if fault is None:
            fault = vectors.flaw
        if fault is not None:
            yield Defect("understood", f"What a file means is not whole: {fault}.", understood)


def _difference(
    held: GenerationRows, rows: int, expected: str | None, sum_of: Callable[[GenerationRows], str]
) -> str | None:
    if held.rows != rows:
        return f"{held.rows:,} of {rows:,} rows are there"
    if held.flaw is not None:
        return held.flaw
    if expected is not None and sum_of(held) != expected:
        return "its rows are not what was written"
    return None
