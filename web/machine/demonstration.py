"""The demonstration library: invented documents, pictures and recordings to try the program on."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from web.library.display import display_text
from web.library.errors import LibraryError

# The files ship beside the demonstration model, which was trained on files of their kind.
SHIPPED_FILES = Path(__file__).parents[2] / "model" / "pocket" / "demonstration"


def shipped_contents() -> frozenset[str]:
    """The contents of the demonstration's files, as they ship."""
    from indexer.files.hashing import hash_path

    hashes = (hash_path(os.fsencode(file)) for file in SHIPPED_FILES.rglob("*") if file.is_file())
    return frozenset(content for content in hashes if content is not None)


def copy_demonstration(folder: Path) -> int:
    """Copies what is missing into `folder`; how many files. Never overwrites, so a person's
    changes to the demonstration stay."""
    if folder.exists() and not folder.is_dir():
        raise LibraryError("folder", f"{display_text(folder)} is a file; name a folder.")
    written = 0
    try:
        for source in sorted(SHIPPED_FILES.rglob("*")):
            target = folder / source.relative_to(SHIPPED_FILES)
            if source.is_dir() or target.exists():
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)
            written += 1
    except OSError as problem:
        sentence = (
            f"{display_text(folder)} cannot be written: {problem.strerror}. Name another folder."
        )
        raise LibraryError("folder", sentence) from problem
    return written
