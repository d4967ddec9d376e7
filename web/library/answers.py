"""One answer, as the events of its writing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from indexer.catalog.catalog import Catalog
from model.interface import AnswerText, Exchange, ModelError
from model.runtime.runtime import BusyError
from retriever.answer import Answered, Answerer, Citation, NumberedSource
from retriever.query import QueryError
from web.library.errors import LibraryError
from web.library.results import citation_json, source_json
from web.library.schemas import AskEvent


def told(
    answerer: Answerer,
    catalog: Catalog,
    question: str,
    about: str | None,
    history: Sequence[Exchange],
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
                case Answered():
                    yield _done(question, part, catalog)
    except QueryError as problem:
        yield {"event": "error", "data": {"code": "query", "sentence": str(problem)}}
    except (ModelError, BusyError) as problem:
        wrong = model_problem(problem)
        yield {"event": "error", "data": {"code": wrong.code, "sentence": wrong.sentence}}


def _done(question: str, answered: Answered, catalog: Catalog) -> AskEvent:
    finished = answered.finished
    return {
        "event": "done",
        "data": {
            "question": question,
            "answer": answered.text,
            "citations": [citation_json(one, catalog) for one in answered.citations],
            "coverage": catalog.coverage(),
            "speed": {
                "first_token_ms": round(finished.first_token_ms, 1),
                "tokens": finished.tokens,
                "tokens_per_s": round(finished.tokens_per_s, 1),
                "draft_acceptance": finished.draft_acceptance,
            },
            "reason": finished.reason,
            "left_out": answered.left_out,
            "unfounded": list(answered.unfounded),
        },
    }


def model_problem(problem: Exception) -> LibraryError:
    """What the model could not do, as a person is told."""
    if isinstance(problem, BusyError):
        return LibraryError("busy", str(problem), status=503)
    return LibraryError("model", str(problem), status=503)
