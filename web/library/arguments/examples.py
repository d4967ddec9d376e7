"""An example to search by: a picture or a sound, which need not be in the library."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from indexer.extract.containers.file_format import detect_kind
from indexer.extract.process.reader import ReaderProcess
from indexer.types.pieces import UnreadableError
from indexer.types.places import Kind, Span
from model.interface import Image, Sound
from web.library.arguments.paths import named_path
from web.library.errors import LibraryError

# The model takes at most this much of a sound at once.
EXAMPLE_S = 15.0

# The suffix distinguishes kinds of files that begin with the same bytes.
EXAMPLE_SUFFIXES = {
    "image/png": ".png",
    "image/jpeg": ".jpg",
    "image/webp": ".webp",
    "audio/wav": ".wav",
    "audio/x-wav": ".wav",
    "audio/flac": ".flac",
    "audio/x-flac": ".flac",
    "audio/ogg": ".ogg",
    "audio/mpeg": ".mp3",
}


def load_example(reader: ReaderProcess, file: Path) -> Image | Sound:
    """The picture, or the first seconds of the sound, in a file. Raises LibraryError."""
    try:
        file = named_path(file).resolve()
        match detect_kind(file):
            case Kind.PHOTO:
                return reader.original(file, None)
            case Kind.RECORDING:
                return reader.original(file, Span(0.0, EXAMPLE_S))
            case _:
                sentence = "This is neither a picture nor a sound; give one as the example."
    except (UnreadableError, OSError) as problem:
        sentence = str(problem)
    raise LibraryError("example", sentence)


@contextmanager
def temporary_example(body: bytes, media_type: str) -> Iterator[Path]:
    """A request's body in a file, which is removed at the end."""
    with tempfile.TemporaryDirectory(prefix="recollect-") as folder:  # 0700
        file = Path(folder) / f"example{EXAMPLE_SUFFIXES.get(media_type, '')}"
        file.write_bytes(body)
        yield file
