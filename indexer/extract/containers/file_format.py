"""The format of a file: by its first bytes, and for a container by what is in it."""

from __future__ import annotations

from typing import IO

from indexer.extract.containers.signatures import format_by_content
from indexer.files.opening import SpecialFileError, open_regular
from indexer.types.attachments import File, MemoryFile
from indexer.types.formats import KINDS, Format, format_by_name
from indexer.types.pieces import UnreadableError
from indexer.types.places import Kind

HEAD_BYTES = 8192


def detect_kind(path: File) -> Kind | None:
    """The kind of the file; None where it is not read, of which `unread_sentence` gives the reason.
    Raises UnreadableError when it cannot be opened."""
    file_format = detect_format(path)
    return None if file_format is None else KINDS[file_format]


def detect_format(path: File) -> Format | None:
    """The format by the content, or by the name where the content is empty or damaged. Raises
    UnreadableError when the file cannot be opened."""
    if isinstance(path, MemoryFile):
        return detect_open_format(path.open("rb"), path.name)
    try:
        with open(open_regular(path), "rb") as file:
            return detect_open_format(file, path.name)
    except OSError as problem:
        raise opening_error(problem) from problem


def detect_open_format(file: IO[bytes], name: str) -> Format | None:
    """The same for an open file; a bounded part of it is read."""
    from indexer.extract.containers import compound
    from indexer.extract.containers.archives import ZIP, container_format
    from indexer.extract.containers.media_signatures import TIFF
    from indexer.extract.containers.tiff import count_pages

    file.seek(0)
    head = file.read(HEAD_BYTES) or b""  # None: the system has nothing to read yet
    if head.startswith((ZIP, compound.MAGIC)) and b"%PDF-" not in head[:1024]:
        file_format = container_format(file, head, name)
        file.seek(0)
        return file_format
    file_format = format_by_content(head, name) or format_by_name(name)
    if file_format == "picture" and head.startswith(TIFF) and count_pages(file, most=2) > 1:
        file_format = "scan"
    file.seek(0)
    return file_format


def opening_error(problem: OSError) -> UnreadableError:
    """The error to report where the system refuses to open a file."""
    if isinstance(problem, PermissionError):
        return UnreadableError(
            "permission", "You are not allowed to read this file; allow reading it."
        )
    if isinstance(problem, SpecialFileError):
        return UnreadableError("unsupported", "This is a folder, a pipe or a device, and no file.")
    if isinstance(problem, FileNotFoundError | NotADirectoryError):
        return UnreadableError("vanished", "The file is not there any more.")
    return UnreadableError("corrupt", f"The file cannot be read ({problem.strerror or problem}).")
