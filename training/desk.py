"""Lessons made into examples: what the program would show the model, and what it is to say."""

from __future__ import annotations

import functools
import random
import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.interface import Image, Sound
from model.prompt import inputs, prompts
from training import citing, lessons, renders, sight
from training.packing import FRAME, NOTHING, Example, Ints

PHONES = 160  # drawers for the names of speech sounds
QUESTION = 24  # tokens before an answer in which its question is looked for
ADDED = 4.0  # how much a word of an answer weighs that is not from its question
GLIMPSE = 5  # patches along each side of a glimpse
GLIMPSE_ROWS = 3  # of a glimpse at words
SEEN = 18  # patches of a picture that have to name what they show, at most


class Desk:
    """Makes examples with one tokenizer; `media` are the rendered items by kind."""

    def __init__(self, tokenizer: Any, cut: inputs.MediaFormat) -> None:
        self.tokenizer = tokenizer
        self.cut = cut
        self.numbers = citing.Numbers(tokenizer)
        number = tokenizer.convert_tokens_to_ids
        self.stop, self.soft = int(number("<turn|>")), int(number("<|image|>"))
        self.bracket, self.digits = int(number("▁[")), {*number([*"0123456789"])}
        self.picture_ends = int(number("<|image>")), int(number("<image|>"))

    def spell(self, text: str) -> list[int]:
        return list(self.tokenizer(text, add_special_tokens=False)["input_ids"])

    def lesson(self, lesson: lessons.Lesson, token_ids: Sequence[int] | None = None) -> Example:
        """Prompt and target, or what was `said` in its place; the prompt may show pictures, or
        play a sound."""
        asked = inputs.render_prompt(lesson.prompt, self.tokenizer, self.cut)
        target = self.spell(lesson.target) if token_ids is None else token_ids
        example = _line(asked.ids.tolist(), [*target, self.stop])
        if asked.sounds:
            example.samples = asked.sounds[0].ravel()
            example.phones = np.full((len(asked.sounds[0]), 2), NOTHING)
        if lesson.task == lessons.ANSWER:
            example.stakes = self._stakes(example, len(asked))
        if lesson.task in (lessons.ANSWER, lessons.REFUSE):
            example.sources = self.numbers.belonging(example.ids, NOTHING)
            example.sources[len(asked) - 1 : -1] = citing.cited(lesson.target)
        example.pictures = [
            (np.round(picture.values * 255).astype(np.uint8), int(picture.positions[-1, 0]) + 1)
            for picture in asked.pictures
        ]
        example.task = lessons.TASKS.index(lesson.task)
        return example

    def examination(self, asked: Sequence[lessons.Lesson]) -> Example:
        """Lessons that begin alike, as branches behind what they share: the sources are read once
        for all questions."""
        prompts_ids = [
            inputs.render_prompt(question.prompt, self.tokenizer, self.cut).ids
            for question in asked
        ]
        shared = _shared(prompts_ids)
        example = _line(prompts_ids[0][:shared].tolist(), [])
        tasks, stakes = [np.full(shared, -1)], [np.ones(shared, np.float32)]
        sources = [self.numbers.belonging(example.ids, NOTHING)]
        for number, (lesson, ids) in enumerate(zip(asked, prompts_ids, strict=True), start=1):
            tail = _line(ids[shared:].tolist(), [*self.spell(lesson.target), self.stop])
            example.ids = np.concatenate([example.ids, tail.ids])
            example.positions = np.concatenate([example.positions, tail.positions + shared])
            example.branches = np.concatenate([example.branches, np.full(len(tail), number)])
            example.labels = np.concatenate([example.labels, tail.labels])
            tasks.append(np.full(len(tail), lessons.TASKS.index(lesson.task)))
            labelled = tail.labels != NOTHING
            sources.append(np.where(labelled, citing.cited(lesson.target), NOTHING))
            least = np.ones(len(tail), np.float32)
            weighed = lesson.task == lessons.ANSWER
            stakes.append(self._stakes(tail, len(ids) - shared) if weighed else least)
        example.task, example.stakes = np.concatenate(tasks), np.concatenate(stakes)
        example.sources = np.concatenate(sources)
        return example

    def _stakes(self, example: Example, asked: int) -> NDArray[np.float32]:
        """An answer's statement is easy where it says the question over again; what it adds has to
        be found in the sources, and weighs more."""
        stakes = np.ones(len(example), np.float32)
        question = set(example.ids[max(0, asked - QUESTION) : asked].tolist())
        for place in range(asked, len(example) - 1):
            token = int(example.labels[place])
            if token == self.bracket:
                break
            if token not in question or token in self.digits:
                stakes[place] = ADDED
        return stakes

    def text(self, text: str, key: int, query: bool) -> Example:
        """A text for its vectors."""
        prompt = lessons.gist(text)
        row = inputs.render_prompt(prompt, self.tokenizer, self.cut)
        example = _line(row.ids.tolist(), [])
        own = inputs.passage_span(prompt, text, self.tokenizer)
        example.gist_at, example.body = len(example) - 1, (own.start, own.stop)
        example.key, example.query = key, query
        return example

    def medium(self, item: renders.Rendered, task: str, key: int, rng: random.Random) -> Example:
        """A picture or a sound, in two branches: its words, and its gist."""
        samples, shift = None, 0
        if item.columns:
            frame = self._frame("image", item.columns, len(item.data) // item.columns)
        else:
            samples, shift = _heard(item.data, rng)
            frame = self._frame("audio", len(samples) // FRAME, 1)
        head, words, gist = frame
        target = [*self.spell(item.words), self.stop]
        if task == lessons.LISTEN and item.facts:
            words, target = self._listening(frame, item, rng)
        example = _line([*head, *words], target)
        start, example.task = len(example), lessons.TASKS.index(task)
        example.ids = np.concatenate([example.ids, gist])
        after = np.arange(len(head), len(head) + len(gist))
        example.positions = np.concatenate([example.positions, after])
        example.branches = np.repeat([0, 1, 2], [len(head), start - len(head), len(gist)])
        example.labels = np.concatenate([example.labels, np.full(len(gist), NOTHING)])
        example.gist_at, example.key = len(example) - 1, key
        if samples is None:
            example.pictures = [(item.data, item.columns)]
            example.shown = _shown(item)
            first = len(head) - 1 - len(item.data)
            seen = list(sight.named(item.shown, item.columns, item.words))
            for patch, word in rng.sample(seen, min(SEEN, len(seen))):
                example.labels[first + patch] = self.spell(f" {word}")[0]
        else:
            example.samples = samples
            example.phones = _phones(item, shift, len(samples) // FRAME)
            self._spoken(example, item, shift, len(head))
        return example

    def glimpse(self, item: renders.Rendered, rng: random.Random) -> Example | None:
        """A window of a picture around one of its things or words, for the patch labels alone: a
        third of the patches teach as much as the whole. None where nothing is in it."""
        rows = len(item.data) // item.columns
        patches = [patch for patch, asked, shown in item.shown if asked != sight.COLOUR and shown]
        if not patches:
            return None
        wide, high = min(GLIMPSE, item.columns), min(GLIMPSE, rows)
        if item.shown[0][1] < sight.THIRDS:  # words are broad and low
            wide, high = item.columns, min(GLIMPSE_ROWS, rows)
        middle_y, middle_x = divmod(rng.choice(patches), item.columns)
        left = min(max(0, middle_x - rng.randrange(wide)), item.columns - wide)
        top = min(max(0, middle_y - rng.randrange(high)), rows - high)
        grid = np.arange(top, top + high)[:, None] * item.columns + np.arange(left, left + wide)
        chosen = grid.flatten().tolist()
        ids = np.array([self.picture_ends[0], *[self.soft] * len(chosen), self.picture_ends[1]])
        example = _line(ids.tolist(), [])
        example.pictures = [(item.data[chosen], wide)]
        new = {patch: number for number, patch in enumerate(chosen)}
        example.shown = _shown(item)[chosen]
        for patch, word in sight.named(item.shown, item.columns, item.words):
            if patch in new:
                example.labels[1 + new[patch]] = self.spell(f" {word}")[0]
        return example

    def _spoken(self, example: Example, item: renders.Rendered, shift: int, head: int) -> None:
        """Each frame after the end of a word foretells that word: hearing is then half written."""
        frames = len(example.samples) // FRAME if example.samples is not None else 0
        first = head - 1 - frames
        for end_ms, word in item.spoken:
            if word.isalpha():
                frame = min(frames - 1, -(-(end_ms * 16 + shift) // FRAME))
                example.labels[first + frame] = self.spell(f" {word}")[0]

    def _listening(
        self, frame: Any, item: renders.Rendered, rng: random.Random
    ) -> tuple[list[int], list[int]]:
        fact = rng.choice(item.facts)
        sentences = [part.strip(" .") for part in item.words.replace("?", ".").split(". ")]
        sentence = next((part for part in sentences if fact.quote in part), fact.quote)
        prompt = prompts.clip_prompt(fact.question, Sound(np.zeros(FRAME, np.float32), 16_000))
        row = inputs.render_prompt(prompt, self.tokenizer, self.cut).ids.tolist()
        return row[len(frame[0]) - len(_soft(frame[0])) + 1 :], [
            *self.spell(f"{sentence}."),
            self.stop,
        ]

    @functools.lru_cache(maxsize=512)  # noqa: B019 - one desk lives as long as its process
    def _frame(self, kind: str, across: int, down: int) -> tuple[Any, Any, Any]:
        """Ids of the shared prefix, the words' tail and the gist's tail for a medium so large."""
        content: Image | Sound
        if kind == "image":
            side = self.cut.patch_px
            content = Image(np.zeros((down * side, across * side, 3), np.uint8))
        else:
            content = Sound(np.zeros(across * FRAME, np.float32), 16_000)
        words = inputs.render_prompt(
            prompts.description_prompt(content), self.tokenizer, self.cut
        ).ids
        gist = inputs.render_prompt(prompts.gist_prompt(content), self.tokenizer, self.cut).ids
        shortest = min(len(words), len(gist))
        shared = int(np.argmax(words[:shortest] != gist[:shortest]))
        return words[:shared].tolist(), words[shared:].tolist(), gist[shared:].tolist()


def _shared(rows: Sequence[Ints]) -> int:
    """How many ids all rows begin with, one less than the shortest has at most."""
    shortest = min(map(len, rows)) - 1
    alike = np.all([row[:shortest] == rows[0][:shortest] for row in rows], axis=0)
    return int(shortest if alike.all() else np.argmin(alike))


def _shown(item: renders.Rendered) -> Ints:
    """(patches, sight.ASKED): what each patch of a picture shows, NOTHING where it is not known."""
    answers = np.full((len(item.data), sight.ASKED), NOTHING)
    for patch, asked, shown in item.shown:
        answers[patch, asked] = shown
    return answers


def _soft(head: list[int]) -> list[int]:
    """The soft tokens of a shared prefix: its longest run of one id."""
    common = max(set(head), key=head.count)
    return [token for token in head if token == common]


def _line(asked: list[int], target: list[int]) -> Example:
    ids = np.array([*asked, *target], dtype=np.int64)
    labels = np.full(len(ids), NOTHING, dtype=np.int64)
    if target:
        labels[len(asked) - 1 : -1] = target
    return Example(ids, np.arange(len(ids)), np.zeros(len(ids), dtype=np.int64), labels)


def _phones(item: renders.Rendered, shift: int, frames: int) -> Ints:
    """(frames, 2): the drawers of the sounds in the half frames on both sides of each frame's
    start."""
    starts = np.array([at * 16 + shift for at, _ in item.phones])
    names = (zlib.crc32(name.encode()) for _, name in item.phones)
    drawers = np.array([0, *(1 + name % (PHONES - 1) for name in names)])
    centres = np.arange(frames)[:, None] * FRAME + np.array([-FRAME // 4, FRAME // 4])
    heard: Ints = drawers[np.searchsorted(starts, centres, side="right")]
    return heard


def _heard(samples: NDArray[np.int16], rng: random.Random) -> tuple[NDArray[np.float32], int]:
    """Samples cut differently into frames each time, in another hiss, and by how much they were
    moved."""
    noise = np.random.default_rng(rng.getrandbits(64))
    shift = rng.randrange(FRAME)
    count = -(-(len(samples) + shift) // FRAME)
    whole = np.zeros(count * FRAME, np.float32)
    whole[shift : shift + len(samples)] = samples / 32767
    level = 10 ** rng.uniform(-4.0, -2.4)
    return whole + (level * noise.standard_normal(whole.size)).astype(np.float32), shift
