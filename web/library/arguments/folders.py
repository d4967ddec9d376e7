"""Folders that a person chooses from, and what adding one does to those that are watched."""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from pathlib import Path

from web.library.arguments.paths import named_path
from web.library.display import display_text
from web.library.errors import LibraryError
from web.library.schemas.files import FolderJson, FoldersJson

MOST = 500  # folders that are listed of one


def folder_choice(
    folder: str | None, hidden: bool, roots: Collection[Path], own: Path
) -> FoldersJson:
    """The folders in one at or below the home folder (None: in that), by name; hidden ones where
    they are asked for, never `own`, that of the index, nor links. Raises LibraryError."""
    home = Path.home().resolve()
    path = named_path(folder).resolve() if folder else home
    if path != home and home not in path.parents:
        raise LibraryError(
            "folder",
            "Only folders in your home folder are listed; type the path of another one.",
            403,
        )
    if not hidden and any(part.startswith(".") for part in path.relative_to(home).parts):
        raise LibraryError("folder", "This folder is hidden; have hidden folders listed.", 403)
    own = own.resolve()
    try:
        with os.scandir(path) as entries:
            names = sorted(
                (
                    entry.name
                    for entry in entries
                    if (hidden or not entry.name.startswith("."))
                    and entry.is_dir(follow_symlinks=False)
                    and path / entry.name != own
                ),
                key=str.casefold,
            )
    except OSError as problem:
        reason = problem.strerror or str(problem)
        sentence = f"{display_text(path)} cannot be listed: {reason}; choose another folder."
        raise LibraryError("folder", sentence) from problem
    folders: list[FolderJson] = [
        {
            "name": display_text(name),
            "path": display_text(path / name),
            "watched": _is_watched(path / name, roots),
        }
        for name in names[:MOST]
    ]
    return {
        "path": display_text(path),
        "parent": None if path == home else display_text(path.parent),
        "watched": _is_watched(path, roots),
        "folders": folders,
        "left_out": max(0, len(names) - MOST),
    }


def takes_in_sentence(path: Path, inside: Sequence[Path]) -> str:
    """What becomes of the watched folders `inside` one that is to be added."""
    named = " and ".join(f"“{display_text(folder)}”" for folder in inside[:3])
    if len(inside) > 3:
        named += f" and {len(inside) - 3} more"
    lie, they, them = ("lies", "it", "it") if len(inside) == 1 else ("lie", "they", "them")
    becomes = "becomes" if len(inside) == 1 else "become"
    return (
        f"{named} {lie} in {display_text(path)}: {they} {becomes} part of it. What is known of the "
        f"files stays, and what a .recollectignore in {them} leaves out stays left out. "
        "To agree: `recollect add --take-in`."
    )


def _is_watched(path: Path, roots: Collection[Path]) -> bool:
    return any(path == root or root in path.parents for root in roots)
