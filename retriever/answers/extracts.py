"""An answer without a writing model: the sentences that speak of the question, as they stand."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Sequence

from indexer.types.passages import sentences
from indexer.types.text.function_words import function_words
from model.answer_format import REFUSAL, mark, without_marks
from model.interface import AnswerCitation, AnswerEnd, AnswerEvent, AnswerText, Evidence
from retriever.marks.snippets import distinct_tokens, matches, words_to_mark

MAX_EXTRACTS = 3
LEAD = "These passages speak of it:"


def extract_answer(question: str, evidence: Sequence[Evidence]) -> Iterator[AnswerEvent]:
    """The best sentence of each of the first sources that has words of the question, each cited;
    nothing is composed. The events are those of `Model.answer`."""
    began = time.perf_counter()
    dropped = function_words(distinct_tokens(question))
    words = words_to_mark(question)
    wanted = [word for word in words if word not in dropped] or words
    extracts = [
        (source.n, sentence)
        for source in evidence
        if (sentence := _best_sentence(source.words, wanted)) is not None
    ][:MAX_EXTRACTS]
    took_ms = (time.perf_counter() - began) * 1e3
    yield AnswerText(f"{LEAD}\n" if extracts else REFUSAL)
    for n, sentence in extracts:
        # a mark that stands in the sentence itself is none of ours
        shown = re.sub(r"\s+", " ", without_marks(sentence))
        yield AnswerText(f"\n- {shown} {mark(n)}")
        yield AnswerCitation(n, sentence)
    yield AnswerEnd("stop", took_ms, 0, 0.0, None)


def _best_sentence(text: str, wanted: Sequence[str]) -> str | None:
    """The sentence with the most different words of those `wanted`, the first of several; None
    where none has any."""
    best, most = None, 0
    for start, end, _ in sentences(text):
        sentence = text[start:end]
        held = {
            token
            for first, last in matches(sentence, list(wanted))
            for token in distinct_tokens(sentence[first:last])
        }
        if len(held) > most:
            best, most = sentence.strip(), len(held)
    return best
