"""A recording as a meeting: its sentences with their speakers, its minutes, and corrections."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from indexer.catalog.catalog import Catalog
from indexer.catalog.records import Item
from indexer.types.places import Kind, Span
from indexer.types.recordings.minutes import SHORTEST_S, Minutes, Point, PointKind
from indexer.types.recordings.transcripts import Correction
from retriever.recordings.recording import spoken_sentences, timed_transcript
from web.library.display import display_text
from web.library.errors import LibraryError
from web.library.schemas.recordings import PointJson, RecordingJson, SpeakerJson, SpokenJson

MAX_NAME_CHARS = 80
MAX_SENTENCE_CHARS = 2_000


class RecordingPresenter:
    """Shows and corrects recordings of one library; `prioritize` has items understood next."""

    def __init__(self, catalog: Catalog, prioritize: Callable[[Iterable[str]], None]) -> None:
        self._catalog = catalog
        self._prioritize = prioritize

    def show(self, item_id: str) -> RecordingJson:
        """Raises LibraryError where this is no recording."""
        item = self._recording(item_id)
        minutes = self._catalog.minutes.of(item.content, item.understood_generation)
        sentences = spoken_sentences(timed_transcript(self._catalog, item))
        names = self._names(item, minutes)
        spoken: list[SpokenJson] = [
            {
                "text": sentence.text,
                "start_s": sentence.start_s,
                "end_s": sentence.end_s,
                "speaker": _speaker_at((sentence.start_s + sentence.end_s) / 2, minutes),
            }
            for sentence in sentences
        ]
        speakers = sorted({turn.speaker for turn in minutes.turns}) if minutes else []
        points = {
            kind: [
                _point_json(point, names)
                for point in (minutes.points if minutes else ())
                if point.kind is kind
            ]
            for kind in PointKind
        }
        return {
            "id": item.item,
            "title": display_text(minutes.title if minutes else item.title),
            "made_at": item.made_at,
            "duration_s": item.duration_s or 0.0,
            "minutes": _state(item, minutes),
            "speakers": [_speaker_json(speaker, names) for speaker in speakers],
            "sentences": spoken,
            "sections": [
                {"title": section.title, "start_s": section.start_s}
                for section in (minutes.sections if minutes else ())
            ],
            "decisions": points[PointKind.DECISION],
            "actions": points[PointKind.ACTION],
            "questions": points[PointKind.QUESTION],
        }

    def name_speaker(self, item_id: str, speaker: int, name: str) -> None:
        """Calls a speaker so; an empty name takes the earlier one away. Raises LibraryError."""
        item = self._recording(item_id)
        minutes = self._catalog.minutes.of(item.content, item.understood_generation)
        turns = [turn for turn in (minutes.turns if minutes else ()) if turn.speaker == speaker]
        if not turns:
            raise LibraryError("speaker", f"There is no speaker {speaker} in this recording.", 422)
        spans = tuple((turn.start_s, turn.end_s) for turn in turns)
        self._catalog.corrections.name_speaker(item.content, spans, name.strip()[:MAX_NAME_CHARS])

    def correct(self, item_id: str, at_s: float, text: str) -> None:
        """Keeps what is said in the sentence at a second, in place of the transcript; an empty text
        says that nothing is. Raises LibraryError."""
        item = self._recording(item_id)
        sentences = spoken_sentences(timed_transcript(self._catalog, item))
        before = [sentence for sentence in sentences if sentence.start_s <= at_s + 0.05]
        if not before:
            problem = "The transcript has no sentence at this second; name one where it has."
            raise LibraryError("sentence", problem, 422)
        tracks = self._catalog.items.sound_tracks(item.content)
        span = Span(before[-1].start_s, before[-1].end_s, tracks[0].number if tracks else None)
        corrected = " ".join(text.split())[:MAX_SENTENCE_CHARS]
        self._catalog.corrections.keep(item.content, Correction(span, corrected))
        self._prioritize([item.item])

    def _recording(self, item_id: str) -> Item:
        item = self._catalog.items.get(item_id)
        if item is None or item.kind is not Kind.RECORDING:
            raise LibraryError("recording", "This is no recording of the library.", 404)
        return item

    def _names(self, item: Item, minutes: Minutes | None) -> dict[int, str]:
        """What speakers are called: by a person, or else by themselves."""
        names = dict(minutes.names) if minutes else {}
        for at_s, name in self._catalog.corrections.speaker_names(item.content):
            if (speaker := _speaker_at(at_s, minutes)) is not None:
                names[speaker] = name
        return names


def _state(item: Item, minutes: Minutes | None) -> str:
    if minutes is not None:
        return "ready"
    return "short" if (item.duration_s or 0.0) <= SHORTEST_S else "waiting"


def _speaker_at(at_s: float, minutes: Minutes | None) -> int | None:
    turns = minutes.turns if minutes else ()
    return next((turn.speaker for turn in turns if turn.start_s <= at_s <= turn.end_s), None)


def _speaker_json(speaker: int, names: dict[int, str]) -> SpeakerJson:
    return {
        "speaker": speaker,
        "name": display_text(names.get(speaker, f"Speaker {speaker}")),
        "named": speaker in names,
    }


def _point_json(point: Point, names: dict[int, str]) -> PointJson:
    who = point.who
    if who is None and point.speaker is not None and point.kind is PointKind.ACTION:
        who = names.get(point.speaker, f"Speaker {point.speaker}")
    return {
        "quote": point.quote,
        "start_s": point.start_s,
        "end_s": point.end_s,
        "who": who,
        "what": point.what,
        "due": point.due,
    }
