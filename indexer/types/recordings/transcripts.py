"""Transcripts: the words of a clip with the seconds of their sentences, and what people correct."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from indexer.types.passages import Passage, Source
from indexer.types.places import Place, Span
from indexer.types.sentences import Sentence


@dataclass(frozen=True, slots=True)
class Correction:
    """What a person says is heard within a span, in place of the sentences there; an empty text
    removes them."""

    span: Span
    text: str

    def replaces(self, start_s: float, end_s: float) -> bool:
        """Whether it stands for a sentence: the middle of that lies within its span."""
        return self.span.start_s <= (start_s + end_s) / 2 <= self.span.end_s


@dataclass(frozen=True, slots=True)
class Transcript:
    """Words of a recording; the seconds of the sentences count from its start."""

    text: str = ""
    sentences: tuple[Sentence, ...] = ()

    def extended(self, text: str, sentences: Iterable[Sentence], from_s: float) -> Transcript:
        """With the words of one more clip, which begins at the second `from_s`."""
        if not text.strip():
            return self
        before = f"{self.text} " if self.text else ""
        moved = [
            Sentence(
                each.start + len(before),
                each.end + len(before),
                round(each.start_s + from_s, 2),
                round(each.end_s + from_s, 2),
            )
            for each in sentences
        ]
        return Transcript(before + text, (*self.sentences, *moved))

    def corrected(self, corrections: Sequence[Correction], place: Place) -> Transcript:
        """With each correction within `place` in the place of the sentences it stands for."""
        if not isinstance(place, Span):
            return self
        within = [each for each in corrections if _lies_within(each.span, place)]
        if not within:
            return self
        rows = [
            (sentence.start_s, sentence.end_s, self.text[sentence.start : sentence.end])
            for sentence in self.sentences
            if not any(each.replaces(sentence.start_s, sentence.end_s) for each in within)
        ]
        rows += [(each.span.start_s, each.span.end_s, each.text) for each in within if each.text]
        corrected = Transcript()
        for start_s, end_s, text in sorted(rows):
            sentence = Sentence(0, len(text), start_s, end_s)
            corrected = corrected.extended(text, [sentence], 0.0)
        return corrected


def corrected_passage(passage: Passage, corrections: Sequence[Correction]) -> Passage:
    """A passage of a transcript as people have corrected it; any other as it is."""
    if not corrections or passage.source is not Source.TRANSCRIPT:
        return passage
    words = Transcript(passage.text, passage.sentences).corrected(corrections, passage.place)
    return replace(passage, text=words.text, sentences=words.sentences)


def _lies_within(span: Span, place: Span) -> bool:
    middle_s = (span.start_s + span.end_s) / 2
    return span.track == place.track and place.start_s <= middle_s <= place.end_s
