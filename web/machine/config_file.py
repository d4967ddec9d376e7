"""One setting in config.toml, changed as a person would: all else stays as it was written."""

from __future__ import annotations

import json
import os
import re
import tempfile
import tomllib
from pathlib import Path

from web.library.errors import LibraryError


def set_option(file: Path, key: str, value: str) -> None:
    """Sets a top-level `key`. Raises LibraryError where that cannot be done without changing
    anything else; the file is the old one or the new one, never a part."""
    line = f"{key} = {_quoted(value)}"
    by_hand = f"Write it yourself: {line}"
    try:
        old = file.read_text(encoding="utf-8") if file.exists() else ""
        before = tomllib.loads(old)
    except (OSError, ValueError) as why:
        raise LibraryError("config", f"{file} cannot be read ({why}). Mend it. {by_hand}") from why
    new = _with(old, key, line)
    try:
        right = tomllib.loads(new) == before | {key: value}
    except tomllib.TOMLDecodeError:
        right = False
    if not right:
        raise LibraryError(
            "config", f"{file} is written in a way that is not changed here. {by_hand}"
        )
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        kept = file.resolve()  # a link stays a link
        handle, fresh = tempfile.mkstemp(dir=kept.parent, prefix=".config")
        with os.fdopen(handle, "w", encoding="utf-8") as opened:
            opened.write(new)
            opened.flush()
            os.fsync(opened.fileno())
        if kept.exists():
            Path(fresh).chmod(kept.stat().st_mode & 0o777)
        Path(fresh).replace(kept)
    except OSError as why:
        raise _problem(f"{file} cannot be written ({why}). {by_hand}") from why


def _problem(sentence: str) -> LibraryError:
    return LibraryError("config", sentence)


def _with(old: str, key: str, line: str) -> str:
    """The text with the line in the place of the one it had, or first."""
    table = re.search(r"^[ \t]*\[", old, flags=re.M)
    top = old[: table.start()] if table else old
    has = re.search(rf"^[ \t]*{re.escape(key)}[ \t]*=.*$", top, flags=re.M)
    if has is None:
        return f"{line}\n{old}"
    return old[: has.start()] + line + old[has.end() :]


def _quoted(value: str) -> str:
    """A TOML basic string; JSON's escapes are TOML's, but for the delete character."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
