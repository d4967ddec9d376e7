"""The files of a library, and what became of them by indexing, forgetting and verifying."""

from __future__ import annotations

from typing_extensions import TypedDict

from indexer.types.coverage import Coverage
from indexer.types.notes import NoteJson


class FileJson(TypedDict):
    id: str | None
    path: str
    name: str
    kind: str | None
    state: str
    reason: str | None
    sentence: str | None
    notes: list[NoteJson]  # what of it was left out or could not be understood
    attempts: int
    size_bytes: int
    modified_at: float


class FilesJson(TypedDict):
    count: int
    files: list[FileJson]


class ExcludesJson(TypedDict):
    folders: list[str]
    files: list[str]


class IndexJson(TypedDict):
    added: int
    changed: int
    moved: int
    gone: int
    coverage: Coverage
    model_calls: int
    took_s: float


class ForgottenJson(TypedDict):
    forgotten: list[str]  # paths, and what was attached where
    erased: bool  # no byte is left; else that is so within the hour


class FolderJson(TypedDict):
    name: str
    path: str
    watched: bool  # it is a watched folder, or lies in one


class FoldersJson(TypedDict):
    path: str
    parent: str | None  # None at the home folder
    watched: bool
    folders: list[FolderJson]
    left_out: int  # beyond those that are listed


class StorageJson(TypedDict):
    """Where the index and the conversations lie."""

    path: str
    size_bytes: int
    conversations_bytes: int  # of these


class FaultJson(TypedDict):
    code: str
    sentence: str
    mended: bool


class VerdictJson(TypedDict):
    sound: bool
    faults: list[FaultJson]
    passages: int
    vectors: int
    files: int  # of a person's, read again and compared
    again: int  # to be read or understood once more
    took_s: float
