"""One answer, as the events that are sent while it is written."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from indexer.catalog.catalog import Catalog
from model.errors import RecollectError
from model.interface import AnswerText, ConversationTurn
from retriever.answer import Answerer, AnswerSummary, Citation, NumberedSource
from web.library.schemas import AskEvent
from web.library.serializers.results import citation_json, source_json


def answer_events(
    answerer: Answerer,
    catalog: Catalog,
    question: str,
    about: str | None,
    history: Sequence[ConversationTurn],
    cancelled: Callable[[], bool],
) -> Iterator[AskEvent]:
    """Ends in `done` or `error`."""
    try:
        for part in answerer.answer(question, about=about, history=history, cancelled=cancelled):
            match part:
                case NumberedSource():
                    yield {"event": "source", "data": source_json(part, question, catalog)}
                case AnswerText(text):
                    yield {"event": "token", "data": {"text": text}}
                case Citation():
                    yield {"event": "citation", "data": citation_json(part, catalog)}
                case AnswerSummary():
                    yield _done(question, part, catalog)
    except RecollectError as problem:
        yield {"event": "error", "data": {"code": problem.code, "sentence": problem.sentence}}


def _done(question: str, summary: AnswerSummary, catalog: Catalog) -> AskEvent:
    finished = summary.finished
    return {
        "event": "done",
        "data": {
            "question": question,
            "answer": summary.text,
            "citations": [citation_json(citation, catalog) for citation in summary.citations],
            "coverage": catalog.counts.coverage(),
            "speed": {
                "first_token_ms": round(finished.first_token_ms, 1),
                "tokens": finished.tokens,
                "tokens_per_s": round(finished.tokens_per_s, 1),
                "draft_acceptance": finished.draft_acceptance,
            },
            "reason": finished.reason,
            "left_out": summary.left_out,
            "unfounded": list(summary.unfounded),
        },
    }
