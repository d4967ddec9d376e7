"""Watched folders, files, and what is never read, as JSON."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from indexer.catalog.records import FileRow
from indexer.catalog.roots import Root
from indexer.files.excludes import describe_files, describe_folders
from indexer.files.mounts import network_places
from web.library.display import display_notes, display_text
from web.library.schemas.files import ExcludesJson, FileJson, StorageJson
from web.library.schemas.status import RootJson


def roots_json(roots: Sequence[Root]) -> list[RootJson]:
    network_types = network_places(root.path for root in roots)
    return [
        {
            "path": display_text(root.path),
            "files": root.files,
            "offline": root.offline,
            "missing": root.missing,
            "acceptable": root.acceptable,
            "network": network_types.get(root.path),
            "sentence": display_text(root.sentence) if root.sentence else None,
        }
        for root in roots
    ]


def file_json(row: FileRow) -> FileJson:
    return {
        "id": row.item,
        "path": display_text(row.path),
        "name": display_text(row.path.name),
        "kind": row.kind,
        "state": row.state,
        "reason": row.reason,
        "sentence": row.sentence,
        "notes": display_notes(row.notes),
        "attempts": row.attempts,
        "size_bytes": row.size_bytes,
        "modified_at": row.modified_at,
    }


def storage_json(data: Path) -> StorageJson:
    """What the data directory takes on the disk; files that go meanwhile do not count."""
    size_bytes = conversations_bytes = 0
    for folder, _, names in os.walk(data):
        for name in names:
            with suppress(OSError):
                file_bytes = Path(folder, name).lstat().st_size
                size_bytes += file_bytes
                conversations_bytes += file_bytes if name == "conversations.sqlite" else 0
    return {
        "path": display_text(data.absolute()),
        "size_bytes": size_bytes,
        "conversations_bytes": conversations_bytes,
    }


def excludes_json() -> ExcludesJson:
    """What is never read unless its name is changed."""
    return {"folders": describe_folders(), "files": describe_files()}
