"""A scope that a person names: a kind, a folder of the library, and dates."""

from __future__ import annotations

from pathlib import Path

from indexer.catalog.catalog import Catalog
from indexer.types.scope import Scope
from retriever.queries.periods import parse_day
from retriever.queries.query import parse_kind
from web.library.arguments.paths import is_folder, named_path
from web.library.display import display_text
from web.library.errors import LibraryError


def named_scope(
    catalog: Catalog,
    kind: str | None,
    folder: str | None,
    after: str | None,
    before: str | None,
) -> Scope:
    """What may be found; None leaves a condition out. Dates are ISO days, `before` not included.
    Raises QueryError, and LibraryError for a folder of which nothing is in the library."""
    path = named_path(folder) if folder else None
    if path is not None and not _is_in_library(catalog, path):
        sentence = "is no folder of the library; check the name, or add it first."
        raise LibraryError("folder", f"{display_text(path)} {sentence}")
    return Scope(
        kinds=parse_kind(kind),
        folders=frozenset({path} if path else ()),
        after=parse_day(after),
        before=parse_day(before),
    )


def _is_in_library(catalog: Catalog, folder: Path) -> bool:
    """Whether a folder has files in the library, or lies in a watched one and has none."""
    scopes = catalog.scopes
    return scopes.holds(folder) or (scopes.covers(folder) and is_folder(folder))
