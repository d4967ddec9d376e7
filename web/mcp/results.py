"""What the tools give: one shape for each, for programs, with a text and links for their models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from mcp_types import CallToolResult, ContentBlock, ResourceLink, TextContent
from typing_extensions import TypedDict

from indexer.types.coverage import Coverage
from indexer.types.places import PlaceJson
from web.library.schemas.answers import CitationJson
from web.library.schemas.files import FileJson
from web.library.schemas.search import HitJson
from web.library.serializers.links import file_link, item_link, place_title


class FoundPlace(TypedDict):
    """A place of the library, with what opens it."""

    id: str
    title: str
    path: str
    kind: str
    place: PlaceJson | None
    link: str
    text: str  # the words that were found there, or are quoted from there


class QuotedPlace(FoundPlace):
    """A place with a quote from it, which was checked."""

    supports: bool  # it can prove what it is cited for; else it only mentions it


class SearchResult(TypedDict):
    query: str
    found: list[FoundPlace]
    coverage: Coverage
    problem: str | None  # what had no part in the search that should have had one
    next_offset: int | None  # where more follow


class AnswerResult(TypedDict):
    answer: str  # with marks like [1]
    citations: dict[str, list[QuotedPlace]]  # by the number in the mark
    unfounded: list[str]  # figures of the answer that stand in none of its sources


class ReadPassage(TypedDict):
    text: str
    place: PlaceJson | None
    link: str


class ReadResult(TypedDict):
    """One page of the passages of a file."""

    id: str
    title: str
    path: str
    kind: str
    passages: list[ReadPassage]
    passages_in_all: int
    next_offset: int | None


class RecordingResult(ReadResult):
    duration_s: float | None


class RecentFile(TypedDict):
    id: str | None
    name: str
    path: str
    kind: str | None
    state: str
    modified_at: float  # unix seconds
    link: str


class RecentResult(TypedDict):
    files: list[RecentFile]
    files_in_all: int


Search = Annotated[CallToolResult, SearchResult]
Answer = Annotated[CallToolResult, AnswerResult]
Read = Annotated[CallToolResult, ReadResult]
Recording = Annotated[CallToolResult, RecordingResult]
Recent = Annotated[CallToolResult, RecentResult]


def link_of(server: str | None, item_id: str, path: str, place: PlaceJson | None) -> str:
    """What opens a place: the page of a server that runs, else the file."""
    return item_link(server, item_id, place) if server else file_link(path, place)


def found_place(server: str | None, match: HitJson | CitationJson, text: str) -> FoundPlace:
    return {
        "id": match["id"],
        "title": match["title"],
        "path": match["path"],
        "kind": match["kind"],
        "place": match["place"],
        "link": link_of(server, match["id"], match["path"], match["place"]),
        "text": text,
    }


def quoted_place(server: str | None, citation: CitationJson) -> QuotedPlace:
    place = found_place(server, citation, citation["quote"])
    return {**place, "supports": citation["supports"]}


def recent_file(server: str | None, file: FileJson) -> RecentFile:
    return {
        "id": file["id"],
        "name": file["name"],
        "path": file["path"],
        "kind": file["kind"],
        "state": file["state"],
        "modified_at": file["modified_at"],
        "link": link_of(server if file["id"] else None, file["id"] or "", file["path"], None),
    }


def resource_link(place: FoundPlace) -> ResourceLink:
    return ResourceLink(
        type="resource_link",
        uri=place["link"],
        name=place_title(place["title"], place["place"]),
        description=place["text"][:200] or None,
    )


def passage_links(result: ReadResult) -> list[ResourceLink]:
    """One link for each place of the passages."""
    titles = {
        passage["link"]: place_title(result["title"], passage["place"])
        for passage in result["passages"]
    }
    return [
        ResourceLink(type="resource_link", uri=link, name=title) for link, title in titles.items()
    ]


def place_line(place: FoundPlace) -> str:
    """A place as one line of text: its name, its words, and its id for the other tools."""
    title = place_title(place["title"], place["place"])
    return f"{title} ({place['kind']}, id {place['id']}): {' '.join(place['text'].split())}"


def passages_text(result: ReadResult) -> str:
    """The words of the passages under the names of their places."""
    blocks = [
        f"## {place_title(result['title'], passage['place'])}\n{passage['text']}"
        for passage in result["passages"]
    ]
    if result["next_offset"] is not None:
        blocks.append(f"More follows: ask again with offset {result['next_offset']}.")
    return "\n\n".join(blocks) or "No words are known of this file yet."


def tool_result(
    text: str, structured: Mapping[str, Any], links: Sequence[ResourceLink] = ()
) -> CallToolResult:
    """A result in all its forms: as data, as text for a model, and as links for a person."""
    content: list[ContentBlock] = [TextContent(type="text", text=text), *links]
    return CallToolResult(content=content, structured_content=dict(structured))
