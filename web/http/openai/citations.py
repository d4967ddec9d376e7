"""Citations for clients of OpenAI's API: as annotations of the text, and as a list behind it for
clients that show none."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from model.answer_format import mark
from web.library.display import one_line
from web.library.schemas.answers import CitationJson
from web.library.serializers.links import item_link, place_title

_ROUND = str.maketrans("[]", "()")
_HEADING = "\n\nSources:\n"


def annotation(citation: CitationJson, text: str, server: str) -> dict[str, Any]:
    """One citation of the text so far: from where to where its mark stands, what it names, and what
    opens that place; besides, the quote, and whether it can prove what it is cited for."""
    marker = mark(citation["n"])
    start = max(0, text.rfind(marker))
    end = start + len(marker) if marker in text else len(text)
    return {
        "start_index": start,
        "end_index": end,
        "title": place_title(citation["title"], citation["place"]),
        "url": item_link(server, citation["id"], citation["place"]),
        "quote": citation["quote"],
        "supports": citation["supports"],
        "item": citation["id"],
    }


def source_list(citations: Sequence[CitationJson], server: str) -> str:
    """The places cited, one a line in Markdown, each quote once; empty where nothing is cited."""
    lines: dict[str, None] = {}
    for citation in sorted(citations, key=lambda each: each["n"]):
        link = item_link(server, citation["id"], citation["place"])
        label = _unformatted(place_title(citation["title"], citation["place"])).translate(
            str.maketrans("[]", "()")
        )
        quote = _unformatted(citation["quote"])
        says = "" if citation["supports"] else " mentions"
        lines[f"- {mark(citation['n'])} [{label}]({link}){says}: “{quote}”"] = None
    return _HEADING + "\n".join(lines) if lines else ""


def without_source_list(answer: str) -> str:
    """An earlier answer as it was written, when a client sends it back."""
    return answer.rpartition(_HEADING)[0] if _HEADING in answer else answer


def _unformatted(words: str) -> str:
    """Words of a document on one line, in which Markdown finds no link, no picture and no HTML: a
    client would fetch what a document names."""
    return (
        one_line(" ".join(words.split())).replace("](", "] (").replace("<", "‹").replace(">", "›")
    )
