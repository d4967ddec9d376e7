"""How well the shipped model sees, hears, finds, answers and drafts, on seeds it never saw."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from bench.report import Report, Row
from model.answer_format import REFUSAL
from model.interface import (
    AnswerCitation,
    AnswerEnd,
    AnswerText,
    Content,
    Evidence,
    Float32,
    Image,
    Model,
    Sound,
    Text,
)
from model.weights.checkpoint import Checkpoint
from model.weights.installed import find_checkpoint
from training.world import documents, pages, questions, scenes, signs, speech, statements
from training.world.plans import Plan, plan
from training.world.seeds import EVAL, dice
from training.world.stems import content_words


def run(quick: bool) -> Report:
    """Every figure of the model card; `quick` takes a fifth of the examples."""
    checkpoint = find_checkpoint("pocket")
    model = _loaded(checkpoint)
    part = 5 if quick else 1
    rows = [
        *captions(model, 1000 // part),  # of 200 the figure swings by two in a hundred
        *readings(model, 100 // part),
        *hearings(model, 100 // part),
        *findings(model, 200, 60 if quick else 200),
        *paraphrases(model, 500 // part, 200 // part),
        *answers(model, checkpoint, 100 // part),
    ]
    return Report("pocket", rows, [EVAL.start, EVAL.stop - 1])


def captions(model: Model, count: int) -> list[Row]:
    """Does the caption name the first thing in the picture and its colour?"""
    right = 0
    for number in range(count):
        scene = scenes.scene(dice(EVAL, number, "caption"))
        caption = model.describe(Image(scene.image)).words
        right += content_words(f"{scene.objects[0].colour} {scene.objects[0].kind}") <= (
            content_words(caption)
        )
    return [
        Row("caption", "caption names the right object and colour", right / count, "", None, 0.9)
    ]


def readings(model: Model, count: int) -> list[Row]:
    """Are the words of signs and the titles of pages read letter for letter?"""
    right = 0
    for number in range(count):
        rng = dice(EVAL, number, "read")
        if number % 2:
            picture = pages.page(rng)
            wanted = re.findall(r'"([^"]*)"', picture.caption)[0]
        else:
            picture = signs.sign(rng)
            wanted = picture.words
        words = model.describe(Image(picture.image)).words
        right += f'"{wanted}"' in words
    return [Row("read", "words on a sign or page title read exactly", right / count, "", None, 0.8)]


def hearings(model: Model, count: int) -> list[Row]:
    """Word error rate of spoken notes, in voices known and new."""
    rows = []
    for key, what, voices, goal in (
        ("wer", "known voice", speech.TRAIN_VOICES, 0.10),
        ("wer_new_voice", "voice never trained on", speech.NEW_VOICES, 0.25),
    ):
        wrong = words = 0
        for number in range(count):
            rng = dice(EVAL, number, key)
            note = speech.note(rng)
            samples = speech.speak(note.text, speech.voice(rng, voices), rng)
            transcript = model.describe(Sound(samples, speech.RATE_HZ)).words
            wrong += errors(_words(note.text), _words(transcript))
            words += len(_words(note.text))
        name = f"word error rate of a spoken note, {what}"
        rows.append(Row(key, name, wrong / words, "", None, goal, at_most=True))
    return rows


def findings(model: Model, count: int, asked: int) -> list[Row]:
    """Pictures and notes found among `count` by words, and pictures by a picture, by the gist."""
    drawn = [scenes.scene(dice(EVAL, number, "find")) for number in range(count)]
    pictures = _gists(model, [Image(scene.image) for scene in drawn])
    by_words = _gists(model, [Text(scene.find) for scene in drawn[:asked]])
    photo = sum(
        content_words(scene.find) <= content_words(drawn[best].caption)
        for scene, best in zip(drawn, (by_words @ pictures.T).argmax(1).tolist(), strict=False)
    )
    alike = 0
    for number in range(asked):
        plan_: Plan = plan(dice(EVAL, number, "find"))
        assert plan_.caption == drawn[number].caption
        rng = dice(EVAL, number, "like")
        other = scenes.draw(plan_, rng, rng.choice(scenes.SIZES_PX), scenes.style(rng))
        best = np.argsort(-(_gists(model, [Image(other.image)]) @ pictures.T)[0])[:5]
        alike += any(drawn[rank].caption == plan_.caption for rank in best)
    notes = []
    for number in range(count):
        rng = dice(EVAL, number, "sound")
        note = speech.note(rng)
        samples = speech.speak(note.text, speech.voice(rng), rng)
        notes.append((note, Sound(samples, speech.RATE_HZ)))
    sounds = _gists(model, [sound for _, sound in notes])
    topics = _gists(model, [Text(note.topic) for note, _ in notes[:asked]])
    heard = sum(
        content_words(note.topic) <= content_words(notes[best][0].text) or notes[best][0] is note
        for (note, _), best in zip(notes, (topics @ sounds.T).argmax(1).tolist(), strict=False)
    )
    return [
        Row("photo_r1", f"picture found by words, first of {count}", photo / asked, "", None, 0.9),
        Row(
            "sound_r1",
            f"spoken note found by words, first of {count}",
            heard / asked,
            "",
            None,
            0.9,
        ),
        Row(
            "like_r5", f"picture found by another, first 5 of {count}", alike / asked, "", None, 0.8
        ),
    ]


def paraphrases(model: Model, count: int, asked: int) -> list[Row]:
    """Paragraphs found by a question without any of their words, by vectors alone. A paragraph
    counts that answers the question: its own, or one whose fact the same question asks for."""
    held = [documents.paragraph(dice(EVAL, number, "paraphrase")) for number in range(count)]
    answered = [frozenset().union(*map(statements.paraphrases, facts)) for _, facts in held]
    passages = model.embed([Text(text) for text, _ in held])
    queries = model.embed([Text(facts[0].paraphrase) for _, facts in held[:asked]], "query")
    gist = _both([_given(each.gist) for each in queries], [_given(each.gist) for each in passages])
    body = _both([_given(each.body) for each in queries], [_given(each.body) for each in passages])

    def share(score: Float32) -> float:
        """Of the questions with a paragraph that answers among the first five."""
        hits = 0
        for number in range(asked):
            best = np.argsort(-score[number])[:5].tolist()
            question = held[number][1][0].paraphrase
            hits += number in best or any(question in answered[entry] for entry in best)
        return hits / asked

    what = f"paragraph found by a paraphrase of its question, first 5 of {count}"
    both = share(gist + body)
    return [
        Row("paraphrase_r5", what, both, "", None, 0.7),
        Row("paraphrase_r5_body", f"{what}, by bodies alone over both vectors", share(body), "",
            both),
    ]  # fmt: skip


@dataclass
class _Told:
    """An answer as it came."""

    text: str = ""
    cited: list[AnswerCitation] = field(default_factory=list)
    tokens: int = 0
    seconds: float = 0.0
    accepted: list[float] = field(default_factory=list)


def answers(model: Model, checkpoint: Checkpoint, count: int) -> list[Row]:
    """Right values, honest refusals, and what the drafter does for speed."""
    cases = [questions.exchange(dice(EVAL, number, "answer"), 0.0) for number in range(2 * count)]
    plain = _loaded(checkpoint, drafter=False)
    right = refused = false_refusals = answerable = away = 0
    fast, slow = _Told(), _Told()
    for case in cases[:count]:
        evidence = [
            Evidence(n, source.title, source.words) for n, source in enumerate(case.sources, 1)
        ]
        reply = _ask(model, case.question, evidence, fast)
        _ask(plain, case.question, evidence, slow)
        refusal = REFUSAL.rstrip(".") in reply.text
        if case.present:
            answerable += 1
            false_refusals += refusal
            right += case.value in reply.text and any(
                citation.n == case.cited for citation in reply.cited
            )
        else:
            away += 1
            refused += refusal
    accepted = float(np.mean(fast.accepted)) if fast.accepted else 0.0
    speed, base = fast.tokens / fast.seconds, slow.tokens / slow.seconds
    return [
        Row("answer", "right value with its evidence", right / answerable, "", None, 0.8),
        Row("refuse", "says that it is not there when it is not", refused / away, "", None, 0.9),
        Row(
            "no_false_refuse",
            "does not say so when it is",
            1 - false_refusals / answerable,
            "",
            None,
            0.9,
        ),
        Row("draft_acceptance", "drafted tokens kept while answering", accepted, "", None, 0.6),
        Row("draft_speed", "answer tokens a second with drafter", speed, "tokens/s", base, 1.4),
    ]


def _ask(model: Model, question: str, evidence: Sequence[Evidence], total: _Told) -> _Told:
    reply = _Told()
    begun = time.perf_counter()
    for event in model.answer(question, evidence):
        match event:
            case AnswerText(text):
                reply.text += text
            case AnswerCitation():
                reply.cited.append(event)
            case AnswerEnd():
                total.tokens += event.tokens
                if event.draft_acceptance is not None:
                    total.accepted.append(event.draft_acceptance)
    total.seconds += time.perf_counter() - begun
    return reply


def errors(wanted: Sequence[str], heard: Sequence[str]) -> int:
    """Words to insert, remove or replace: the edit distance."""
    before = list(range(len(heard) + 1))
    for row, word in enumerate(wanted, start=1):
        now = [row]
        for column, other in enumerate(heard, start=1):
            now.append(min(before[column] + 1, now[-1] + 1, before[column - 1] + (word != other)))
        before = now
    return before[-1]


def _loaded(checkpoint: Checkpoint, drafter: bool = True) -> Model:
    from dataclasses import replace

    from model.gemma import Gemma

    return Gemma(checkpoint if drafter else replace(checkpoint, drafter=None))


def _gists(model: Model, contents: Sequence[Content]) -> Float32:
    return np.stack([_given(vectors.gist) for vectors in model.embed(contents)])


def _both(queries: Sequence[Float32], items: Sequence[Float32]) -> Float32:
    made: Float32 = np.stack(queries) @ np.stack(items).T
    return made


def _given(vector: Float32 | None) -> Float32:
    assert vector is not None, "every text has a body, and of this model a gist"
    return vector


def _words(text: str) -> list[str]:
    return re.findall(r"[a-z0-9]+", text.lower())
