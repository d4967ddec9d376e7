"""One answer, as the events that are sent while it is written."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import cast

from indexer.catalog.catalog import Catalog
from model.errors import RecollectError
from model.interface import AnswerText
from retriever.answers.answer import AnswerPart, AnswerSummary, Citation
from retriever.answers.sources import NumberedSource
from web.library.errors import LibraryError
from web.library.schemas.answers import (
    AnswerJson,
    AskEvent,
    ConversationNameJson,
    ProblemJson,
    SourceJson,
)
from web.library.serializers.results import citation_json, source_json

ANSWER_INTERRUPTED = "The answer broke off inside Recollect; ask again."


def answer_events(
    answer: Iterator[AnswerPart], catalog: Catalog, question: str
) -> Iterator[AskEvent]:
    """Ends in `done` or `error`."""
    try:
        for part in answer:
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
        yield problem_event(problem)


def problem_event(problem: RecollectError) -> AskEvent:
    """The last event of an answer that could not be finished."""
    data: ProblemJson = {
        "code": problem.code,
        "sentence": problem.sentence,
        "status": problem.status,
    }
    return {"event": "error", "data": data}


def problem_error(problem: ProblemJson) -> LibraryError:
    """The problem that an answer ended in, to be raised."""
    return LibraryError(problem["code"], problem["sentence"], problem.get("status", 500))


def collected_answer(events: Iterable[AskEvent]) -> AnswerJson:
    """All of an answer's events in one. Raises LibraryError where the answer broke off."""
    sources: list[SourceJson] = []
    name: ConversationNameJson | None = None
    for event in events:
        match event["event"]:
            case "conversation":
                name = cast(ConversationNameJson, event["data"])
            case "source":
                sources.append(cast(SourceJson, event["data"]))
            case "done":
                whole = cast(AnswerJson, {**event["data"], "sources": sources})
                if name is not None:
                    whole["conversation"] = name
                return whole
            case "error":
                problem = cast(ProblemJson, event["data"])
                raise problem_error(problem)
    raise LibraryError("internal", ANSWER_INTERRUPTED, 500)


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
                "prompt_tokens": finished.prompt_tokens,
                "tokens": finished.tokens,
                "tokens_per_s": round(finished.tokens_per_s, 1),
                "draft_acceptance": finished.draft_acceptance,
            },
            "reason": finished.reason,
            "left_out": summary.left_out,
            "unfounded": list(summary.unfounded),
        },
    }
