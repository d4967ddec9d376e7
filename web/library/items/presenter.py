"""One item as a browser shows it: its facts, words, page pictures, sound.

Items are named by opaque ids alone; the catalog knows the path. What cannot be found is None.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path, PurePath

from indexer.catalog.catalog import Catalog
from indexer.catalog.records import Item
from indexer.extract.process.reader import ReaderProcess
from indexer.types.passages import FIRST_UNDERSTOOD, Passage, Source
from indexer.types.places import Kind, place_json
from indexer.types.recordings.transcripts import corrected_passage
from indexer.types.states import ContentState
from retriever.marks.marked_words import marked_words
from retriever.marks.page_marks import page_marks
from retriever.marks.snippets import matches
from web.library.display import display_notes, display_text
from web.library.items.attachment_bytes import AttachmentBytes
from web.library.items.reading import ReadingModel
from web.library.items.wav import WavFile
from web.library.schemas.items import (
    MAX_PASSAGES,
    ItemJson,
    MailJson,
    PageWordsJson,
    PeaksJson,
    TextJson,
    ThumbJson,
)

THUMB_PX = 480

# The types a browser may be sent; anything else is sent as application/octet-stream.
SAFE_TYPES = {
    ".pdf": "application/pdf",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".webp": "image/webp",
    ".wav": "audio/wav",
    ".flac": "audio/flac",
    ".ogg": "audio/ogg",
    ".oga": "audio/ogg",
    ".opus": "audio/ogg",
    ".mp3": "audio/mpeg",
    ".gif": "image/gif",
    ".bmp": "image/bmp",
    ".avif": "image/avif",
    ".m4a": "audio/mp4",
    ".mp4": "video/mp4",
    ".webm": "video/webm",
    ".txt": "text/plain",
    ".md": "text/plain",
}
MAX_KNOWN_TYPES = 1_000  # of recordings that were played


@dataclass(frozen=True, slots=True)
class OriginalFile:
    """What is sent unchanged: its name and media type, and the file or the attachment's
    bytes."""

    name: str
    kind: str
    source: Path | AttachmentBytes


class ItemPresenter:
    """Shows items of one library. The reader is not the indexer's, so that a person never waits
    behind a large file."""

    def __init__(
        self,
        catalog: Catalog,
        reader: ReaderProcess,
        prioritize: Callable[[Iterable[str]], None],
        is_present: Callable[[Path], bool],
        model: ReadingModel,
    ) -> None:
        self._catalog = catalog
        self._reader = reader
        self._prioritize = prioritize
        self._is_present = is_present
        self._model = model
        self._playable_types: dict[str, str | None] = {}  # by content

    def facts(self, item_id: str) -> ItemJson | None:
        item = self._catalog.items.get(item_id)
        if item is None:
            return None
        item = item.among(self._is_present)
        if item is None:
            return None
        members = self._catalog.items.members(item.content)
        # what a person opens is understood next
        self._prioritize(part.item for part in (item, *members) if part.state is ContentState.READ)
        passages = self._passages(item)
        captions = [p.text for p in passages if p.source is Source.CAPTION]
        # a document of plain text has nothing that was seen
        is_read = any(p.text and p.ordinal >= FIRST_UNDERSTOOD for p in passages)
        return {
            "id": item.item,
            "path": display_text(item.path),
            "paths": [display_text(path) for path in item.paths],
            "kind": item.kind,
            "title": display_text(item.title),
            "attached_to": attached_to(item),
            "attachments": [
                {"id": member.item, "title": display_text(member.title), "kind": member.kind}
                for member in members
            ],
            "state": item.state,
            "pages": item.pages,
            "w": item.width_px,
            "h": item.height_px,
            "colour": item.colour,
            "duration_s": item.duration_s,
            "modified_at": item.modified_at,
            "made_at": item.made_at,
            "made_offset_s": item.made_offset_s,
            "size_bytes": item.size_bytes,
            "notes": display_notes(self._catalog.files.notes(item.content)),
            "tracks": [
                {"track": track.number, "label": display_text(track.label)}
                for track in self._catalog.items.sound_tracks(item.content)
            ],
            "caption": captions[0] if captions and item.kind is Kind.PHOTO else None,
            "read_by": self._model.name_for(item) if is_read else None,
        }

    def text(
        self, item_id: str, query: str, offset: int = 0, limit: int = MAX_PASSAGES
    ) -> TextJson | None:
        """One page of the words of an item, and which of them match the query."""
        item = self._catalog.items.get(item_id)
        if item is None:
            return None
        wanted = marked_words(self._catalog.passages, item.content, query)
        passages = self._passages(item)
        return {
            "id": item.item,
            "count": len(passages),
            "passages": [
                {
                    "ordinal": passage.ordinal,
                    "text": passage.text,
                    "place": place_json(passage.place),
                    "source": passage.source,
                    "marks": matches(passage.text, wanted),
                    "sentences": [
                        {
                            "start": sentence.start,
                            "end": sentence.end,
                            "start_s": sentence.start_s,
                            "end_s": sentence.end_s,
                        }
                        for sentence in passage.sentences
                    ],
                }
                for passage in passages[offset : offset + limit]
            ],
        }

    def page(self, item_id: str, page: int, width_px: int) -> bytes | None:
        """A page of a document as a picture."""
        item = self._document(item_id, page)
        return self._reader.page(item.path, page, width_px, item.member) if item else None

    def page_words(self, item_id: str, page: int, query: str) -> PageWordsJson | None:
        """The words of a page with their boxes in points, and which of them match the query."""
        item = self._document(item_id, page)
        if item is None:
            return None
        words = self._reader.words(item.path, page, item.member)
        wanted = marked_words(self._catalog.passages, item.content, query)
        return {
            "width": words["width"],
            "height": words["height"],
            "words": words["words"],
            "label": display_text(self._catalog.items.label(item.content, page) or "") or None,
            "marks": page_marks(words["words"], wanted),
        }

    def thumb(self, item_id: str) -> bytes | None:
        item = self._catalog.items.get(item_id)
        thumb = self._catalog.items.thumb(item.content) if item else None
        if item is None or thumb is None or thumb:
            return thumb
        width_px, _ = item.thumb or (THUMB_PX, THUMB_PX)
        return self._reader.page(item.path, 1, width_px, item.member)

    def picture(self, item_id: str, longest_px: int, at_s: float | None = None) -> bytes | None:
        """A photo, or a film at one of its seconds."""
        if at_s is None:
            item = self._of_kind(item_id, Kind.PHOTO)
            if item is None:
                return None
            return self._reader.picture(item.path, longest_px, member=item.member)
        item = self._of_kind(item_id, Kind.RECORDING)
        if item is None or item.width_px is None:
            return None
        return self._reader.picture(item.path, longest_px, at_s, item.member)

    def sound(self, item_id: str, track: int | None = None) -> OriginalFile | WavFile | None:
        """What a browser plays exactly: the file itself, or its sound as a WAV; of several tracks
        the one with that number, or the default one."""
        item = self._recording(item_id, track)
        if item is None:
            return None
        if track is not None:
            return WavFile(item.path, item.duration_s or 0.0, self._reader, item.member, track)
        kind = self._playable_type(item) if item.width_px is None else None
        if kind is not None:
            return replace(self._original(item), kind=kind)
        return WavFile(item.path, item.duration_s or 0.0, self._reader, item.member)

    def _playable_type(self, item: Item) -> str | None:
        """The media type of a recording that is played as it is; a player asks for many ranges of
        the same one."""
        if item.content not in self._playable_types:
            if len(self._playable_types) >= MAX_KNOWN_TYPES:
                self._playable_types.clear()
            # Each player goes on after damage at another second: it is given what was heard here.
            is_damaged = bool(self._catalog.files.notes(item.content))
            kind = None if is_damaged else self._reader.playable(item.path, item.member)
            self._playable_types[item.content] = kind
        return self._playable_types[item.content]

    def peaks(self, item_id: str, track: int | None = None) -> PeaksJson | None:
        item = self._recording(item_id, track)
        if item is None:
            return None
        peaks = self._reader.peaks(item.path, member=item.member, track=track)
        return {"duration_s": item.duration_s or 0.0, "peaks": peaks}

    def original(self, item_id: str) -> OriginalFile | None:
        """The file itself."""
        item = self._catalog.items.get(item_id)
        return self._original(item) if item is not None else None

    def _original(self, item: Item) -> OriginalFile:
        kind = SAFE_TYPES.get(PurePath(item.name).suffix.lower(), "application/octet-stream")
        if item.member is None:
            return OriginalFile(item.name, kind, item.path)
        return OriginalFile(item.name, kind, AttachmentBytes(item.path, item.member, self._reader))

    def _of_kind(self, item_id: str, kind: Kind) -> Item | None:
        item = self._catalog.items.get(item_id)
        return item if item is not None and item.kind is kind else None

    def _recording(self, item_id: str, track: int | None) -> Item | None:
        """The recording, where it has that sound track."""
        item = self._of_kind(item_id, Kind.RECORDING)
        if item is None or track is None:
            return item
        numbers = {known.number for known in self._catalog.items.sound_tracks(item.content)}
        return item if track in (numbers or {1}) else None

    def _document(self, item_id: str, page: int) -> Item | None:
        item = self._of_kind(item_id, Kind.DOCUMENT)
        return item if item is not None and 1 <= page <= (item.pages or 1) else None

    def _passages(self, item: Item) -> list[Passage]:
        generations = [g for g in (item.read_generation, item.understood_generation) if g]
        corrections = self._catalog.corrections.of(item.content)
        return [
            corrected_passage(passage, corrections)
            for generation in generations
            for passage in self._catalog.sentences.timed(
                generation, self._catalog.texts.of(generation)
            )
        ]


def attached_to(item: Item) -> MailJson | None:
    """The mail that an item is attached to; None for a file."""
    location = item.location
    if location.member is None:
        return None
    return {"id": location.container, "title": display_text(location.container_title)}


def thumb_json(item: Item) -> ThumbJson | None:
    """The shape of an item's thumbnail, known before it is loaded, so that nothing jumps."""
    if item.thumb is None:
        return None
    width_px, height_px = item.thumb
    return {"w": width_px, "h": height_px, "colour": item.colour or "#808080"}
