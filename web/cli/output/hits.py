"""What `search` and `ask` print: hits, and an answer with its citations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast, get_type_hints

from rich.text import Text

from web.cli.output.console import err, out, print_json, select_keys
from web.cli.output.phrases import (
    coverage_sentence,
    file_location,
    place_suffix,
    quoted_from,
)
from web.library.display import one_line
from web.library.errors import LibraryError
from web.library.schemas.answers import (
    AskEvent,
    CitationJson,
    ConversationNameJson,
    DoneJson,
    ProblemJson,
    TokenJson,
)
from web.library.schemas.search import HitCoreJson, SearchJson


def show_search(result: SearchJson, as_json: bool) -> None:
    if as_json:
        core = get_type_hints(HitCoreJson)
        print_json({**result, "hits": [select_keys(hit, core) for hit in result["hits"]]})
        return
    for typed in result["understood"]:
        if typed["problem"] is not None:
            err.print(Text(f"Left out: {typed['problem']}", style="bold"))
    if labels := [typed["label"] for typed in result["understood"] if not typed["problem"]]:
        err.print(Text(f"Only {', '.join(map(one_line, labels))}.", style="dim"))
    for hit in result["hits"]:
        heading = Text(f"{hit['rank']:>3}  ")
        heading.append(one_line(hit["title"]), style="bold")
        heading.append(f"  {hit['kind']}{place_suffix(hit['place'])}", style="cyan")
        if hit["found_by"] == ["meaning"]:
            heading.append("  found by meaning", style="dim")
        out.print(heading)
        out.print(_highlighted(hit["snippet"], hit["marks"]))
        out.print(Text("     " + file_location(hit["attached_to"], hit["path"]), style="dim"))
        for copy in hit["also_in"]:
            out.print(Text(f"     also in {one_line(copy['path'])}", style="dim"))
    if "next_offset" in result:
        err.print(Text(f"More: --offset {result['next_offset']}", style="dim"))
    if not result["hits"]:
        err.print(f"Nothing matches “{one_line(result['query'])}”.")
    if "problem" in result:
        err.print(Text(result["problem"], style="bold"))
    err.print(Text(coverage_sentence(result["coverage"]), style="dim"))


def _highlighted(snippet: str, marks: Sequence[tuple[int, int]]) -> Text:
    text = Text("     " + snippet.translate({10: " ", 13: " "}))
    for start, end in marks:
        text.stylize("bold yellow", start + 5, end + 5)
    return text


def show_answer(events: Iterator[AskEvent], as_json: bool) -> bool:
    """Prints the answer as it comes; whether anything was cited."""
    citations: list[CitationJson] = []
    name: ConversationNameJson | None = None
    for event in events:
        data = event["data"]
        match event["event"]:
            case "conversation":
                name = cast(ConversationNameJson, data)
            case "token" if not as_json:
                out.print(Text(cast(TokenJson, data)["text"]), end="")
            case "citation":
                citations.append(cast(CitationJson, data))
            case "error":
                if not as_json:
                    out.print()
                problem = cast(ProblemJson, data)
                raise LibraryError(problem["code"], problem["sentence"])
            case "done":
                _show_end(cast(DoneJson, data), name, as_json)
    return bool(citations)


def _show_end(done: DoneJson, name: ConversationNameJson | None, as_json: bool) -> None:
    if as_json:
        keys = ("question", "answer", "citations", "coverage", "speed")
        kept = {"conversation": name} if name else {}
        print_json(select_keys(cast("Mapping[str, Any]", done), keys) | kept)
        return
    out.print("\n")
    shown: set[tuple[int, str]] = set()
    for citation in done["citations"]:
        if (citation["n"], citation["quote"]) in shown:
            continue
        shown.add((citation["n"], citation["quote"]))
        line = Text(f"[{citation['n']}] ", style="cyan")
        mail = citation["attached_to"]
        title = f"{one_line(citation['title'])}, " if mail else ""
        location = file_location(mail, citation["path"]) + place_suffix(citation["place"])
        line.append(title + location, style="default")
        line.append(f"  {quoted_from(citation)}", style="dim" if citation["supports"] else "yellow")
        out.print(line)
        out.print(Text(f"    “{one_line(citation['quote'])}”", style="italic"))
    if done["unfounded"]:
        verb = "stands" if len(done["unfounded"]) == 1 else "stand"
        figures = ", ".join(done["unfounded"])
        err.print(f"Check before you believe it: {figures} {verb} in none of the sources.")
    if any(not citation["supports"] for citation in done["citations"]):
        err.print("A quote that only mentions it proves nothing: read it before you believe it.")
    if done["left_out"]:
        err.print(f"{done['left_out']} quotes were left out because they could not be confirmed.")
    err.print(Text(coverage_sentence(done["coverage"]), style="dim"))
    if name is not None:
        err.print(Text(f"Go on with --conversation {name['id']}.", style="dim"))
