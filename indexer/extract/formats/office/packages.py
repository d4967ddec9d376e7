"""Packages of Open XML as python-docx and python-pptx open them: a damaged part does not take the
whole document along.

Both parse every part when they open a package, and refuse all of it where one is no XML. Here such
a part is kept as plain bytes: whoever asks it for its element fails, and notes it.
"""

from __future__ import annotations

from typing import Any


def keep_damaged_parts(part_types: dict[str, Any], plain: Any, main: Any) -> None:
    """Changes the table of a library, from types of content to classes of parts: parts that cannot
    be parsed become `plain` ones. Parts of the class `main` hold the document itself."""
    for content_type, part_class in part_types.items():
        if not issubclass(part_class, main) and not hasattr(part_class, "keeps_damaged"):
            part_types[content_type] = _keeping_damaged(part_class, plain)


def _keeping_damaged(part_class: Any, plain: Any) -> Any:
    class KeptPart(part_class):  # type: ignore[misc]  # a class of an untyped library
        keeps_damaged = True

        @classmethod
        def load(cls, *arguments: Any) -> Any:
            try:
                return super().load(*arguments)
            except MemoryError:
                raise
            except Exception:
                return plain.load(*arguments)

    return KeptPart
