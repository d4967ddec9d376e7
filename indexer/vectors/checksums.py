"""Our own checksums of the index's files, which LanceDB cannot check: a flipped byte is found.

Files of a table are written once and never changed, so a sum taken when a file was made durable
holds for as long as the file is there. The sums lie beside the tables, a line a file.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Collection
from pathlib import Path

from indexer.files.atomic_replace import replace_file

NAME = "sums"
# The one file that LanceDB changes in place; it is only a hint, and a wrong one does no harm.
CHANGING = "latest_version_hint.json"
BLOCK_BYTES = 1 << 20
# Lines of files that are gone are swept when there are this many more than of files there are.
MOST_STALE = 1_000


class Checksums:
    """The checksums of the files below `folder`. By the writer of the library alone."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file = folder / NAME
        self._known: dict[str, tuple[int, str]] | None = None

    def keep(self, files: Collection[str]) -> None:
        """Takes the sums of those among `files` (absolute; all there are) that have none yet, and
        forgets those of files that are gone. On disk when this returns."""
        known = self._read()
        present = {self._inside(file): file for file in files if _counts(self._inside(file))}
        lines = []
        for inside in sorted(present.keys() - known.keys()):
            try:
                known[inside] = _sum(present[inside])
            except FileNotFoundError:  # cleaned up meanwhile
                continue
            lines.append(_line(inside, *known[inside]))
        stale = known.keys() - present.keys()
        if len(stale) > MOST_STALE + len(present):
            self._known = {inside: known[inside] for inside in known.keys() & present.keys()}
            self._rewrite(self._known)
        elif lines:
            _append(self._file, lines)

    def matches(self, file: Path) -> bool:
        """Whether a file was made durable, and is what was written."""
        try:
            return self._read().get(self._inside(str(file))) == _sum(str(file))
        except OSError:
            return False

    def know(self, table: str) -> bool:
        """Whether the sum of any file of a table was taken; also true where there are no sums."""
        known = self._read()
        return not known or any(name.startswith(f"{table}.lance/") for name in known)

    def forget(self, table: str) -> None:
        """Drops the sums of a table that is replaced under the same names."""
        known = self._read()
        for inside in [name for name in known if name.startswith(f"{table}.lance/")]:
            del known[inside]
        self._rewrite(known)

    def forget_file(self, file: Path) -> None:
        """Drops the sum of one file, whose name another is to have."""
        known = self._read()
        if known.pop(self._inside(str(file)), None) is not None:
            self._rewrite(known)

    def wrong(self, table: str | None = None) -> list[tuple[Path, str]]:
        """The files that are not what was written, of one table or of all, each with what is wrong
        with it."""
        self._known = None
        wrong = []
        for inside, (size, digest) in sorted(self._read().items()):
            if table is not None and not inside.startswith(f"{table}.lance/"):
                continue
            path = self._folder / inside
            try:
                if _sum(str(path)) != (size, digest):
                    wrong.append((path, "is not what was written"))
            except FileNotFoundError:  # cleaned up: whether one is missing, its table tells
                continue
            except OSError as problem:
                wrong.append((path, f"cannot be read ({problem.strerror})"))
        return wrong

    def _rewrite(self, known: dict[str, tuple[int, str]]) -> None:
        lines = [_line(inside, *entry) for inside, entry in sorted(known.items())]
        replace_file(self._file, "".join(lines).encode("ascii"))

    def _inside(self, file: str) -> str:
        return file[len(str(self._folder)) + 1 :]

    def _read(self) -> dict[str, tuple[int, str]]:
        if self._known is None:
            self._known = {}
            try:
                text = self._file.read_bytes().decode("ascii", "replace")
            except FileNotFoundError:
                text = ""
            for line in text.split("\n"):
                digest, _, rest = line.partition(" ")
                size, _, inside = rest.partition(" ")
                # else torn by a power cut, or of a table that was set aside
                if len(digest) == 32 and size.isdecimal() and _counts(inside):
                    self._known[inside] = (int(size), digest)
        return self._known


def _counts(inside: str) -> bool:
    """Whether a file belongs to a table that is in use, and not to one that was set aside."""
    table, _, file = inside.partition("/")
    return table.endswith(".lance") and bool(file) and not file.endswith(CHANGING)


def _line(inside: str, size: int, digest: str) -> str:
    return f"{digest} {size} {inside}\n"


def _sum(file: str) -> tuple[int, str]:
    digest = hashlib.blake2b(digest_size=16)
    size = 0
    with open(file, "rb", buffering=0) as opened:
        while block := opened.read(BLOCK_BYTES):
            digest.update(block)
            size += len(block)
    return size, digest.hexdigest()


def _append(file: Path, lines: Collection[str]) -> None:
    """Adds lines to a file; they are on the disk when this returns."""
    handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with open(handle, "a", encoding="ascii") as opened:
        if opened.tell():
            opened.write("\n")  # ends a line that a power cut left unfinished
        opened.writelines(lines)
        opened.flush()
        os.fsync(opened.fileno())
