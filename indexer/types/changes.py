"""Where to look for changes, and how many files had changed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Changes:
    """How many files a look at the tree found added, changed, moved and gone."""

    added: int = 0
    changed: int = 0
    moved: int = 0
    gone: int = 0

    def __add__(self, other: Changes) -> Changes:
        return Changes(
            self.added + other.added,
            self.changed + other.changed,
            self.moved + other.moved,
            self.gone + other.gone,
        )


@dataclass(frozen=True, slots=True)
class Hint:
    """Where to look: a file, the files of a folder, or when `deep` everything below it."""

    path: Path
    deep: bool = True
