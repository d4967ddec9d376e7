"""A conversation as a file: its questions, its answers and their quotes, as Markdown."""

from __future__ import annotations

from datetime import datetime

from indexer.types.places import PlaceJson
from web.library.schemas.answers import CitationJson
from web.library.schemas.conversations import ConversationJson, TurnJson
from web.library.serializers.recording_files import plain


def conversation_file(conversation: ConversationJson) -> str:
    """The whole file. An answer is Markdown as the model wrote it; all else is shown letter by
    letter."""
    began = datetime.fromtimestamp(conversation["began_at"])
    lines = [f"# {plain(conversation['title'])}", "", f"{began:%Y-%m-%d %H:%M}", ""]
    for turn in conversation["turns"]:
        lines += _turn_lines(turn)
    return "\n".join(lines).rstrip() + "\n"


def _turn_lines(turn: TurnJson) -> list[str]:
    lines = [f"## {plain(turn['question'])}", ""]
    if turn["about"]:
        titles = ", ".join(plain(subject["title"]) for subject in turn["about"])
        lines += [f"About {titles}", ""]
    if turn["text"]:
        lines += [turn["text"].strip(), ""]
    if turn["problem"] is not None:
        lines += [f"*{plain(turn['problem']['sentence'])}*", ""]
    elif turn["state"] == "stopped":
        lines += ["*Stopped.*", ""]
    citations = dict.fromkeys(map(_citation_line, turn["citations"]))
    return [*lines, *citations, ""] if citations else lines


def _citation_line(citation: CitationJson) -> str:
    place = _place_phrase(citation["place"])
    mentions = "" if citation["supports"] else " (mentions it only)"
    location = plain(citation["title"]) + (f", {place}" if place else "")
    return (
        f"- \\[{citation['n']}\\] **{location}**{mentions}: “{plain(citation['quote'])}”  \n"
        f"  {plain(citation['path'])}"
    )


def _place_phrase(place: PlaceJson | None) -> str:
    if place is None:
        return ""
    if "page" in place:
        return f"page {place['page']}"
    start_s = int(place["start_s"])
    return f"{start_s // 60}:{start_s % 60:02}"
