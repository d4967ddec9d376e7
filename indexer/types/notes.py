"""Notes: what of a file was not read, not seen or not heard though the rest was, as sentences."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from typing_extensions import TypedDict

MAX_NOTES = 40  # of one file; the last one counts those after it


class NoteCode(StrEnum):
    """What was left out. A code once given out keeps its meaning."""

    TEXT_LEFT_OUT = "text_left_out"  # the end of a long text or message
    PAGES_LEFT_OUT = "pages_left_out"
    PAGES_DAMAGED = "pages_damaged"
    CHAPTERS_DAMAGED = "chapters_damaged"
    SLIDES_DAMAGED = "slides_damaged"
    SHEETS_DAMAGED = "sheets_damaged"
    ROWS_LEFT_OUT = "rows_left_out"
    CELLS_LEFT_OUT = "cells_left_out"
    MESSAGES_LEFT_OUT = "messages_left_out"  # of a mailbox
    PARTS_LEFT_OUT = "parts_left_out"  # of a document: drawings, objects, parts of a message
    PARTS_DAMAGED = "parts_damaged"
    LAYERS_HIDDEN = "layers_hidden"  # of a PDF; their words are read
    LETTERS_DAMAGED = "letters_damaged"  # bytes that are no letters of the text's encoding
    ATTACHMENTS_LEFT_OUT = "attachments_left_out"
    ATTACHMENT_UNREAD = "attachment_unread"
    PICTURES_LEFT_OUT = "pictures_left_out"  # of an animation, of a document
    TRACKS_UNHEARD = "tracks_unheard"
    SOUND_CUT = "sound_cut"
    SOUND_DAMAGED = "sound_damaged"  # in places; the rest was heard
    FILM_UNSEEN = "film_unseen"
    NOT_UNDERSTOOD = "not_understood"  # by the model, or not shown to it
    MORE = "more"  # as many notes as are kept of one file were written before
    EARLIER = "earlier"  # by a version of this program that gave no codes


DAMAGED_CODES = frozenset(code for code in NoteCode if code.endswith("_damaged"))


@dataclass(frozen=True, slots=True)
class Note:
    """One part, track, layer or sheet that was left out; `sentence` says so to a person."""

    code: NoteCode
    sentence: str


class NoteJson(TypedDict):
    """A note as JSON, of the catalog and of the API."""

    code: str
    sentence: str


class Notes:
    """The notes of a file that is being read, each once, in order, and no more than MAX_NOTES."""

    def __init__(self, notes: Iterable[Note | None] = ()) -> None:
        self._notes: dict[Note, None] = {}
        self.extend(notes)

    def add(self, code: NoteCode, sentence: str) -> None:
        self._notes[Note(code, sentence)] = None

    def extend(self, notes: Iterable[Note | None]) -> None:
        self._notes.update(dict.fromkeys(note for note in notes if note is not None))

    def all(self) -> tuple[Note, ...]:
        notes = tuple(self._notes)
        if len(notes) <= MAX_NOTES:
            return notes
        left = len(notes) - MAX_NOTES + 1
        more = Note(NoteCode.MORE, f"{left:,} other parts of it were not read either.")
        return (*notes[: MAX_NOTES - 1], more)


def notes_json(notes: Iterable[Note]) -> list[NoteJson]:
    return [{"code": note.code, "sentence": note.sentence} for note in notes]


def notes_from_json(written: Iterable[NoteJson]) -> tuple[Note, ...]:
    """The notes that `notes_json` wrote. Raises ValueError or KeyError for anything else."""
    return tuple(Note(NoteCode(note["code"]), note["sentence"]) for note in written)
