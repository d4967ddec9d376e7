"""A meeting by two voices: its turns, minutes, files, names and corrections, as people use them."""

from __future__ import annotations

import json
import os
import random
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import soundfile

from indexer.types.places import Span
from indexer.types.recordings.minutes import PointKind, SpokenSentence
from indexer.types.recordings.transcripts import Correction, Transcript
from indexer.types.sentences import sentence_bounds
from model.interface import (
    DEFAULT_WRITING,
    AnswerCitation,
    AnswerEnd,
    AnswerEvent,
    AnswerText,
    ConversationTurn,
    Description,
    Evidence,
    Image,
    ModelCard,
    Sound,
    WritingOptions,
)
from retriever.recordings.outline import outline, topic_of
from retriever.recordings.spoken_points import spoken_points
from tests.browser import Theme, chromium, visit
from tests.conftest import verb
from tests.fake_model import FakeModel, counts
from tests.films import subtitles
from tests.library import until
from tests.served import Running, running, small_library
from tests.test_sentences import RATE_HZ, Spoken, clips_of
from training.world.speech import Voice, hiss, utter

pytestmark = pytest.mark.skipif(
    shutil.which("espeak-ng") is None, reason="espeak-ng, which speaks, is not installed"
)
JULIA, OSCAR = Voice("en-gb-x-rp+f2", 155, 70), Voice("en-us+m7", 150, 25)
TURNS = (
    (JULIA, "Good morning. This is Julia. Today we talk about the trade fair in Hamburg."),
    (OSCAR, "The budget for the trade fair is 5400 euros. That is enough for the stand."),
    (JULIA, "Very good. We decided to take the blue shirts with the white letters."),
    (OSCAR, "I will send you the offer by Friday. It has all the prices of the shirts."),
    (JULIA, "Emma will print the flyers until Wednesday. The printer needs only two days."),
    (OSCAR, "Who pays for the hotel rooms of the guests?"),
    (JULIA, "I do not know yet. We have to ask the office about the hotel rooms."),
    (OSCAR, "Then let us go on with the music. The band wants to play at noon."),
    (JULIA, "The band was too loud last year. Nobody could hear the speech of the mayor."),
    (OSCAR, "That is true. They should play in the evening, when the speech is over."),
    (JULIA, "I agree with that. The evening is better for the band and for the guests."),
)


def meeting() -> tuple[Spoken, list[tuple[float, Voice]]]:
    rng = random.Random(7)
    samples = np.zeros(RATE_HZ // 2, np.float32)
    sentences, voices = [], []
    for voice, text in TURNS:
        for start, end in sentence_bounds(text):
            sentences.append((samples.size / RATE_HZ, text[start:end]))
            voices.append((samples.size / RATE_HZ, voice))
            said = utter(text[start:end], voice) * np.float32(0.5)
            pause = np.zeros(int(rng.uniform(0.3, 0.7) * RATE_HZ), np.float32)
            samples = np.concatenate([samples, said, pause])
        samples = np.concatenate([samples, np.zeros(RATE_HZ // 2, np.float32)])
    return Spoken(samples + hiss(samples.size, rng), tuple(sentences)), voices


class Stenographer(FakeModel):
    """Writes down what is said in a clip, told by its loudness over time: the same clip twice is
    the same words."""

    def __init__(self, path: Path, spoken: Spoken) -> None:
        super().__init__()
        self._words = {
            round(end_s - start_s, 2): " ".join(
                text for at_s, text in spoken.sentences if start_s <= at_s < end_s
            )
            for start_s, end_s in clips_of(path, 15.0)
        }

    def describe(self, content: Image | Sound) -> Description:
        assert isinstance(content, Sound)
        words = self._words[round(content.duration_s, 2)]
        return Description(words, counts(words), counts(words))


@pytest.fixture(scope="module")
def spoken() -> tuple[Spoken, list[tuple[float, Voice]]]:
    return meeting()


@pytest.fixture(scope="module")
def data_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("meeting") / "data"


@pytest.fixture(scope="module")
def served(
    spoken: tuple[Spoken, list[tuple[float, Voice]]], data_folder: Path
) -> Iterator[Running]:
    base = data_folder.parent
    path = base / "library" / "Meeting.wav"
    path.parent.mkdir()
    soundfile.write(path, spoken[0].samples, RATE_HZ)
    model = Stenographer(path, spoken[0])
    with small_library(path.parent, base / "data", model) as library, running(library) as server:
        yield server


@pytest.fixture
def item(api: httpx.Client) -> str:
    [hit] = api.get("/api/search", params={"q": "budget", "by": "words"}).json()["hits"]
    return str(hit["id"])


def shown(api: httpx.Client, item: str) -> dict[str, Any]:
    answer = api.get(f"/api/items/{item}/recording")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def test_decisions_actions_and_questions_have_their_words_and_seconds(
    api: httpx.Client, item: str, spoken: tuple[Spoken, list[tuple[float, Voice]]]
) -> None:
    recording = shown(api, item)
    assert recording["minutes"] == "ready"
    assert recording["title"] == "Trade fair in Hamburg"
    assert [point["quote"] for point in recording["decisions"]] == [
        "We decided to take the blue shirts with the white letters."
    ]
    actions = [(point["what"], point["due"]) for point in recording["actions"]]
    assert ("send you the offer", "Friday") in actions
    assert ("print the flyers", "Wednesday") in actions
    assert [point["quote"] for point in recording["questions"]] == [
        "Who pays for the hotel rooms of the guests?"
    ]
    said = {text: at_s for at_s, text in spoken[0].sentences}
    for kind in ("decisions", "actions", "questions"):
        for point in recording[kind]:
            assert abs(point["start_s"] - said[point["quote"]]) <= 1.0
    assert recording["sections"]
    assert recording["sections"][0]["start_s"] < 2


def test_two_voices_are_two_speakers_and_one_says_her_name(
    api: httpx.Client, item: str, spoken: tuple[Spoken, list[tuple[float, Voice]]]
) -> None:
    recording = shown(api, item)
    assert [speaker["name"] for speaker in recording["speakers"]] == ["Julia", "Speaker 2"]
    voices = [voice for _, voice in spoken[1]]
    heard = [sentence["speaker"] for sentence in recording["sentences"]]
    assert len(heard) == len(voices)
    expected = [1 if voice == JULIA else 2 for voice in voices]
    right = sum(a == b for a, b in zip(heard, expected, strict=True))
    assert right / len(heard) >= 0.9
    [offer] = [p for p in recording["actions"] if p["what"] == "send you the offer"]
    assert offer["who"] == "Speaker 2"
    [flyers] = [p for p in recording["actions"] if p["what"] == "print the flyers"]
    assert flyers["who"] == "Emma"


@pytest.mark.parametrize("suffix", ["srt", "vtt"])
def test_subtitles_are_what_a_player_reads(
    api: httpx.Client, item: str, tmp_path: Path, suffix: str
) -> None:
    answer = api.get(f"/api/items/{item}/recording", params={"format": suffix})
    file = tmp_path / f"a.{suffix}"
    file.write_bytes(answer.content)
    cues = subtitles(file)
    sentences = shown(api, item)["sentences"]
    assert [at_s for at_s, _ in cues] == pytest.approx([s["start_s"] for s in sentences], abs=0.01)
    assert sentences[3]["text"] in cues[3][1]


def test_the_command_line_writes_minutes_names_and_corrects(
    data_folder: Path, served: Running, api: httpx.Client, item: str
) -> None:
    file, data = served_file(api, item), data_folder
    text = verb("recording", file, "--speaker", "2=Oscar *", data=data)
    assert text.startswith("# Trade fair in Hamburg\n")
    assert "- **Oscar \\***, send you the offer, by Friday: “I will send you" in text
    assert json.loads(verb("recording", file, "--format", "json", data=data))["id"] == item
    assert "no speaker 9" in verb("recording", file, "--speaker", "9=X", data=data, code=1)
    verb("recording", file, "--speaker", "2=", data=data)
    assert shown(api, item)["speakers"][1] == {"speaker": 2, "name": "Speaker 2", "named": False}
    for wrong in (("--speaker", "Anna"), ("--correct", "soon", "x")):
        verb("recording", file, *wrong, data=data, code=2)


def test_a_correction_is_shown_at_once_and_found_when_it_is_understood(
    served: Running, api: httpx.Client, item: str
) -> None:
    [sentence] = [s for s in shown(api, item)["sentences"] if "budget" in s["text"]]
    body = {"at_s": sentence["start_s"], "text": "The budget is 6400 zlotys."}
    corrected = api.post(f"/api/items/{item}/recording/sentence", json=body).json()
    assert body["text"] in [s["text"] for s in corrected["sentences"]]
    text = api.get(f"/api/items/{item}/text").json()
    assert any(body["text"] in passage["text"] for passage in text["passages"])
    api.post("/api/index", json={})
    search = {"q": "6400 zlotys", "by": "words"}
    until(lambda: api.get("/api/search", params=search).json()["hits"])
    [hit] = api.get("/api/search", params=search).json()["hits"]
    assert abs(hit["place"]["start_s"] - sentence["start_s"]) < 1
    until(lambda: shown(api, item)["minutes"] == "ready")
    early = {"at_s": 0, "text": "x"}
    assert api.post(f"/api/items/{item}/recording/sentence", json=early).status_code == 422


def test_what_is_no_recording_has_no_minutes(api: httpx.Client) -> None:
    answer = api.get(f"/api/items/{'a' * 26}/recording")
    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "recording"


def served_file(api: httpx.Client, item: str) -> str:
    return str(api.get(f"/api/items/{item}").json()["path"])


class Secretary(FakeModel):
    """A model that may be asked: cites one sentence of the transcript, and one that nobody said."""

    @property
    def card(self) -> ModelCard:
        return ModelCard("fake", "cpu", "float32", "", 0, False, demonstration=False)

    def describe(self, content: Image | Sound) -> Description:
        words = "So be it. The blue one, then."
        return Description(words, counts(words), counts(words))

    def answer(
        self,
        question: str,
        evidence: Sequence[Evidence],
        history: Sequence[ConversationTurn] = (),
        cancelled: Callable[[], bool] = lambda: False,
        options: WritingOptions = DEFAULT_WRITING,
    ) -> Iterator[AnswerEvent]:
        if "decisions" in question:
            yield AnswerText("Blue [1] and red [1].")
            yield AnswerCitation(1, "The blue one, then.")
            yield AnswerCitation(1, "The red one.")
        yield AnswerEnd("stop", 1.0, 1, 1.0, None)


def test_a_model_that_can_is_asked_and_only_its_quotes_are_taken(tmp_path: Path) -> None:
    folder = tmp_path / "library"
    folder.mkdir()
    rng = np.random.default_rng(3)
    burst = rng.normal(0, 0.2, 3 * RATE_HZ).astype(np.float32)
    quiet = np.zeros(62 * RATE_HZ, np.float32)
    soundfile.write(folder / "Noise.wav", np.concatenate([burst, quiet]), RATE_HZ)
    with small_library(folder, tmp_path / "data", Secretary()) as library:
        item = library.item_of(str(folder / "Noise.wav"))
        decisions = library.recording(item)["decisions"]
    assert [point["quote"] for point in decisions] == ["The blue one, then."]


@pytest.mark.parametrize(
    ("text", "kind", "who", "due"),
    [
        ("It was decided that we move in May.", PointKind.DECISION, None, None),
        ("Wir haben beschlossen, das Büro zu streichen.", PointKind.DECISION, None, None),
        ("Ben, can you call the printer by next Monday?", PointKind.ACTION, "Ben", "next Monday"),
        ("Clara wird die Einladungen bis Freitag schicken.", PointKind.ACTION, "Clara", "Freitag"),
        ("Please send me the list.", PointKind.ACTION, None, None),
        ("The price is still open.", PointKind.QUESTION, None, None),
        ("It will be a nice day.", None, None, None),
        ("They will see.", None, None, None),
        ("The train leaves on Friday.", None, None, None),
    ],
)
def test_how_points_are_worded(
    text: str, kind: PointKind | None, who: str | None, due: str | None
) -> None:
    points = spoken_points([SpokenSentence(text, 1.0, 2.0)], [1])
    assert [(p.kind, p.who, p.due) for p in points] == ([(kind, who, due)] if kind else [])


def test_sections_are_cut_where_the_words_change() -> None:
    about = ["The garden needs water.", "The garden has roses.", "Water the garden roses."]
    then = ["The boiler is broken.", "The plumber repairs the boiler.", "Call the plumber."]
    texts = [*about * 5, *then * 5]
    sentences = [SpokenSentence(text, 4.0 * n, 4.0 * n + 3) for n, text in enumerate(texts)]
    starts = [section.start_s for section in outline(sentences)]
    assert starts[0] == 0.0
    assert 60.0 in starts
    assert topic_of([SpokenSentence("Heute geht es um den Garten.", 0, 1)]) == "Den Garten"
    assert topic_of(sentences) is None


def test_corrections_hold_for_another_transcript() -> None:
    """Another model hears other words at other seconds."""
    correction = Correction(Span(10.0, 14.0), "It is 940 euros.")
    other = Transcript().extended("Hello. It is nine forty. Bye.", [], 0.0)
    assert other.corrected([correction], None) == other
    heard = Transcript(
        "Hello. It is nine. Forty! Bye.",
        tuple(
            s
            for s in (
                _sentence(0, 6, 8.0, 9.5),
                _sentence(7, 18, 10.5, 12.0),
                _sentence(19, 25, 12.1, 13.5),
                _sentence(26, 30, 15.0, 16.0),
            )
        ),
    )
    mended = heard.corrected([correction], Span(8.0, 16.0))
    assert mended.text == "Hello. It is 940 euros. Bye."
    assert [s.start_s for s in mended.sentences] == [8.0, 10.0, 15.0]
    removed = heard.corrected([Correction(Span(10.0, 14.0), "")], Span(8.0, 16.0))
    assert removed.text == "Hello. Bye."
    assert heard.corrected([Correction(Span(10.0, 14.0, 2), "x")], Span(8.0, 16.0)) == heard


def _sentence(start: int, end: int, start_s: float, end_s: float) -> Any:
    from indexer.types.sentences import Sentence

    return Sentence(start, end, start_s, end_s)


@pytest.mark.browser
@pytest.mark.parametrize(("theme", "width_px"), [("light", 1440), ("dark", 390)])
def test_the_page_of_a_meeting(
    served: Running, api: httpx.Client, item: str, theme: Theme, width_px: int
) -> None:
    """Decisions play their second, speakers are named, sentences searched and corrected."""
    point = shown(api, item)["decisions"][0]
    with (
        chromium() as browser,
        visit(browser, served, f"/item/{item}", theme=theme, width=width_px) as tab,
    ):
        section = tab.see(".minutes section:has(h3:text('Decisions'))")
        assert point["quote"] in section.inner_text()
        section.locator(".time").click()
        current = tab.page.locator(".transcript [aria-current]")
        current.get_by_text(point["quote"]).wait_for()
        tab.see("[aria-label^='Name Speaker 2'], [aria-label='Name Walter']").click()
        tab.see(".speakers input").fill("Walter")
        tab.see(".speakers form button").click()
        tab.see(".minutes [aria-label='Name Walter']")
        tab.page.locator(".transcript .speaker", has_text="Walter").first.wait_for()
        tab.see(".transcript-search").fill("noon")
        assert tab.page.locator(".transcript li").count() == 1
        tab.see(".transcript li").hover()
        tab.see(".transcript .correct").click()
        tab.see(".correction textarea").fill(f"The band plays at noon, {theme}.")
        tab.see(".correction button").click()
        tab.page.get_by_text(f"The band plays at noon, {theme}.").wait_for()
        assert not tab.unexpected
        if folder := os.environ.get("RECOLLECT_PICTURES"):
            tab.see(".transcript-search").fill("")
            tab.page.screenshot(path=Path(folder) / f"meeting-{theme}.png", full_page=True)
