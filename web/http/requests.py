"""What may be sent to the API: these fields and no others, each of bounded length."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal, TypeVar

from fastapi import APIRouter, Request
from fastapi.routing import APIRoute
from pydantic import BaseModel, ConfigDict, Field

from retriever.queries.query import MAX_LIMIT, MAX_OFFSET, MAX_QUERY_CHARS
from web.library.errors import LibraryError

Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])

MAX_TURNS = 50
MAX_ANSWER_CHARS = 20_000
MAX_PATH_CHARS = 4_096
MAX_ID_CHARS = 64
MAX_ABOUT = 100


class Body(BaseModel):
    """JSON with exactly these fields, of exactly these types."""

    model_config = ConfigDict(extra="forbid", strict=True)


class TurnBody(Body):
    question: Annotated[str, Field(max_length=MAX_QUERY_CHARS)]
    answer: Annotated[str, Field(max_length=MAX_ANSWER_CHARS)]


ItemId = Annotated[str, Field(max_length=MAX_ID_CHARS)]
ItemIds = Annotated[list[ItemId], Field(max_length=MAX_ABOUT)]


class QuestionBody(Body):
    """A question, and which files may answer it; with `stream` false the answer comes whole. In a
    `conversation` ("new", or its id) both are kept, and its turns are the history."""

    question: Annotated[str, Field(min_length=1, max_length=MAX_QUERY_CHARS)]
    about: ItemIds | ItemId | None = None
    kind: Annotated[str | None, Field(max_length=20)] = None
    folder: Annotated[str | None, Field(alias="in", max_length=MAX_PATH_CHARS)] = None
    after: Annotated[str | None, Field(max_length=20)] = None
    before: Annotated[str | None, Field(max_length=20)] = None
    history: Annotated[list[TurnBody], Field(max_length=MAX_TURNS)] = []
    conversation: Annotated[str | None, Field(max_length=MAX_ID_CHARS)] = None
    stream: bool = True


class EmptyBody(Body):
    """`{}`: there is nothing to choose."""


class PathBody(Body):
    path: Annotated[str, Field(min_length=1, max_length=MAX_PATH_CHARS)]


class FolderBody(PathBody):
    """A folder; with `take_in` the watched folders in it become part of it."""

    take_in: bool = False


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


def read_route(router: APIRouter, path: str, **options: Any) -> Callable[[Endpoint], Endpoint]:
    """Answers GET and HEAD at an address. HEAD is left out of the schema: two operations of one
    function would have one name."""

    def add(endpoint: Endpoint) -> Endpoint:
        router.add_api_route(path, endpoint, methods=["GET"], **options)
        router.add_api_route(path, endpoint, methods=["HEAD"], include_in_schema=False)
        return endpoint

    return add


async def refuse_unknown_parameters(request: Request) -> None:
    """A parameter that an address does not take is a mistake in the program that sends it; left
    alone it would be a filter that does nothing."""
    route = request.scope["route"]
    known = _parameters(route) if isinstance(route, APIRoute) else set()
    for name in request.query_params:
        if name not in known:
            takes = f"it takes {', '.join(sorted(known))}" if known else "it takes none"
            sentence = f"“{name[:40]}” is no parameter of this address; {takes}."
            raise LibraryError("unknown_parameter", sentence)


def _parameters(route: APIRoute) -> set[str]:
    """The names of the parameters in the address of a route."""
    names: set[str] = set()
    for field in route.dependant.query_params:
        kind = field.field_info.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            names |= {each.alias or name for name, each in kind.model_fields.items()}
        else:
            names.add(field.alias)
    return names
