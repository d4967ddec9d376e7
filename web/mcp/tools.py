"""The tools: search, read, ask, list_recent and recording. All of them only read."""

from __future__ import annotations

from contextlib import aclosing
from typing import Annotated, Literal

from mcp.server.mcpserver import Context
from mcp_types import CallToolResult
from pydantic import Field

from indexer.catalog.records import ITEM
from retriever.queries.query import MAX_OFFSET, MAX_QUERY_CHARS
from web.library.errors import LibraryError
from web.library.protocol import LibraryProtocol
from web.library.schemas.answers import AskEvent, DoneJson
from web.library.schemas.items import ItemJson, TextJson
from web.library.serializers.answers import collected_answer
from web.mcp import results
from web.mcp.access import LibraryAccess

Words = Annotated[str, Field(max_length=MAX_QUERY_CHARS, description="What to look for.")]
Kind = Annotated[
    Literal["document", "photo", "recording"] | None, Field(description="Only files of this kind.")
]
Folder = Annotated[str | None, Field(description="Only in this folder, by its absolute path.")]
After = Annotated[str | None, Field(description="Only from this day on, like 2024-03-14.")]
Before = Annotated[str | None, Field(description="Only before this day.")]
Item = Annotated[str, Field(description="The id of a file from another result, or its path.")]
Skipped = Annotated[int, Field(ge=0, le=MAX_OFFSET, description="How many to leave out at first.")]
Offset = Annotated[int, Field(ge=0, description="How many passages to leave out at the start.")]
Limit = Annotated[int, Field(ge=1, le=200, description="How many at the most.")]

# After each so many pieces of text a client that shows progress is told so, and at the first.
PROGRESS_TOKENS = 16


class Tools:
    """The tools over one library. Each raises RecollectError."""

    def __init__(self, access: LibraryAccess) -> None:
        self._access = access

    async def search(
        self,
        words: Words = "",
        kind: Kind = None,
        folder: Folder = None,
        after: After = None,
        before: Before = None,
        offset: Skipped = 0,
        limit: Limit = 10,
    ) -> results.Search:
        """Find files of the person's own documents, photos and recordings: the page, the picture or
        the second that matches, by words and by meaning. Filters may stand among the words:
        "exact words", -word, type:photo, ext:pdf, in:Folder, after:2024-03."""
        listing = await self._access.run(
            lambda library: library.search(
                words,
                kind=kind,
                folder=folder,
                after=after,
                before=before,
                offset=offset,
                limit=limit,
            )
        )
        server = self._access.server
        places = [results.found_place(server, hit, hit["snippet"]) for hit in listing["hits"]]
        lines = [
            f"{n}. {results.place_line(place)}" for n, place in enumerate(places, start=offset + 1)
        ]
        result: results.SearchResult = {
            "query": words,
            "found": places,
            "coverage": listing["coverage"],
            "problem": listing.get("problem"),
            "next_offset": listing.get("next_offset"),
        }
        text = "\n".join(lines) or "Nothing in the library matches."
        return results.tool_result(text, result, [results.resource_link(place) for place in places])

    async def ask(
        self,
        question: Annotated[str, Field(min_length=1, max_length=MAX_QUERY_CHARS)],
        context: Context,
        about: Annotated[
            list[str] | None, Field(description="Only from these files, by id or path.")
        ] = None,
        kind: Kind = None,
        folder: Folder = None,
        after: After = None,
        before: Before = None,
    ) -> results.Answer:
        """Answer a question from the person's own files. The answer is written by the model on
        their machine and cites its sources; every quote was checked against its source."""
        items = [await self._item_id(named) for named in about or ()]
        events = await self._access.answer(
            lambda library: library.ask(
                question, about=items, kind=kind, folder=folder, after=after, before=before
            )
        )
        collected: list[AskEvent] = []
        tokens = 0
        async with aclosing(events):
            async for event in events:
                if event is not None:
                    collected.append(event)
                    tokens += event["event"] == "token"
                if event is None or tokens % PROGRESS_TOKENS == 1:
                    await context.report_progress(tokens, message="The answer is being written.")
        return self._answer(collected_answer(collected))

    def _answer(self, answer: DoneJson) -> CallToolResult:
        server = self._access.server
        citations: dict[str, list[results.QuotedPlace]] = {}
        for citation in answer["citations"]:
            place = results.quoted_place(server, citation)
            citations.setdefault(str(citation["n"]), []).append(place)
        result: results.AnswerResult = {
            "answer": answer["answer"],
            "citations": citations,
            "unfounded": answer["unfounded"],
        }
        lines = [
            f"[{n}] {results.place_line(place)}"
            for n, places in citations.items()
            for place in places
        ]
        text = "\n".join([answer["answer"], *(["", *lines] if lines else [])])
        links = [results.resource_link(places[0]) for places in citations.values()]
        return results.tool_result(text, result, links)

    async def read(self, item: Item, offset: Offset = 0, limit: Limit = 40) -> results.Read:
        """Read a file of the library: the words of its pages, the caption of a photo, the
        transcript of a recording, each with its place."""
        facts, text = await self._passages(item, offset, limit)
        result = self._read_result(facts, text, offset)
        return _passages_result(result)

    async def recording(
        self, item: Item, offset: Offset = 0, limit: Limit = 40
    ) -> results.Recording:
        """What is said in a recording or a film, with the second at which each part begins."""
        facts, text = await self._passages(item, offset, limit)
        if facts["kind"] != "recording":
            raise LibraryError("kind", "This is no recording; `read` gives its words.")
        result: results.RecordingResult = {
            **self._read_result(facts, text, offset),
            "duration_s": facts["duration_s"],
        }
        return _passages_result(result)

    async def list_recent(
        self, kind: Kind = None, offset: Offset = 0, limit: Limit = 20
    ) -> results.Recent:
        """The files that were changed last, the newest first."""
        listing = await self._access.run(
            lambda library: library.files(kind=kind, offset=offset, limit=limit, order="newest")
        )
        server = self._access.server
        files = [results.recent_file(server, file) for file in listing["files"]]
        result: results.RecentResult = {"files": files, "files_in_all": listing["count"]}
        text = "\n".join(f"{file['name']} ({file['path']})" for file in files)
        return results.tool_result(text or "The library has no such file.", result)

    async def _passages(self, item: str, offset: int, limit: int) -> tuple[ItemJson, TextJson]:
        item_id = await self._item_id(item)

        def read(library: LibraryProtocol) -> tuple[ItemJson, TextJson]:
            return library.item(item_id), library.text(item_id, offset=offset, limit=limit)

        return await self._access.run(read)

    async def _item_id(self, named: str) -> str:
        if ITEM.fullmatch(named):
            return named
        return await self._access.run(lambda library: library.item_of(named))

    def _read_result(self, facts: ItemJson, text: TextJson, offset: int) -> results.ReadResult:
        server = self._access.server
        end = offset + len(text["passages"])
        return {
            "id": facts["id"],
            "title": facts["title"],
            "path": facts["path"],
            "kind": facts["kind"],
            "passages": [
                {
                    "text": passage["text"],
                    "place": passage["place"],
                    "link": results.link_of(server, facts["id"], facts["path"], passage["place"]),
                }
                for passage in text["passages"]
            ],
            "passages_in_all": text["count"],
            "next_offset": end if end < text["count"] else None,
        }


def _passages_result(result: results.ReadResult) -> CallToolResult:
    text, links = results.passages_text(result), results.passage_links(result)
    return results.tool_result(text, result, links)
