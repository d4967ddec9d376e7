"""The catalog of one library, as its parts: roots, files, items, and counts of them.

What it says holds; the tables of the store are derived from it. Identity is the hash of a file's
bytes (`content`), which a rename does not change; `item` is its public, opaque name.
"""

from __future__ import annotations

from pathlib import Path

from indexer.catalog.counts import Counts
from indexer.catalog.files import Files
from indexer.catalog.items import Items
from indexer.catalog.recordings.corrections import Corrections
from indexer.catalog.recordings.minutes import MinutesBook
from indexer.catalog.recordings.sentences import Sentences
from indexer.catalog.roots import Roots
from indexer.catalog.scopes import Scopes
from indexer.catalog.storage.database import Database
from indexer.catalog.words.index import PassageIndex
from indexer.catalog.words.sketches import Sketches
from indexer.catalog.words.texts import PassageTexts


class Catalog:
    """The parts of one catalog; threads may share them. Raises CatalogError when the file cannot
    be opened."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.database = Database(file)
        self.roots = Roots(self.database)
        self.items = Items(self.database)
        self.scopes = Scopes(self.database)
        self.files = Files(self.database)
        self.counts = Counts(self.database)
        self.passages = PassageIndex(self.database)
        self.texts = PassageTexts(self.database)
        self.sketches = Sketches(self.database)
        self.sentences = Sentences(self.database)
        self.corrections = Corrections(self.database)
        self.minutes = MinutesBook(self.database)

    def close(self) -> None:
        """Closes the connections; idempotent."""
        self.database.close()
