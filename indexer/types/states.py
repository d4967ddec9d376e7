"""How far a file and a content have come, and why a folder or a file is not there."""

from __future__ import annotations

from enum import StrEnum


class FileState(StrEnum):
    """The state of a path. A `known` file is as far as its content. `OFFLINE` is listed for every
    file of a folder that is offline and stored for none."""

    PENDING = "pending"
    READING = "reading"
    KNOWN = "known"
    FAILED = "failed"
    SKIPPED = "skipped"
    MISSING = "missing"
    OFFLINE = "offline"


class ContentState(StrEnum):
    """The state of a content: `read` can be searched by its words, `understood` by its meaning."""

    READ = "read"
    UNDERSTANDING = "understanding"
    UNDERSTOOD = "understood"
    FAILED = "failed"


# A file is listed with its own state, or with that of its content when it is known.
# An empty document has failed, and is listed apart: there is nothing in it to be read.
EMPTY = "empty"
LISTED_STATES = frozenset((*map(str, (*FileState, *ContentState)), EMPTY)) - {str(FileState.KNOWN)}


class OfflineReason(StrEnum):
    """Why a watched folder is offline."""

    ABSENT = "absent"
    SHUT = "shut"
    EMPTY = "empty"
    REPLACED = "replaced"


class AbsenceReason(StrEnum):
    """Why a missing file is kept: its drive is not mounted, or it vanished with many others."""

    UNMOUNTED = "unmounted"
    MANY = "many"


class FailureReason(StrEnum):
    """The reasons of failed and skipped files that are compared in code."""

    EMPTY = "empty"
    PERMISSION = "permission"
    TOO_DEEP = "too_deep"
    FORGOTTEN = "forgotten"
