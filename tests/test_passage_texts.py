"""The texts of the passages in the catalog: what people are shown, whatever befalls the tables."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from indexer.catalog.catalog import Catalog
from indexer.catalog.storage import sql_functions
from indexer.catalog.storage.integrity import is_word_index_whole
from indexer.catalog.words import writing
from indexer.catalog.words.writing import folded, write_passages
from indexer.maintenance.verify import Verifier
from indexer.types.passages import FIRST_UNDERSTOOD, GenerationRow, Passage, Source
from indexer.types.places import Kind, Page, Place, Span
from indexer.types.text.tokens import tokens
from indexer.vectors.tables import Tables
from retriever.queries.query import Query
from retriever.search import Searcher
from tests.library import Small, small


def write(catalog: Catalog, *rows: GenerationRow) -> None:
    with catalog.database.writing() as db:
        write_passages(db, folded(rows))


def test_passages_come_back_as_they_were(tmp_path: Path) -> None:
    catalog = Catalog(tmp_path / "catalog.sqlite")
    places: list[Place] = [None, Page(3), Span(1.25, 14.7512345), Span(0.5, 0.5, 2)]
    passages = [
        Passage(FIRST_UNDERSTOOD + number, f"words {number}\nand — “more” of them", place, source)
        for number, (place, source) in enumerate(
            zip(places, [*list(Source)[:3], Source.TRANSCRIPT], strict=True)
        )
    ]
    odd = Passage(0, "lone \ud800 surrogate", Page(1), Source.TEXT)
    write(catalog, ("a1", "ab", Kind.RECORDING, passages[::-1]), ("b2", "cd", Kind.PHOTO, [odd]))
    assert catalog.texts.of("a1") == passages
    key = ("a1", FIRST_UNDERSTOOD + 2)
    assert catalog.texts.at([key]) == {key: passages[2]}
    assert catalog.texts.at([("a1", 7), ("", 0)]) == catalog.texts.at([]) == {}
    keys = [("a1", FIRST_UNDERSTOOD), ("b2", 0), ("b2", FIRST_UNDERSTOOD)]
    assert catalog.texts.at(keys).keys() == set(keys[:2])
    assert catalog.texts.of("b2")[0].text == "lone ? surrogate"


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data directory of three short files."""
    base = tmp_path_factory.mktemp("written")
    with small(base / "files", base / "data") as library:
        library.write("boat.txt", "The boat lies in the river, near the mill of Linden-Straße 4.")
        library.write("mail.txt", "An e-mail about the boat, and the number 0171 555 12.")
        library.write("tree.txt", "Nothing but trees.")
        library.service.run_once()
    return base


@pytest.fixture
def library(written: Path, tmp_path: Path) -> Iterator[Small]:
    """The same, once more for each test, its folder where it was."""
    shutil.copytree(written / "data", tmp_path / "data")
    with small(written / "files", tmp_path / "data") as opened:
        yield opened


def test_a_search_by_words_reads_no_table(library: Small, monkeypatch: pytest.MonkeyPatch) -> None:
    def read(*_: object) -> None:
        raise AssertionError("a table is read")

    monkeypatch.setattr(Tables, "read", read)
    for words in ("boat", "number e-mail", '"in the river"', "baot", "tree"):  # the last by name
        hits = library.hits(words)
        assert hits, words
        assert all(hit.passage is not None for hit in hits)
    [river] = library.hits("river")
    assert river.passage is not None
    assert river.passage.text.startswith("The boat lies")
    assert [river.snippet.text[a:b] for a, b in river.snippet.marks] == ["river"]


def test_words_and_texts_are_there_while_the_tables_are_gone(written: Path, tmp_path: Path) -> None:
    shutil.copytree(written / "data", tmp_path / "data")
    for file in (tmp_path / "data" / "lance").glob("*.lance/data/*"):
        file.write_bytes(b"")
    with small(written / "files", tmp_path / "data") as library:
        [hit] = library.hits("river")
        assert hit.passage is not None
        assert "river" in hit.snippet.text
        library.service.run_once()  # and is repaired
        assert Verifier(library.catalog, library.store).check().sound


def test_a_text_that_is_altered_on_the_disk_is_found_and_written_anew(library: Small) -> None:
    [before] = library.hits("river")
    with library.catalog.database.writing() as db:
        # the same words: their index does not tell
        db.execute("UPDATE passages SET text = replace(text, 'river,', 'river;')")
    assert is_word_index_whole(library.catalog.database)
    verifier = Verifier(library.catalog, library.store)
    [defect] = verifier.check().defects
    assert (defect.code, defect.about) == ("index", "words")
    assert "1 readings are not what was written" in defect.sentence
    assert verifier.repair().sound
    assert verifier.check().sound
    assert library.hits("river") == [before]


def test_words_of_another_version_are_cleared_before_anything_else_is_written(
    written: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A later program folds words another way. What the index was given cannot be computed any
    more, so nothing may be taken out of it: it is begun anew as a whole."""
    shutil.copytree(written / "data", tmp_path / "data")

    def backwards(text: str) -> list[str]:
        return [token[::-1] for token in tokens(text)]

    monkeypatch.setattr(writing, "VERSION", "later")
    for module in (writing, sql_functions):
        monkeypatch.setattr(module, "tokens", backwards)
    with small(written / "files", tmp_path / "data") as library:
        assert not library.catalog.passages.is_complete()
        assert is_word_index_whole(library.catalog.database)
        with library.catalog.database.reading() as db:
            for table in ("passages", "passage_terms", "hidden"):
                assert db.execute(f"SELECT count(*) FROM {table}").fetchone()[0] == 0
        library.service.run_once()
        assert library.catalog.passages.is_complete()
        assert library.catalog.passages.gap() is None
        assert len(library.found("taob")) == 2
    # What was killed on the way goes on where it was: what is written already stays.
    with small(written / "files", tmp_path / "data") as library:
        with library.catalog.database.writing() as db:
            db.execute("DELETE FROM notes WHERE name = 'words_complete'")
            kept = db.execute("SELECT max(id) FROM passages").fetchone()[0]
            db.execute("DELETE FROM passages WHERE id != ?", (kept,))
        library.service.run_once()
        with library.catalog.database.reading() as db:
            assert db.execute("SELECT 1 FROM passages WHERE id = ?", (kept,)).fetchone()
        assert library.catalog.passages.gap() is None


def test_what_takes_words_out_of_the_index_takes_out_what_it_was_given(library: Small) -> None:
    database = library.catalog.database
    for turn in (1, 0):
        with database.writing() as db:
            db.execute("UPDATE roots SET offline = ?", (turn,))
        assert is_word_index_whole(database)
        found = library.catalog.passages.phrase("boat", 5)
        assert len(found) == 2 * (1 - turn)
    library.catalog.passages.drop_unused_terms()
    database.rewrite()
    assert is_word_index_whole(database)
    assert {path.stem for path in library.found('"e-mail"')} == {"mail"}
    with database.writing() as db:
        db.execute("DELETE FROM passages")
    assert is_word_index_whole(database)
    with database.reading() as db:
        assert db.execute("SELECT count(*) FROM passage_terms").fetchone()[0] == 0


def test_the_catalog_of_an_earlier_program_gets_its_texts_from_the_store(
    written: Path, tmp_path: Path
) -> None:
    """Its `passages` had the words alone."""
    from indexer.catalog.storage.hidden_contents import HIDDEN_CONTENTS
    from indexer.catalog.storage.passage_texts import PASSAGE_TEXTS

    shutil.copytree(written / "data", tmp_path / "data")
    with sqlite3.connect(tmp_path / "data" / "catalog.sqlite") as db:
        rows = db.execute(
            "SELECT generation, ordinal, content, kind, text FROM passages"
        ).fetchall()
        for name, kind in (("passage_terms", "TABLE"), ("passage_words", "TABLE"),
                           ("searched_passages", "VIEW"), ("passages", "TABLE")):  # fmt: skip
            db.execute(f"DROP {kind} {name}")
        db.execute(
            """CREATE TABLE passages(id INTEGER PRIMARY KEY, generation TEXT NOT NULL,
            ordinal INTEGER NOT NULL, content TEXT NOT NULL, kind TEXT NOT NULL,
            folded TEXT NOT NULL, joined TEXT NOT NULL)"""
        )
        for statement in HIDDEN_CONTENTS:
            if "searched_passages" in statement:
                db.execute(statement)
        db.execute("CREATE VIRTUAL TABLE passage_terms USING fts5vocab(passage_words, row)")
        db.executemany(
            "INSERT INTO passages(generation, ordinal, content, kind, folded, joined) "
            "VALUES (?, ?, ?, ?, ?, '')",
            [(*row[:4], " ".join(tokens(row[4]))) for row in rows],
        )
        db.execute("INSERT INTO passage_words(passage_words) VALUES ('rebuild')")
        db.execute("DELETE FROM notes WHERE name = 'words_complete'")
        for statement in PASSAGE_TEXTS:
            db.execute(statement)
    db.close()
    with small(written / "files", tmp_path / "data") as library:
        assert not library.catalog.passages.is_complete()
        library.pipeline.housekeeping.write_missing_words()
        assert library.catalog.passages.is_complete()
        assert library.catalog.passages.gap() is None
        searcher = Searcher(library.catalog, library.store, library.model)
        [hit] = searcher.search(Query("river", by="words"))
        assert hit.passage is not None
        assert hit.passage.text.startswith("The boat lies")
