"""Names of contents and generations: what is put into filters, and may be the name of a table."""

from __future__ import annotations

import re

_NAME = re.compile(r"[0-9a-z]{1,64}")


def checked_name(name: str) -> str:
    """`name`, safe as the name of a table and in a filter. Raises ValueError where it is not."""
    if not _NAME.fullmatch(name):
        raise ValueError(f"not a name of ours: {name!r}")
    return name
