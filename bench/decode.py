"""How fast the shipped model writes: beside transformers, with its drafter, on what it has read."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from statistics import median

from bench.prompts import Asked, asked, media
from bench.report import Report, Row
from model.decoding.generation import Generation, GenerationLimits
from model.gemma import Gemma
from model.interface import AnswerCitation, AnswerEnd, AnswerText, ConversationTurn, Image, Sound
from model.prompt import prompts
from model.prompt.inputs import Inputs, collate, common_prefix_length, split_inputs
from model.weights.installed import find_checkpoint

TOKENS = 48
PICTURE_TOKENS = 280


@dataclass(frozen=True, slots=True)
class Written:
    """What the model wrote to one prompt, and how it went."""

    text: str
    finished: AnswerEnd


def write(model: Gemma, prompt: Asked, history: Sequence[ConversationTurn] = ()) -> Written:
    texts = []
    for event in model.answer(prompt.question, prompt.evidence, history):
        match event:
            case AnswerText(text):
                texts.append(text)
            case AnswerCitation(n, quote):
                texts.append(f"<{n}: {quote}>")
            case AnswerEnd():
                return Written("".join(texts), event)
    raise AssertionError("an answer ends in Finished")


def both() -> tuple[Gemma, Gemma]:
    """The shipped model with its drafter, and without."""
    checkpoint = find_checkpoint("pocket")
    return Gemma(checkpoint), Gemma(replace(checkpoint, drafter=None))


def timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def run(quick: bool) -> Report:
    drafted, plain = both()
    prompts_ = asked()[: 8 if quick else None]
    shown = media()[: 4 if quick else None]
    rows = [
        *against_generate(plain, prompts_[: 6 if quick else 16]),
        *with_the_drafter(drafted, plain, prompts_, shown),
        *second_turns(plain, quick),
        *branches(
            plain, [medium for medium in media() if isinstance(medium, Image)][: 4 if quick else 12]
        ),
    ]
    return Report("decode", rows, seeds=[])


def against_generate(model: Gemma, chosen: Sequence[Asked]) -> list[Row]:
    """Prompt and text, one after the other on the same weights, no drafter, nothing kept."""
    own, stop_ids = model._decoder, model._decoder.stop_ids
    limits = GenerationLimits(tokens=TOKENS, stop_on_repetition=False)
    ours_s: list[float] = []
    stock_s: list[float] = []
    same = tokens = 0
    for prompt in chosen:
        row = model._render(prompts.answer_prompt(prompt.question, _unheard(prompt).evidence))
        ours: list[int] = []
        stock: list[int] = []

        def write_ours(row: Inputs = row, into: list[int] = ours) -> None:
            into[:] = Generation(own, own.prefill(row), limits)

        def write_stock(row: Inputs = row, into: list[int] = stock) -> None:
            written = model._model.generate(
                **collate([row]), max_new_tokens=TOKENS, do_sample=False,
                suppress_tokens=own.suppressed, eos_token_id=sorted(stop_ids),
            )  # fmt: skip
            into[:] = [value for value in written[0, len(row) :].tolist() if value not in stop_ids]

        # In turns, the better of two: this machine has other things to do.
        times = [(timed(write_ours), timed(write_stock)) for _ in range(2)]
        ours_s.append(min(value for value, _ in times))
        stock_s.append(min(other for _, other in times))
        same += ours == stock
        tokens += len(ours)
    return [
        Row("same_as_generate", f"texts that are those of transformers.generate, of {len(chosen)}",
            same, "texts", reference=len(chosen), goal=1.0),
        Row("loop", "tokens a second without drafter, prompt included, over generate",
            tokens / sum(ours_s), "tokens/s", reference=tokens / sum(stock_s), goal=1.0),
    ]  # fmt: skip


def with_the_drafter(
    drafted: Gemma, plain: Gemma, chosen: Sequence[Asked], shown: Sequence[Image | Sound]
) -> list[Row]:
    same = 0
    tokens = {True: 0, False: 0}
    seconds = {True: 0.0, False: 0.0}
    kept: list[float] = []
    for prompt in chosen:
        texts = []
        for drafting, model in ((True, drafted), (False, plain)):
            model.release_caches()
            written = write(model, prompt)
            texts.append(written.text)
            finished = written.finished
            tokens[drafting] += finished.tokens
            seconds[drafting] += finished.tokens / max(finished.tokens_per_s, 1e-9)
            if drafting and finished.draft_acceptance is not None:
                kept.append(finished.draft_acceptance)
        same += texts[0] == texts[1]
    described_s = {True: 0.0, False: 0.0}
    for content in shown:
        words = []
        for drafting, model in ((True, drafted), (False, plain)):
            began = time.perf_counter()
            words.append(model.describe(content).words)
            described_s[drafting] += time.perf_counter() - began
        same += words[0] == words[1]
    count = len(chosen) + len(shown)
    with_drafter = tokens[True] / max(seconds[True], 1e-9)
    without = tokens[False] / max(seconds[False], 1e-9)
    return [
        Row("identical", f"texts identical with and without the drafter, of {count}",
            same, "texts", reference=count, goal=1.0),
        Row("draft_speed", "answer tokens a second, with the drafter over without",
            with_drafter, "tokens/s", reference=without, goal=1.4),
        Row("draft_acceptance", "drafted tokens that were kept, mean over answers",
            sum(kept) / max(len(kept), 1), "", goal=0.6),
        Row("describe", "seconds to describe a picture or clip, with the drafter over without",
            described_s[True] / len(shown), "s", reference=described_s[False] / len(shown)),
    ]  # fmt: skip


def second_turns(model: Gemma, quick: bool) -> list[Row]:
    """Time to the first token of a second question about the same sources, over the first's."""
    rows = []
    for kind, what in ((None, "text"), (Image, "a picture"), (Sound, "a recording")):
        first_ms: list[float] = []
        second_ms: list[float] = []
        of_kind = [request for request in asked() if _kind(request) is kind][: 4 if quick else 10]
        for prompt in of_kind:
            model.release_caches()
            first = write(model, prompt)
            history = (ConversationTurn(prompt.question, first.text),)
            second = write(model, replace(prompt, question="And what else is said there?"), history)
            first_ms.append(first.finished.first_token_ms)
            second_ms.append(second.finished.first_token_ms)
        # What a clip says to the new question has to be written down first, so no bound for it.
        rows.append(
            Row(f"second_turn_{what.split()[-1]}",
                f"milliseconds to the first token, second question about {what} over the first",
                median(second_ms), "ms", reference=median(first_ms),
                goal=None if kind is Sound else 0.35, at_most=True),
        )  # fmt: skip
    return rows


def branches(model: Gemma, pictures: Sequence[Image]) -> list[Row]:
    """Gist and caption up to its first token from one prefill, over a prefill for each."""
    own, usual = model._decoder, model._media
    model._media = replace(usual, picture_tokens=PICTURE_TOKENS)
    branched_s: list[float] = []
    apart_s: list[float] = []
    for picture in pictures:
        gist = model._render(prompts.gist_prompt(picture))
        words = model._render(prompts.description_prompt(picture))
        shared = common_prefix_length(gist, words)

        def branched(gist: Inputs = gist, words: Inputs = words, shared: int = shared) -> None:
            own.branch(*split_inputs(words, shared), split_inputs(gist, shared)[1])

        def apart(gist: Inputs = gist, words: Inputs = words) -> None:
            own.prefill(gist)
            own.prefill(words)

        times = [(timed(branched), timed(apart)) for _ in range(3)]
        branched_s.append(min(took_s for took_s, _ in times))
        apart_s.append(min(other for _, other in times))
    model._media = usual
    return [
        Row("branch", f"seconds for gist and caption of a {PICTURE_TOKENS}-token picture, up to "
            "the caption's first token, from one prefill over two",
            sum(branched_s) / len(pictures), "s", reference=sum(apart_s) / len(pictures),
            goal=0.6, at_most=True),
    ]  # fmt: skip


def _kind(prompt: Asked) -> type[Image | Sound] | None:
    originals = [type(source.original) for source in prompt.evidence if source.original is not None]
    return originals[0] if originals else None


def _unheard(prompt: Asked) -> Asked:
    """Without the clips, which an answer's prompt does not show."""
    return replace(
        prompt,
        evidence=tuple(
            replace(source, original=None) if isinstance(source.original, Sound) else source
            for source in prompt.evidence
        ),
    )
