"""Paths that a person names: checked before anything is done with them, and read within bounds."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from indexer.files.opening import open_regular
from web.library.display import display_text
from web.library.errors import LibraryError

# The largest example that is taken over HTTP.
MAX_EXAMPLE_BYTES = 20_000_000


def named_path(text: str | Path) -> Path:
    """The absolute path that a person named; it need not be there. Raises LibraryError for one that
    no file can have, or that leads round in a circle of links."""
    try:
        path = Path(text).expanduser().absolute()
        with suppress(FileNotFoundError, NotADirectoryError, PermissionError):
            path.resolve()
            os.lstat(path)
    except RuntimeError as problem:  # what pathlib makes of both
        if str(text).startswith("~") and "home directory" in str(problem):
            reason = "there is no such user; write the path in full"
        else:
            reason = "its links lead round in a circle; take one of them away"
    except ValueError:  # a NUL, or half of a character
        reason = "it has a character that no path can have; check the name"
    except OSError as problem:
        reason = f"{problem.strerror or problem}; check the name"
    else:
        return path
    raise LibraryError("path", f"This path cannot be used: {reason}.")


def is_folder(path: Path) -> bool:
    """Whether a folder is there; false, too, where that may not be looked at."""
    try:
        return path.is_dir()
    except OSError:
        return False


def read_example(file: Path) -> bytes:
    """All bytes of an example that is sent to a server. Raises LibraryError."""
    try:
        with open(open_regular(named_path(file).resolve()), "rb") as opened:
            body = opened.read(MAX_EXAMPLE_BYTES + 1)
    except FileNotFoundError as problem:
        raise LibraryError("example", f"There is no file {file}; check the name.") from problem
    except OSError as problem:
        reason = problem.strerror or problem
        raise LibraryError(
            "example", f"{display_text(file)} cannot be read ({reason}); name another example."
        ) from problem
    if len(body) > MAX_EXAMPLE_BYTES:
        most = MAX_EXAMPLE_BYTES // 1_000_000
        raise LibraryError(
            "example", f"{display_text(file)} is larger than {most} MB; take a smaller example."
        )
    return body
