"""Whether the catalog, the tables and the files on the disk agree; and making good where not.

Everything is read: the catalog's pages, every row of every table against what the catalog wrote
down of it, every file of the index against its checksum. What is found damaged is made again from
a person's files; what is still whole is kept, so that the model is asked for nothing it has said.
"""

# Values are always bound; what is put into SQL by name are columns of this file alone.

from __future__ import annotations

import io
import os
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from indexer.catalog.catalog import Catalog
from indexer.catalog.upkeep import Upkeep
from indexer.files.hashing import OPEN, content_of
from indexer.files.walk import Stat, join
from indexer.vectors.census import Census, GenerationRows, count_rows
from indexer.vectors.store import Store

ROUNDS = 3
MISLED = "a row of it says that it is of another"


@dataclass(frozen=True, slots=True)
class Fault:
    """What does not agree: a stable `code`, a sentence for people, and whether it was `mended`.
    `about` is what it is of: a table, a generation, a content."""

    code: str
    sentence: str
    about: str = ""
    mended: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """`again` is how many files have to be read or understood once more."""

    faults: list[Fault]
    passages: int
    vectors: int
    files: int
    again: int = 0

    @property
    def sound(self) -> bool:
        return all(fault.mended for fault in self.faults)


class Verifier:
    """Checks one library. Nothing may be written to it meanwhile (`Housekeeping.quiet`)."""

    def __init__(self, catalog: Catalog, store: Store) -> None:
        self._catalog = catalog
        self._store = store
        self._upkeep = Upkeep(catalog.database)

    def check(self, deep: bool = False) -> Verdict:
        """Everything but a person's own files, and with `deep` those too."""
        tally = count_rows(self._store.tables)
        faults = [*self._of_catalog(), *self._of_thumbs(), *self._of_store(tally)]
        files = 0
        if deep:
            files, wrong = self._of_files()
            faults += wrong
        return Verdict(
            faults,
            passages=sum(held.rows for held in tally.tables.get("words", {}).values()),
            vectors=sum(
                held.rows
                for name, generations in tally.tables.items()
                if name != "words"
                for held in generations.values()
            ),
            files=files,
        )

    def repair(self, deep: bool = False) -> Verdict:
        """Checks, makes good what it can, and checks again: what is left is not `mended`."""
        found = self.check(deep)
        if not found.faults:
            return found
        faults: list[Fault] = []
        again, left = 0, found
        for _ in range(ROUNDS):  # what a damaged table had to leave out shows when it is made anew
            known = {(fault.code, fault.about) for fault in faults}
            fresh = [one for one in left.faults if (one.code, one.about) not in known]
            if not fresh:
                break
            faults += fresh
            again += self._mend(fresh)
            left = self.check()
        still = {(fault.code, fault.about) for fault in left.faults}
        faults = [
            Fault(one.code, one.sentence, one.about, (one.code, one.about) not in still)
            for one in faults
        ]
        return Verdict(faults, left.passages, left.vectors, found.files, again)

    # What can be wrong

    def _of_catalog(self) -> Iterator[Fault]:
        with self._catalog.database.reading() as db:
            for check in ("integrity_check(10)", "foreign_key_check"):
                for row in db.execute(f"PRAGMA {check}").fetchall():
                    said = str(row[0])
                    if said != "ok":
                        yield Fault("catalog", f"The catalog is damaged: {said}.", "catalog")
            try:
                db.execute("INSERT INTO names(names, rank) VALUES('integrity-check', 1)")
            except sqlite3.DatabaseError:
                yield Fault("names", "The index of file names is damaged.", "names")
            odd = db.execute(
                """SELECT count(*) FROM files f WHERE NOT EXISTS
                    (SELECT 1 FROM names n WHERE n.rowid = f.id)"""
            ).fetchone()[0]
            odd += db.execute(
                """SELECT count(*) FROM members m WHERE NOT EXISTS
                    (SELECT 1 FROM names n WHERE n.rowid = -m.id)"""
            ).fetchone()[0]
            if odd:
                yield Fault("names", f"{odd:,} file names are not in their index.", "names")

    def _of_thumbs(self) -> Iterator[Fault]:
        from PIL import Image, UnidentifiedImageError

        with self._catalog.database.reading() as db:
            for row in db.execute("SELECT * FROM thumbs WHERE webp != x''"):  # else drawn later
                try:
                    with Image.open(io.BytesIO(row["webp"]), formats=["WEBP"]) as thumb:
                        thumb.load()
                        right = thumb.size == (row["width_px"], row["height_px"])
                except (UnidentifiedImageError, OSError, ValueError):
                    right = False
                if not right:
                    yield Fault("thumb", "A thumbnail is no picture any more.", row["content"])

    def _of_store(self, tally: Census) -> Iterator[Fault]:
        for table, file, said in self._store.repair.damaged_files():
            yield Fault("file", f"The index file {file} {said}.", table)
        for table, said in tally.unread.items():
            yield Fault("table", f"The index table {table} cannot be read in full: {said}.", table)
        wanted = self._upkeep.generations()
        unknown = tally.generations() - wanted - set(self._upkeep.trash())
        for generation in sorted(unknown):
            yield Fault("orphan", "The index holds rows that nothing points at.", generation)
        with self._catalog.database.reading() as db:
            contents = db.execute("SELECT * FROM contents").fetchall()
        for row in contents:
            yield from _of_content(row, tally)
        try:
            missed = self._store.repair.index_gap()
        except Exception as problem:  # whatever LanceDB makes of a damaged index
            missed = f"it cannot be used ({type(problem).__name__})"
        if missed is not None:
            yield Fault("index", f"The index of words is not whole: {missed}.", "words")

    def _of_files(self) -> tuple[int, list[Fault]]:
        """A person's files that have other bytes than were read, though nothing else tells."""
        with self._catalog.database.reading() as db:
            rows = db.execute(
                """SELECT f.id, f.path, f.content, f.size, f.mtime_ns, f.ctime_ns, f.inode,
                    f.device, r.path AS base FROM files f JOIN roots r ON r.id = f.root
                WHERE r.offline = 0 AND f.state = 'known'"""
            ).fetchall()
        faults = []
        for row in rows:
            stat = Stat(*(row[k] for k in ("size", "mtime_ns", "ctime_ns", "inode", "device")))
            path = join(row["base"], row["path"])
            digest = _hash_of(path, stat)
            if digest is not None and digest != row["content"]:
                said = f"{os.fsdecode(path)} has other bytes than were read, at the same time."
                faults.append(Fault("bytes", said, str(row["id"])))
        return len(rows), faults

    # Making good

    def _mend(self, faults: list[Fault]) -> int:
        """How many contents and files are to be read or understood again."""
        by: dict[str, list[str]] = {}
        for fault in faults:
            by.setdefault(fault.code, []).append(fault.about)
        damaged = {*by.get("file", ()), *by.get("table", ())}
        missing = set(by.get("read", ())) | set(by.get("understood", ()))
        whole = self._upkeep.generations() - missing
        for table in sorted(damaged):
            self._store.repair.replace_table(table, whole)
        self._store.remove([*by.get("orphan", ()), *missing])
        if "index" in by and "words" not in damaged:
            self._store.repair.rebuild_index()
        self._store.sync()
        if "names" in by:
            with self._catalog.database.writing() as db:
                db.execute("DELETE FROM names")
                db.execute(
                    """INSERT INTO names(rowid, name) SELECT id, name_words(path) FROM files
                    UNION ALL SELECT -id, name_words(CAST(name AS BLOB)) FROM members"""
                )
        again = self._upkeep.requeue(
            by.get("read", ()), by.get("understood", ()), by.get("thumb", ()), by.get("bytes", ())
        )
        return again


def _of_content(row: sqlite3.Row, tally: Census) -> Iterator[Fault]:
    """What the tables hold for one content, against what the catalog wrote down of it. What is to
    be read or understood once more already says nothing."""
    read, understood = row["read_generation"], row["understood_generation"]
    itself = {(row["content"], row["kind"])}
    if read is not None and row["extractor"]:
        held = tally.words(read)
        said = _differs(held, row["words"], row["words_sum"], tally.sum_of)
        if said is None and held.owners - itself:
            said = MISLED
        if said is not None:
            yield Fault("read", f"The words of a file are not whole: {said}.", read)
    if understood is not None and row["state"] not in ("read", "understanding"):
        captions, vectors = tally.words(understood), tally.vectors(understood)
        said = _differs(captions, row["captions"], row["captions_sum"], tally.sum_of)
        if said is None and (row["vectors"] and not vectors.rows):
            said = "its vectors are gone"
        if said is None and row["vectors_sum"] is not None:
            said = _differs(vectors, vectors.rows, row["vectors_sum"], tally.sum_of)
        if said is None and (captions.owners | vectors.owners) - itself:
            said = MISLED
        if said is None:
            said = vectors.flaw
        if said is not None:
            yield Fault("understood", f"What a file means is not whole: {said}.", understood)


def _differs(
    held: GenerationRows, rows: int, expected: str | None, sum_of: Callable[[GenerationRows], str]
) -> str | None:
    if held.rows != rows:
        return f"{held.rows:,} of {rows:,} rows are there"
    if held.flaw is not None:
        return held.flaw
    if expected is not None and sum_of(held) != expected:
        return "its rows are not what was written"
    return None


def _hash_of(path: bytes, stat: Stat) -> str | None:
    """The hash of a file that is as it was when it was read; None of any other."""
    try:
        handle = os.open(path, OPEN)
    except OSError:
        return None
    try:
        if Stat.of(os.fstat(handle)) != stat:
            return None
        with open(handle, "rb", closefd=False) as file:
            content = content_of(file)
        return content if Stat.of(os.fstat(handle)) == stat else None
    except OSError:
        return None
    finally:
        os.close(handle)
