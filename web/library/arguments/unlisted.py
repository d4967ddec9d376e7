"""Why a file that a person named is in no list of the library, and what can be done about it."""

from __future__ import annotations

import os
from pathlib import Path

from indexer.catalog.catalog import Catalog
from indexer.catalog.forget_list import ForgetList
from indexer.files.exclusion import exclusion_sentence
from indexer.files.paths import relative
from web.library.display import display_text


def unlisted_sentence(catalog: Catalog, path: Path) -> str:
    """The reason for an absolute path, and the cure."""
    name = display_text(path)
    # the last name is kept: a link is not the file it leads to
    spellings = (path, path.parent.resolve() / path.name)
    for root in catalog.roots.all():
        raw = os.fsencode(root.path)
        for inside in (relative(raw, os.fsencode(spelling)) for spelling in spellings):
            if inside:
                if root.offline:
                    return f"{name} is not in the library. {display_text(root.sentence or '')}"
                if ForgetList(catalog.database).holds_path(path):
                    return f"{name} was forgotten; `recollect remember FILE` has it read again."
                data = catalog.file.parent.stat()
                sentence = exclusion_sentence(raw, inside, (data.st_dev, data.st_ino))
                return f"{name} is not in the library. {sentence}"
    return f"{name} is not in the library; add its folder first."
