"""Each sentence of a transcript has its own second: on spoken recordings with known ones."""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from indexer.extract.media.sentence_times import clip_pieces, time_sentences
from indexer.extract.media.sound import find_segments, read_samples
from indexer.types.passages import Passage, Source
from indexer.types.places import Span
from indexer.types.sentences import Sentence, sentence_bounds
from model.interface import Description, Float32, Image, ModelCard, Sound
from retriever.marks.places import matching_place, quoted_place
from tests.fake_model import FakeModel, counts
from tests.served import small_library
from training.world.speech import Voice, hiss, utter
from web.library.library import Library

MAX_ERROR_S = 1.0
RATE_HZ = 16_000
TURNS = (
    ("en-gb-x-rp+f2", "Good morning everybody. Today we talk about the trade fair in Hamburg."),
    ("en-us+m7", "The budget for the trade fair is 5400 euros. No. It is 5600 euros."),
    ("en-gb-x-rp+f2", "Who writes the speech? I think that Emma, who was there, should do it."),
    ("en-us+m7", "I agree. We decided to take the blue shirts. Ben prints the flyers."),
)
needs_espeak = pytest.mark.skipif(
    shutil.which("espeak-ng") is None, reason="espeak-ng, which speaks, is not installed"
)


@dataclass(frozen=True)
class Spoken:
    """A conversation, and when each of its sentences begins."""

    samples: Float32
    sentences: tuple[tuple[float, str], ...]


@pytest.fixture(scope="module")
def spoken() -> Spoken:
    """Four turns; pauses of 0.15 to 0.5 s between sentences, of 2 s in the middle."""
    rng = random.Random(4)
    samples = np.zeros(RATE_HZ // 2, np.float32)
    sentences = []
    for number, (voice, text) in enumerate(TURNS):
        for start, end in sentence_bounds(text):
            sentences.append((samples.size / RATE_HZ, text[start:end]))
            said = utter(text[start:end], Voice(voice, 160)) * np.float32(0.5)
            pause = np.zeros(int(rng.uniform(0.15, 0.5) * RATE_HZ), np.float32)
            samples = np.concatenate([samples, said, pause])
        if number == 1:
            samples = np.concatenate([samples, np.zeros(2 * RATE_HZ, np.float32)])
    return Spoken(samples + hiss(samples.size, rng), tuple(sentences))


class Stenographer(FakeModel):
    """Writes down the sentences that begin within each clip it is given; clips come in order."""

    def __init__(self, clips: Sequence[tuple[float, float]], spoken: Spoken, clip_s: float) -> None:
        super().__init__()
        self._words = [
            " ".join(text for at_s, text in spoken.sentences if start_s <= at_s < end_s)
            for start_s, end_s in clips
        ]
        self._clip_s = clip_s
        self.longest_s = 0.0

    @property
    def card(self) -> ModelCard:
        return ModelCard("fake", "cpu", "float32", "", 0, False, True, clip_s=self._clip_s)

    def describe(self, content: Image | Sound) -> Description:
        assert isinstance(content, Sound)
        self.longest_s = max(self.longest_s, content.duration_s)
        words = self._words.pop(0)
        return Description(words, counts(words), counts(words) if words else None)


def clips_of(path: Path, clip_s: float) -> list[tuple[float, float]]:
    """Start and end of each clip that the model is given of a recording."""
    whole = read_samples(path, 0.0, 600.0, RATE_HZ)
    segments, _ = find_segments(iter([(RATE_HZ, whole)]))
    return [
        (start_s + first_s, start_s + last_s)
        for start_s, end_s in segments
        for first_s, last_s in clip_pieces(
            Sound(read_samples(path, start_s, end_s - start_s, RATE_HZ), RATE_HZ), clip_s
        )
    ]


@pytest.fixture(scope="module", params=[15.0, 6.0])
def library(
    request: pytest.FixtureRequest, spoken: Spoken, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Library]:
    base = tmp_path_factory.mktemp("spoken")
    path = base / "library" / "Meeting.wav"
    path.parent.mkdir()
    soundfile.write(path, spoken.samples, RATE_HZ)
    model = Stenographer(clips_of(path, request.param), spoken, request.param)
    with small_library(path.parent, base / "data", model) as opened:
        assert model.longest_s <= request.param
        yield opened


@needs_espeak
def test_every_sentence_of_the_transcript_has_its_second(library: Library, spoken: Spoken) -> None:
    text = library.items.text(library.search("trade fair")["hits"][0]["id"], "")
    assert text is not None
    heard = [
        (sentence["start_s"], passage["text"][sentence["start"] : sentence["end"]])
        for passage in text["passages"]
        for sentence in passage["sentences"]
    ]
    assert [words for _, words in heard] == [words for _, words in spoken.sentences]
    errors = [
        abs(at_s - said_s) for (at_s, _), (said_s, _) in zip(heard, spoken.sentences, strict=True)
    ]
    assert max(errors) <= MAX_ERROR_S


@needs_espeak
@pytest.mark.parametrize("words", ["5600", "blue shirts", "who writes", "flyers", "good morning"])
def test_a_hit_opens_at_the_sentence(library: Library, spoken: Spoken, words: str) -> None:
    [hit] = library.search(words, by="words")["hits"]
    place: Any = hit["place"]
    said_s = next(at_s for at_s, text in spoken.sentences if words.lower() in text.lower())
    assert abs(place["start_s"] - said_s) <= MAX_ERROR_S


@needs_espeak
def test_a_citation_opens_at_the_sentence(library: Library, spoken: Spoken) -> None:
    """The fake model quotes the first sentence of each source."""
    events: list[Any] = list(library.ask("Who writes the speech?"))
    citations = [event["data"] for event in events if event["event"] == "citation"]
    assert citations
    for citation in citations:
        said_s = next(at_s for at_s, text in spoken.sentences if text == citation["quote"])
        assert abs(citation["place"]["start_s"] - said_s) <= MAX_ERROR_S


def test_a_quote_within_a_passage_is_at_its_sentence() -> None:
    text = "One  is here. Two is\nthere. Three is gone."
    bounds = sentence_bounds(text)
    sentences = tuple(
        Sentence(start, end, 10.0 * n, 10.0 * n + 9)
        for n, (start, end) in enumerate(bounds, start=1)
    )
    passage = Passage(0, text, Span(10.0, 40.0, 2), Source.TRANSCRIPT, sentences)
    assert quoted_place(passage, "Two is there.") == Span(20.0, 29.0, 2)
    assert quoted_place(passage, "is gone") == Span(30.0, 39.0, 2)
    assert quoted_place(passage, "never said") == passage.place
    assert matching_place(passage, ["three", "gone", "two"]) == Span(30.0, 39.0, 2)
    assert matching_place(passage, ["absent"]) == passage.place


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("No. It is 5 o'clock.", ["No.", "It is 5 o'clock."]),
        ("Dr. Weber comes. Good.", ["Dr. Weber comes.", "Good."]),
        ("Am 15. August. Ja!", ["Am 15. August.", "Ja!"]),
        ("See No. 7 there. It costs 3.50 euros", ["See No. 7 there.", "It costs 3.50 euros"]),
        ("今日は。雨です。", ["今日は。", "雨です。"]),
        (" \n ", []),
    ],
)
def test_where_sentences_end(text: str, sentences: list[str]) -> None:
    assert [text[start:end] for start, end in sentence_bounds(text)] == sentences


def test_silence_and_endless_speech_have_their_seconds_too() -> None:
    """No pause at all: the sentences share the sound by their letters."""
    silent = Sound(np.zeros(3 * RATE_HZ, np.float32), RATE_HZ)
    [only] = time_sentences("Nothing is heard.", silent)
    assert (only.start_s, only.end_s) == (0.0, 3.0)
    rng = np.random.default_rng(0)
    noise = Sound(rng.normal(0, 0.2, 9 * RATE_HZ).astype(np.float32), RATE_HZ)
    starts = [s.start_s for s in time_sentences("Aaaa bbbb. Cccc dddd. Eeee ffff.", noise)]
    assert starts == pytest.approx([0, 3, 6], abs=0.3)
    assert all(end - start <= 4.0 for start, end in clip_pieces(noise, 4.0))
