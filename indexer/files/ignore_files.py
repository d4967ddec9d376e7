"""What a person leaves out: `.recollectignore` files, in the syntax of .gitignore, at any depth.

As in git, the last pattern that fits decides, a deeper file's before a shallower one's, and what
lies in a folder that is left out cannot be brought back by a pattern further down.
"""

from __future__ import annotations

import functools
import os
from dataclasses import dataclass

from pathspec import GitIgnoreSpec

from indexer.files.opening import open_regular

NAME = b".recollectignore"
MOST_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Rules:
    """The patterns that hold in one folder: (folder relative to the root, its patterns), the
    root's first. A folder without a file of its own shares those of the folder above."""

    files: tuple[tuple[bytes, GitIgnoreSpec], ...] = ()

    def leave_out(self, path: bytes, folder: bool = False) -> bool:
        """Whether a path relative to the root is left out."""
        return self.left_out_by(path, folder) is not None

    def left_out_by(self, path: bytes, folder: bool = False) -> bytes | None:
        """The folder (relative to the root) whose file leaves the path out; None for none."""
        for base, spec in reversed(self.files):
            inside = path[len(base) + 1 :] if base else path
            verdict = spec.check_file(os.fsdecode(inside) + ("/" if folder else "")).include
            if verdict is not None:
                return base if verdict else None
        return None

    def within(self, root: bytes, folder: bytes) -> Rules:
        """The rules in `folder` (relative to `root`) when these hold above it.

        Raises OSError when there is a file that cannot be read: what it would leave out is not
        known then."""
        file_path = root.rstrip(b"/") + b"/" + (folder + b"/" if folder else b"") + NAME
        try:
            handle = open_regular(file_path)
        except (FileNotFoundError, NotADirectoryError):
            return self
        with open(handle, "rb") as file:
            written = file.read(MOST_BYTES)
        return Rules((*self.files, (folder, _spec(written))))


NO_RULES = Rules()


@functools.lru_cache(maxsize=256)
def _spec(written: bytes) -> GitIgnoreSpec:
    lines = written.decode("utf-8-sig", "surrogateescape").replace("\r\n", "\n").split("\n")
    return GitIgnoreSpec.from_lines([line for line in lines if _is_pattern(line)])


def _is_pattern(line: str) -> bool:
    """A line that is none is passed over, as git does; the others hold."""
    try:
        GitIgnoreSpec.from_lines([line])
    except ValueError:
        return False
    return True
