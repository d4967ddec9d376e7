"""One setting in config.toml, changed as a person would: all else stays as it was written."""

from __future__ import annotations

from pathlib import Path

import tomlkit
from tomlkit.exceptions import TOMLKitError

from indexer.files.atomic_replace import replace_file
from web.library.errors import LibraryError


def set_option(file: Path, key: str, value: str) -> None:
    """Sets a top-level `key`, as the first line where it is new. Raises LibraryError where the file
    cannot be read or written; the file is the old one or the new one, never a part."""
    line = tomlkit.dumps({key: value})
    by_hand = f"Write it yourself: {line.strip()}"
    try:
        before = file.read_bytes().decode() if file.exists() else ""
        settings = tomlkit.parse(before)
    except (OSError, ValueError, TOMLKitError) as problem:
        raise LibraryError(
            "config", f"{file} cannot be read ({problem}). Mend it. {by_hand}"
        ) from problem
    if isinstance(settings.get(key), dict):  # a section, which gives way to the one line
        settings.remove(key)
        after = line + tomlkit.dumps(settings)
    elif key in settings:
        settings[key] = value
        after = tomlkit.dumps(settings)
    else:
        after = line + before
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        target = file.resolve()  # a link stays a link
        mode = target.stat().st_mode & 0o777 if target.exists() else 0o600
        replace_file(target, after.encode(), mode)
    except OSError as problem:
        raise LibraryError(
            "config", f"{file} cannot be written ({problem}). {by_hand}"
        ) from problem
