"""The minutes of long recordings: made in the background from transcript and sound, and kept.

Voices tell who speaks; wording tells decisions, action items and open questions. A model that can
be relied on is asked for these as well: of what it writes only its quotes are taken, which stand in
the transcript word for word.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace

from indexer.catalog.catalog import Catalog
from indexer.catalog.records import Item
from indexer.types.passages import Passage, Source
from indexer.types.places import Place, Span
from indexer.types.recordings.minutes import Minutes, Point, PointKind, SpokenSentence, Turn
from indexer.types.recordings.transcripts import corrected_passage
from model.errors import RecollectError
from model.interface import AnswerCitation, Evidence, Image, Model, Sound
from retriever.marks.places import quoted_place
from retriever.recordings.outline import outline, topic_of
from retriever.recordings.spoken_points import spoken_points
from retriever.recordings.voices import group_voices, voice_features

MediaLoader = Callable[[Item, Place], Image | Sound]

ASKED = {
    PointKind.DECISION: "Which decisions were made? Cite the sentence of each.",
    PointKind.ACTION: "Who has to do what, and by when? Cite the sentence of each task.",
    PointKind.QUESTION: "Which questions were left open? Cite each.",
}
SOURCES_ASKED = 8  # passages that the model is shown at once: some two minutes of speech
LEAST_VOICE_S = 0.4  # of a sentence, to tell its voice
_INTRODUCTION = re.compile(
    r"^(?i:(?:Hello,? |Hi,? |Hallo,? )?"
    r"(?:this is|I am|I’m|I'm|my name is|hier ist|ich bin|mein Name ist)) "
    r"([A-ZÄÖÜ][\w’'-]+)(?= speaking|[.,!]| (?:from|and|und|von)\b)"
)


class RecordingMinutes:
    """Makes the minutes of one library's recordings. `load_media` gives the sound of a place."""

    def __init__(self, catalog: Catalog, model: Model, load_media: MediaLoader) -> None:
        self._catalog = catalog
        self._model = model
        self._load_media = load_media

    def write_next(self) -> bool:
        """Makes the minutes of one recording; whether there was one. Raises ModelError where a
        model that is to be asked cannot be used."""
        named = self._catalog.minutes.next_item()
        item = self._catalog.items.get(named) if named else None
        if item is None or item.understood_generation is None:
            return False
        passages = timed_transcript(self._catalog, item)
        self._catalog.minutes.keep(
            item.content, item.understood_generation, self._minutes(item, passages)
        )
        return True

    def _minutes(self, item: Item, passages: Sequence[Passage]) -> Minutes:
        sentences = spoken_sentences(passages)
        speakers = self._speakers(item, passages)
        points = spoken_points(sentences, speakers)
        card = self._model.card
        if card.writes and not card.demonstration:  # that one was never taught to
            points = _merged(points, self._asked_points(passages))
        names: dict[int, str] = {}
        for sentence, speaker in zip(sentences, speakers, strict=True):
            if match := _INTRODUCTION.match(sentence.text):
                names.setdefault(speaker, match[1])
        return Minutes(
            topic_of(sentences) or item.title,
            tuple(_turns(sentences, speakers)),
            tuple(outline(sentences)),
            tuple(points),
            tuple(names.items()),
        )

    def _speakers(self, item: Item, passages: Sequence[Passage]) -> list[int]:
        """The speaker of each sentence. One that is too short to tell, or whose sound cannot be had
        just now, is taken for the one before it."""
        features, lengths_s = [], []
        known: list[bool] = []
        for passage in passages:
            try:
                clip = self._load_media(item, passage.place)
            except (RecollectError, OSError):
                clip = None
            start_s = passage.place.start_s if isinstance(passage.place, Span) else 0.0
            for sentence in spoken_sentences([passage]):
                first_s, last_s = sentence.start_s - start_s, sentence.end_s - start_s
                heard = isinstance(clip, Sound) and last_s - first_s >= LEAST_VOICE_S
                if heard and isinstance(clip, Sound) and first_s < clip.duration_s:
                    features.append(voice_features(clip.between(first_s, last_s)))
                    lengths_s.append(last_s - first_s)
                    known.append(True)
                else:
                    known.append(False)
        grouped = iter(group_voices(features, lengths_s))
        speakers: list[int] = []
        for is_known in known:
            speakers.append(next(grouped) if is_known else (speakers[-1] if speakers else 1))
        return speakers

    def _asked_points(self, passages: Sequence[Passage]) -> list[Point]:
        """What the model cites when it is asked for each kind of point, part by part."""
        points: list[Point] = []
        for start in range(0, len(passages), SOURCES_ASKED):
            part = dict(enumerate(passages[start : start + SOURCES_ASKED], start=1))
            evidence = [Evidence(n, f"part {n}", passage.text) for n, passage in part.items()]
            for kind, question in ASKED.items():
                for event in self._model.answer(question, evidence):
                    passage = part.get(event.n) if isinstance(event, AnswerCitation) else None
                    if passage is None or not isinstance(event, AnswerCitation):
                        continue
                    place = quoted_place(passage, event.quote)
                    if isinstance(place, Span) and event.quote in passage.text:
                        points.append(Point(kind, event.quote, place.start_s, place.end_s))
        return points


def timed_transcript(catalog: Catalog, item: Item) -> list[Passage]:
    """The transcript of a recording's default sound track, in order."""
    if item.understood_generation is None:
        return []
    tracks = catalog.items.sound_tracks(item.content)
    track = tracks[0].number if tracks else None
    passages = catalog.sentences.timed(
        item.understood_generation, catalog.texts.of(item.understood_generation)
    )
    corrections = catalog.corrections.of(item.content)
    return [
        passage
        for passage in (corrected_passage(each, corrections) for each in passages)
        if passage.source is Source.TRANSCRIPT
        and isinstance(passage.place, Span)
        and passage.place.track == track
        and passage.text.strip()
    ]


def spoken_sentences(passages: Sequence[Passage]) -> list[SpokenSentence]:
    """The sentences of a transcript; a passage whose sentences have no seconds is one."""
    sentences = []
    for passage in passages:
        timed = [
            SpokenSentence(passage.text[each.start : each.end], each.start_s, each.end_s)
            for each in passage.sentences
        ]
        if not timed and isinstance(passage.place, Span):
            timed = [SpokenSentence(passage.text, passage.place.start_s, passage.place.end_s)]
        sentences += timed
    return sentences


def _turns(sentences: Sequence[SpokenSentence], speakers: Sequence[int]) -> list[Turn]:
    turns: list[Turn] = []
    for sentence, speaker in zip(sentences, speakers, strict=True):
        if turns and turns[-1].speaker == speaker:
            turns[-1] = replace(turns[-1], end_s=sentence.end_s)
        else:
            turns.append(Turn(speaker, sentence.start_s, sentence.end_s))
    return turns


def _merged(points: Sequence[Point], asked: Sequence[Point]) -> list[Point]:
    """The points by wording, and those of the model at other sentences, in order."""
    known = {(point.kind, point.start_s) for point in points}
    added = {(point.kind, point.start_s): point for point in asked}
    merged = [*points, *(point for key, point in added.items() if key not in known)]
    return sorted(merged, key=lambda point: (point.start_s, point.kind))
