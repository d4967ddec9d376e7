"""Conversations as they are kept: questions, answers, and what these were written from."""

from __future__ import annotations

from typing import Literal

from typing_extensions import TypedDict

from indexer.types.coverage import Coverage
from web.library.schemas.answers import CitationJson, ConversationNameJson, ProblemJson, SourceJson


class SubjectJson(TypedDict):
    """An item that a question is about."""

    id: str
    title: str


class OutcomeJson(TypedDict):
    """How an answer ended, as in `DoneJson`."""

    coverage: Coverage
    reason: str
    left_out: int
    unfounded: list[str]


class TurnJson(TypedDict):
    """One question with its answer; `stopped` by a person, or `failed` with its problem."""

    question: str
    about: list[SubjectJson]  # the only items that may answer; empty for all
    asked_at: float  # unix seconds
    text: str
    sources: list[SourceJson]
    citations: list[CitationJson]
    state: Literal["done", "stopped", "failed"]
    done: OutcomeJson | None
    problem: ProblemJson | None


class ConversationSummaryJson(ConversationNameJson):
    questions: int
    began_at: float  # unix seconds
    changed_at: float


class ConversationsJson(TypedDict):
    count: int  # of all that match, on every page
    conversations: list[ConversationSummaryJson]


class ConversationJson(ConversationSummaryJson):
    turns: list[TurnJson]
