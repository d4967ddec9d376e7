"""Coverage: how much of the live files each stage has been through, and the work that is left."""

from __future__ import annotations

from typing_extensions import TypedDict

# A kind of work: files that are to be `read` and parts that are to be described, by their kind, and
# passages that are to be embedded, which are of no kind.
Work = tuple[str, str | None]


class Coverage(TypedDict):
    """Files of kinds we read that are there now: all `files`, and how many of them are `read`,
    `understood` and `failed`. The JSON of the API is the same."""

    files: int
    read: int
    understood: int
    failed: int
