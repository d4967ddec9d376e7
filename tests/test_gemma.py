"""The resident model on a checkpoint of the real architecture with random weights: nothing it says
makes sense, everything it does must."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from model.decoding import vectors
from model.decoding.generation import GenerationLimits
from model.gemma import Gemma
from model.interface import (
    AnswerCitation,
    AnswerEnd,
    AnswerEvent,
    AnswerText,
    ChatMessage,
    Content,
    ConversationTurn,
    Evidence,
    Float32,
    Image,
    ModelError,
    Sound,
    Text,
)
from model.prompt import prompts
from model.prompt.inputs import collate
from model.weights.installed import find_checkpoint
from model.weights.placement import Placement
from tests import tiny

CPU = Placement("cpu", "float32", "a test")
SOURCES = [
    Evidence(1, "note.txt", "The red bicycle costs 3.5 euro. It stands in the garden."),
    Evidence(2, "talk.wav", "we meet at ten\nnear the signal", tiny.sound(1.0)),
    Evidence(3, "picture.png", "", tiny.picture()),
]


@pytest.fixture(scope="module")
def gemma(tmp_path_factory: pytest.TempPathFactory) -> Gemma:
    return Gemma(find_checkpoint(tiny.write(tmp_path_factory.mktemp("tiny"))), CPU)


def contents() -> list[Content]:
    rng = np.random.default_rng(3)
    texts: list[Content] = [Text(tiny.words(rng, count)) for count in (1, 5, 31, 32, 33, 90)]
    pictures: list[Content] = [tiny.picture(120, 90), tiny.picture(48, 400), tiny.picture(9, 9)]
    sounds: list[Content] = [tiny.sound(0.1), tiny.sound(3.0)]
    return [*texts, *pictures, *sounds, Text(" "), Text("Zażółć 🚲")]


def test_a_batch_equals_its_singles(gemma: Gemma) -> None:
    together = gemma.embed(contents())
    for content, batched in zip(contents(), together, strict=True):
        (alone,) = gemma.embed([content])
        has_words = isinstance(content, Text) and bool(content.text.strip())
        assert [alone.gist is not None, alone.body is not None] == [not has_words, has_words]
        for one, other in ((alone.gist, batched.gist), (alone.body, batched.body)):
            assert (one is None) == (other is None)
            if one is not None and other is not None:
                np.testing.assert_allclose(other, one, atol=3e-5)
                assert abs(np.linalg.norm(one) - 1) < 1e-5


def test_gist_is_the_state_before_the_last_mlp(gemma: Gemma) -> None:
    """Against the stock forward: pushing the gist state through the rest of the last layer has to
    give the stock's last hidden state."""
    import torch

    row = gemma._render(prompts.gist_prompt(Text("the red bicycle")))
    last = gemma._text.layers[-1]
    with torch.inference_mode():
        out = gemma._model.model(**collate([row]), output_hidden_states=True)
        states, bodies = gemma._states([row])
        rest = last.post_feedforward_layernorm(last.mlp(last.pre_feedforward_layernorm(states)))
        ended = gemma._text.norm((states + rest) * last.layer_scalar)
    assert float((ended - out.last_hidden_state).abs().max()) < 1e-5
    middle = out.hidden_states[vectors.body_layer(len(gemma._text.layers))]
    assert float((bodies - middle).abs().max()) == 0.0


def test_body_is_of_the_passages_own_tokens(gemma: Gemma) -> None:
    """The instruction behind the passage cannot reach its states, so another one changes nothing
    but the gist."""
    passage = "the red bicycle in the garden"
    (whole,) = gemma.embed([Text(passage)])
    other = (ChatMessage("user", (passage, "\nNow something else.")),)
    from model.prompt import inputs

    own = inputs.passage_span(other, passage, gemma._tokenizer)
    body = vectors.body_vector(gemma._states([gemma._render(other)])[1][0, own])
    assert body is not None
    assert whole.body is not None
    np.testing.assert_allclose(whole.body, body, atol=1e-5)


@pytest.mark.parametrize("content", [tiny.picture(), tiny.sound(0.4), tiny.sound(5.0)])
def test_describing_gives_the_gist_of_embedding(gemma: Gemma, content: Image | Sound) -> None:
    understood = gemma.describe(content)
    (embedded,) = gemma.embed([content])
    assert embedded.gist is not None
    np.testing.assert_allclose(understood.gist, embedded.gist, atol=3e-5)
    if understood.words:
        body: Float32 | None = gemma.embed([Text(understood.words)])[0].body
        assert understood.body is not None
        assert body is not None
        np.testing.assert_allclose(understood.body, body, atol=3e-5)


def test_judging_averages_both_orders(gemma: Gemma) -> None:
    together = gemma.judge("Where is it?", SOURCES)
    assert len(together) == 3
    assert all(0 < chance < 1 for chance in together)
    singles = [gemma.judge("Where is it?", [source])[0] for source in SOURCES]
    np.testing.assert_allclose(together, singles, atol=1e-5)


def answered(gemma: Gemma, sources: list[Evidence], **more: object) -> list[AnswerEvent]:
    return list(gemma.answer("Where is the bicycle?", sources, **more))  # type: ignore[arg-type]


def test_an_answer_cites_truly_and_ends_once(gemma: Gemma) -> None:
    events = answered(gemma, SOURCES, history=[ConversationTurn("And?", "It is red [1].")])
    assert [type(event) for event in events].count(AnswerEnd) == 1
    assert isinstance(events[-1], AnswerEnd)
    cited = [event for event in events if isinstance(event, AnswerCitation)]
    assert cited
    for quote in cited:
        assert quote.quote in {source.n: source.words for source in SOURCES}[quote.n]
    shown = "".join(event.text for event in events if isinstance(event, AnswerText))
    assert shown.count("[") == len(cited)
    assert '"]' not in shown


def test_an_answer_without_sources_still_ends(gemma: Gemma) -> None:
    events = answered(gemma, [])
    assert isinstance(events[-1], AnswerEnd)
    assert not any(isinstance(event, AnswerCitation) for event in events)


def test_a_cancelled_answer_says_so(gemma: Gemma) -> None:
    events = answered(gemma, SOURCES, cancelled=lambda: True)
    assert [type(event) for event in events] == [AnswerEnd]
    assert isinstance(events[0], AnswerEnd)
    assert events[0].reason == "cancelled"


def test_answers_are_the_same_with_and_without_drafts(
    gemma: Gemma, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("model.gemma.ANSWER_LIMITS", GenerationLimits(tokens=80))

    def text() -> list[AnswerEvent]:
        return answered(gemma, SOURCES)[:-1]

    pace = gemma._decoder.draft_length
    pace.fixed = 0
    plain = "".join(event.text for event in text() if isinstance(event, AnswerText))
    pace.fixed = 4
    drafted = "".join(event.text for event in text() if isinstance(event, AnswerText))
    pace.fixed = None
    assert plain == drafted


def test_calls_are_counted_and_the_card_filled(gemma: Gemma) -> None:
    before = gemma.calls
    gemma.embed([Text("a"), Text("b")])
    gemma.judge("a", SOURCES[:1])
    assert gemma.calls == before + 3
    assert gemma.card.device == "cpu"
    assert gemma.card.resident_bytes > 100_000
    assert gemma.fingerprint == find_checkpoint(gemma._checkpoint.directory).fingerprint


def test_a_captions_tokens_leave_room_for_others(tmp_path: Path) -> None:
    turns: list[int] = []
    folder = tiny.write(tmp_path)
    gemma = Gemma(find_checkpoint(folder), CPU, yield_turn=lambda: turns.append(1))
    gemma.describe(tiny.picture())
    assert turns


def test_weights_that_do_not_fit_their_config_are_refused(tmp_path: Path) -> None:
    import json

    folder = tiny.write(tmp_path)
    config = json.loads((folder / "config.json").read_text())
    config["text_config"]["intermediate_size"] *= 2
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(ModelError):
        Gemma(find_checkpoint(folder), CPU)
