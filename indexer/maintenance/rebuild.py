"""A catalog that is lost or damaged: quarantined, begun anew, and filled again from the files.

What a person chose (the folders, and what is to stay forgotten) is also kept in a small file of its
own. The rest is read again from the person's files; what the model has made of them lies in the
store by their content's hash and is taken over (`salvage`), so the model is asked for nothing.
"""

from __future__ import annotations

import base64
import json
from pathlib import Path

from indexer.catalog.catalog import Catalog
from indexer.catalog.storage.choices import (
    UserChoices,
    read_choices,
    salvage_choices,
    write_choices,
)
from indexer.catalog.storage.database import Database
from indexer.catalog.storage.inspection import is_damaged
from indexer.files.atomic_replace import replace_file
from indexer.files.quarantine import quarantine

CHOICES = "chosen.json"
# The note in the catalog while it is begun anew: what the store holds may still be taken over.
ADOPTING = "adopting"
# A larger catalog is not read through at every start; `recollect verify` does that.
CHECKED_BYTES = 256 << 20


def open_catalog(file: Path) -> Catalog:
    """The catalog, begun anew where it is lost or damaged; for the holder of the library's lock.
    Raises CatalogError when it cannot be opened for another reason."""
    if not file.exists():
        choices = _saved_choices(file.parent)
    elif file.stat().st_size <= CHECKED_BYTES and is_damaged(file):
        choices = salvage_choices(file) or _saved_choices(file.parent)
        for name in (file.name, f"{file.name}-wal", f"{file.name}-shm"):
            if (part := file.with_name(name)).exists():
                quarantine(part, file.parent)
    else:
        return Catalog(file)
    catalog = Catalog(file)
    write_choices(catalog.database, choices)
    return catalog


def save_choices(database: Database) -> None:
    """Writes what a person chose to its file, if that has changed."""
    choices = read_choices(database)
    content = {
        "roots": [base64.b64encode(root).decode() for root in choices.roots],
        "key": choices.key,
        "forgotten": choices.forgotten,
    }
    file = database.file.parent / CHOICES
    written = json.dumps(content, indent=1).encode("ascii")
    try:
        if file.read_bytes() == written:
            return
    except OSError:
        pass
    replace_file(file, written)


def _saved_choices(data: Path) -> UserChoices:
    try:
        content = json.loads((data / CHOICES).read_text(encoding="ascii"))
        return UserChoices(
            [base64.b64decode(root) for root in content["roots"]],
            content["key"],
            [str(mark) for mark in content["forgotten"]],
        )
    except (OSError, ValueError, KeyError, TypeError):
        return UserChoices()
