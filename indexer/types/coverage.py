"""Coverage: how much of the live files each stage has been through."""

from __future__ import annotations

from typing import TypedDict


class Coverage(TypedDict):
    """Files of kinds we read that are there now: all `files`, and how many of them are `read`,
    `understood` and `failed`. The JSON of the API is the same."""

    files: int
    read: int
    understood: int
    failed: int
