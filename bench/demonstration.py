"""The demonstration's own questions and searches: how often a newcomer is told and shown right."""

from __future__ import annotations

import json
import tempfile
from contextlib import closing
from pathlib import Path
from typing import Any

from bench.prompts import POCKET
from bench.report import Report, Row
from model.answer_format import REFUSAL
from recollect import build
from web.library.library import Library
from web.machine.demonstration import copy_demonstration
from web.machine.settings import Settings

# Nothing of the demonstration bears on these; what they find stands in the way.
ELSEWHERE = ("zzzz", "tax return 2019", "quantum gravity")


def run(quick: bool) -> Report:
    listed = json.loads((POCKET / "demonstration.json").read_text(encoding="utf-8"))
    part = 4 if quick else 1
    questions, searches = listed["questions"][::part], listed["searches"][::part]
    with tempfile.TemporaryDirectory() as base:
        folder = Path(base) / "library"
        copy_demonstration(folder)
        library = build(Settings(data=Path(base) / "data", model="pocket"))
        with closing(library):
            library.add(str(folder))
            library.index()
            answers = [_answer(library, entry["question"]) for entry in questions]
            refused = sum(REFUSAL in _answer(library, entry)[0] for entry in listed["absent"])
            places = [_place(library, entry["query"], entry["path"]) for entry in searches]
            strays = sum(len(library.search(entry)["hits"]) for entry in ELSEWHERE)
    answered = list(zip(questions, answers, strict=True))
    cited = sum(
        any(path.endswith(entry["path"]) for path in paths) for entry, (_, paths) in answered
    )
    right = sum(entry["value"] in text for entry, (text, _) in answered)
    rows = [
        Row("cited", "questions that cite the file which holds the answer, of all", cited, "",
            len(questions), 0.9),
        Row("value", "questions with the right value, of all", right, "", len(questions), 0.7),
        Row("refused", "questions without an answer that are refused, of all", refused, "",
            len(listed["absent"])),
        Row("first", "searches that show the file meant first, of all",
            sum(place == 0 for place in places), "", len(searches)),
        Row("in_five", "searches that show it among the first five, of all",
            sum(place is not None and place < 5 for place in places), "", len(searches), 0.9),
        Row("strays", f"files found for {len(ELSEWHERE)} searches for what is not there", strays,
            "files"),
    ]  # fmt: skip
    return Report("demonstration", rows, seeds=[])


def _answer(library: Library, question: str) -> tuple[str, list[str]]:
    """The text of an answer, and the paths of the files it cites."""
    text, sources, cited = "", dict[int, str](), set[int]()
    for event in library.ask(question):
        data: Any = event["data"]
        match event["event"]:
            case "source":
                sources[data["n"]] = data["path"]
            case "token":
                text += data["text"]
            case "citation":
                cited.add(data["n"])
    return text, [sources[n] for n in cited]


def _place(library: Library, query: str, path: str) -> int | None:
    """At which place of the hits a file stands, from 0."""
    hits = library.search(query)["hits"]
    return next((at for at, hit in enumerate(hits) if hit["path"].endswith(path)), None)
