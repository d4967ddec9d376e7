"""What may be sent to the API: these fields and no others, each of bounded length."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from retriever.query import MAX_LIMIT, MAX_OFFSET, MAX_QUERY_CHARS

MAX_TURNS = 50
MAX_ANSWER_CHARS = 20_000
MAX_PATH_CHARS = 4_096


class Body(BaseModel):
    """JSON with exactly these fields, of exactly these types."""

    model_config = ConfigDict(extra="forbid", strict=True)


class TurnBody(Body):
    question: Annotated[str, Field(max_length=MAX_QUERY_CHARS)]
    answer: Annotated[str, Field(max_length=MAX_ANSWER_CHARS)]


class QuestionBody(Body):
    question: Annotated[str, Field(min_length=1, max_length=MAX_QUERY_CHARS)]
    about: str | None = None
    history: Annotated[list[TurnBody], Field(max_length=MAX_TURNS)] = []


class PathBody(Body):
    path: Annotated[str, Field(min_length=1, max_length=MAX_PATH_CHARS)]


class OptionalPathBody(Body):
    path: Annotated[str, Field(min_length=1, max_length=MAX_PATH_CHARS)] | None = None


class FileBody(Body):
    """A file, by its id or its path."""

    what: Annotated[str, Field(min_length=1, max_length=MAX_PATH_CHARS)]


class VerifyBody(Body):
    deep: bool = False
    repair: bool = False


class SearchParams(BaseModel):
    """The parameters of a search in an address; the library checks their meaning."""

    q: Annotated[str, Field(max_length=MAX_QUERY_CHARS)] = ""
    kind: Annotated[str | None, Field(max_length=20)] = None
    folder: Annotated[str | None, Field(alias="in", max_length=MAX_PATH_CHARS)] = None
    after: Annotated[str | None, Field(max_length=20)] = None
    before: Annotated[str | None, Field(max_length=20)] = None
    limit: Annotated[int, Field(ge=1, le=MAX_LIMIT)] = 20
    offset: Annotated[int, Field(ge=0, le=MAX_OFFSET)] = 0
    by: Literal["words", "all"] = "all"
