"""An answer without a writing model: the sentences that speak of the question, as they stand."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Sequence
from itertools import pairwise

from indexer.types.passages import sentences
from indexer.types.text.function_words import function_words
from model.answer_format import REFUSAL, mark, without_marks
from model.interface import AnswerCitation, AnswerEnd, AnswerEvent, AnswerText, Evidence
from retriever.answers.asked_kinds import asked_kind
from retriever.marks.snippets import distinct_tokens, matches, words_to_mark

MAX_EXTRACTS = 3
MAX_CHARS = 600
_ENDS = (".", "!", "?", "…", "。", "”", '"')  # of a sentence that is no heading
LEAD = "These passages speak of it:"


def extract_answer(question: str, evidence: Sequence[Evidence]) -> Iterator[AnswerEvent]:
    """The best stretch of each of the first sources that has words of the question, each cited;
    nothing is composed. The events are those of `Model.answer`."""
    began = time.perf_counter()
    dropped = function_words(distinct_tokens(question))
    words = words_to_mark(question)
    wanted = [word for word in words if word not in dropped] or words
    extracts = [
        (source.n, *stretch)
        for source in evidence
        if (stretch := _best_stretch(source.words, question, wanted)) is not None
    ]
    extracts.sort(key=lambda extract: -extract[2])  # those with most words first
    took_ms = (time.perf_counter() - began) * 1e3
    yield AnswerText(f"{LEAD}\n" if extracts else REFUSAL)
    for n, quote, _ in extracts[:MAX_EXTRACTS]:
        # a mark that stands in the sentence itself is none of ours
        shown = re.sub(r"\s+", " ", without_marks(quote))
        yield AnswerText(f"\n- {shown} {mark(n)}")
        yield AnswerCitation(n, quote)
    yield AnswerEnd("stop", took_ms, 0, 0.0, None)


def _best_stretch(text: str, question: str, wanted: Sequence[str]) -> tuple[str, int] | None:
    """The sentence, or the two in a row, with the most different words of those `wanted`, and how
    many these are; of several one with a value of the kind that is asked for, then one that is no
    heading, then the shorter. None where none has any."""
    has_kind = asked_kind(question)
    best, most = None, (0, False, False, 0)
    bounds = [(start, end) for start, end, _ in sentences(text)]
    for (start, _), (_, end) in [*zip(bounds, bounds, strict=True), *pairwise(bounds)]:
        stretch = text[start:end].strip()
        held = {
            token
            for first, last in matches(stretch, list(wanted))
            for token in distinct_tokens(stretch[first:last])
        }
        is_of_kind = has_kind is not None and has_kind(stretch)
        rank = len(held), is_of_kind, stretch.endswith(_ENDS), -len(stretch)
        if held and len(stretch) <= MAX_CHARS and rank > most:
            best, most = stretch, rank
    return None if best is None else (best, most[0])
