"""An answer, its sources and citations, and the events that it is sent in."""

from __future__ import annotations

from typing import Literal, NotRequired

from typing_extensions import TypedDict

from indexer.types.coverage import Coverage
from indexer.types.places import PlaceJson
from web.library.schemas.items import MailJson, ThumbJson


class ConversationNameJson(TypedDict):
    id: str
    title: str  # the first question, until a person gives another


class CitationJson(TypedDict):
    n: int
    id: str
    path: str
    kind: str
    title: str
    attached_to: MailJson | None
    place: PlaceJson | None
    quote: str
    verified: bool  # it stands in the words of its source
    source: str  # what these are: "text" of the page, "transcript", or "caption" by the model
    supports: bool  # it can prove what it is cited for; else it only mentions it


class SpeedJson(TypedDict):
    first_token_ms: float
    prompt_tokens: int  # of the question with its sources; 0 where that is not known
    tokens: int
    tokens_per_s: float
    draft_acceptance: float | None


class AskJson(TypedDict):
    question: str
    answer: str
    citations: list[CitationJson]
    coverage: Coverage
    speed: SpeedJson


class SourceJson(TypedDict):
    n: int
    id: str
    path: str
    kind: str
    title: str
    attached_to: MailJson | None
    place: PlaceJson | None
    snippet: str
    thumb: ThumbJson | None


class TokenJson(TypedDict):
    text: str


class DoneJson(AskJson):
    reason: str
    left_out: int  # quotes dropped because they could not be confirmed
    unfounded: list[str]  # figures of the answer that stand in none of its sources


class AnswerJson(DoneJson):
    """A whole answer, with the sources that the model was given."""

    sources: list[SourceJson]
    conversation: NotRequired[ConversationNameJson]  # that it is kept in


class ProblemJson(TypedDict):
    code: str
    sentence: str
    status: NotRequired[int]  # what HTTP answers with where nothing was sent before


class AskEvent(TypedDict):
    """One server-sent event of an answer."""

    event: Literal["conversation", "source", "token", "citation", "done", "error"]
    data: ConversationNameJson | SourceJson | TokenJson | CitationJson | DoneJson | ProblemJson
