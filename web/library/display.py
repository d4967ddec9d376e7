"""How names and paths are shown: any file name, as text that can be printed and sent."""

from __future__ import annotations

import os
import unicodedata
from pathlib import Path


def display_text(name: str | Path) -> str:
    """A path or name as valid Unicode: bytes that are not UTF-8 become `\\xNN`."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def one_line(text: str) -> str:
    """For a terminal: line breaks, control and direction marks written as escapes."""
    return "".join(_escape(char) for char in text)


def _escape(char: str) -> str:
    if unicodedata.category(char) in ("Cc", "Cf", "Zl", "Zp"):
        return char.encode("unicode_escape").decode()
    return char
