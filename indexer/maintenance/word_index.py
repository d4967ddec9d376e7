"""The index of words in the catalog, written from the passages in the store where it lacks them.

So are libraries of earlier versions brought up to date, and what folds words another way.
"""

from __future__ import annotations

from itertools import islice

from indexer.catalog.catalog import Catalog
from indexer.vectors.store import Store

AT_ONCE = 256  # generations in one transaction


def write_missing_words(catalog: Catalog, store: Store) -> None:
    """Writes the words of every generation that the catalog names and that has none; after a kill,
    of those that it still lacks."""
    unwritten = iter(catalog.passages.unwritten().items())
    while batch := dict(islice(unwritten, AT_ONCE)):
        catalog.passages.write(batch, store.generations.passages(sorted(batch)))
    if not catalog.passages.is_complete():
        catalog.passages.mark_complete()
