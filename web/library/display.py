"""How names, paths and notes are shown: any file name, as text that can be printed and sent."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterable
from pathlib import Path

from indexer.types.notes import Note, NoteJson


def display_text(name: str | Path) -> str:
    """A path or name as valid Unicode: bytes that are not UTF-8 become `\\xNN`."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def display_notes(notes: Iterable[Note]) -> list[NoteJson]:
    """Notes as JSON, whatever names of attachments are in them."""
    return [{"code": note.code, "sentence": display_text(note.sentence)} for note in notes]


def one_line(text: str) -> str:
    """For a terminal: line breaks, control and direction marks written as escapes."""
    return "".join(_escape(char) for char in text)


def _escape(char: str) -> str:
    if unicodedata.category(char) in ("Cc", "Cf", "Zl", "Zp"):
        return char.encode("unicode_escape").decode()
    return char
