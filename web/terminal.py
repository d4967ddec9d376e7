"""What the command line prints: one function for each verb, text for people or JSON.

`--json` writes the shapes of the API exactly, without what only a browser needs. Output to a pipe
is plain; names are printed with control characters escaped.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, cast, get_type_hints

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.text import Text

from indexer.passages import PlaceJson
from retriever.answer import clock
from web.display import one_line
from web.shapes import (
    AskEvent,
    CitationJson,
    CoverageJson,
    DoneJson,
    FileJson,
    ForgottenJson,
    HitCoreJson,
    IndexJson,
    ProblemJson,
    RootJson,
    SearchJson,
    StatusJson,
    TokenJson,
    VerdictJson,
)

_out = Console(highlight=False, soft_wrap=True)
_err = Console(stderr=True, highlight=False, soft_wrap=True)

STATUS_KEYS = ("roots", "coverage", "states", "failed", "queue", "model")
MODEL_KEYS = ("name", "device", "dtype", "resident_bytes", "calls", "loaded", "problem")


def print_json(value: object) -> None:
    json.dump(value, sys.stdout, ensure_ascii=False, indent=2)
    sys.stdout.write("\n")


def _only(value: Mapping[str, Any], keys: Iterable[str]) -> dict[str, Any]:
    return {key: value[key] for key in keys}


# --- search


def show_search(found: SearchJson, as_json: bool) -> None:
    if as_json:
        core = get_type_hints(HitCoreJson)
        print_json({**found, "hits": [_only(hit, core) for hit in found["hits"]]})
        return
    for hit in found["hits"]:
        head = Text(f"{hit['rank']:>3}  ")
        head.append(one_line(hit["title"]), style="bold")
        head.append(f"  {hit['kind']}{_comma(hit['place'])}", style="cyan")
        if hit["found_by"] == ["meaning"]:
            head.append("  found by meaning", style="dim")
        _out.print(head)
        _out.print(_marked(hit["snippet"], hit["marks"]))
        _out.print(Text("     " + one_line(hit["path"]), style="dim"))
    if not found["hits"]:
        _err.print(f"Nothing matches “{one_line(found['query'])}”.")
    if "problem" in found:
        _err.print(Text(found["problem"], style="bold"))
    _err.print(Text(covered(found["coverage"]), style="dim"))


def _marked(snippet: str, marks: Sequence[tuple[int, int]]) -> Text:
    text = Text("     " + snippet.translate({10: " ", 13: " "}))
    for start, end in marks:
        text.stylize("bold yellow", start + 5, end + 5)
    return text


def _comma(place: PlaceJson | None) -> str:
    where = place_words(place)
    return f", {where}" if where else ""


def place_words(place: PlaceJson | None) -> str:
    if place is None:
        return ""
    if "page" in place:
        number, label = str(place["page"]), one_line(place.get("label", ""))
        if not label:
            return f"page {number}"
        return label if label.endswith(f" {number}") else f"page {number} ({label})"
    start, end = clock(place["start_s"]), clock(place["end_s"])
    return start if start == end else f"{start} to {end}"


def covered(coverage: CoverageJson) -> str:
    """How much of the library a result covers, in words."""
    files, read = coverage["files"], coverage["read"]
    understood, failed = coverage["understood"], coverage["failed"]
    if not files:
        return "The library is empty; `recollect add FOLDER` watches a folder."
    if understood == files:
        said = f"Searched all {files:,} files."
    else:
        said = f"Words of {read:,} of {files:,} files, meaning of {understood:,}."
    if failed:
        said += f" {failed:,} could not be read: `recollect status` says why."
    return said


# --- ask


def show_answer(events: Iterator[AskEvent], as_json: bool) -> bool:
    """Prints the answer as it comes; whether anything was cited."""
    citations: list[CitationJson] = []
    for event in events:
        data = event["data"]
        match event["event"]:
            case "token" if not as_json:
                _out.print(Text(cast(TokenJson, data)["text"]), end="")
            case "citation":
                citations.append(cast(CitationJson, data))
            case "error":
                if not as_json:
                    _out.print()
                from web.problems import LibraryProblem

                problem = cast(ProblemJson, data)
                raise LibraryProblem(problem["code"], problem["sentence"])
            case "done":
                _end(cast(DoneJson, data), as_json)
    return bool(citations)


def _end(done: DoneJson, as_json: bool) -> None:
    if as_json:
        keys = ("question", "answer", "citations", "coverage", "speed")
        print_json(_only(cast("Mapping[str, Any]", done), keys))
        return
    _out.print("\n")
    seen: set[tuple[int, str]] = set()
    for citation in done["citations"]:
        if (citation["n"], citation["quote"]) in seen:
            continue
        seen.add((citation["n"], citation["quote"]))
        line = Text(f"[{citation['n']}] ", style="cyan")
        line.append(f"{one_line(citation['path'])}{_comma(citation['place'])}", style="default")
        _out.print(line)
        _out.print(Text(f"    “{one_line(citation['quote'])}”", style="italic"))
    if done["unfounded"]:
        stand = "stands" if len(done["unfounded"]) == 1 else "stand"
        figures = ", ".join(done["unfounded"])
        _err.print(f"Check before you believe it: {figures} {stand} in none of the sources.")
    if done["left_out"]:
        _err.print(f"{done['left_out']} quotes were left out because they could not be confirmed.")
    _err.print(Text(covered(done["coverage"]), style="dim"))


# --- status, folders, index


def show_status(status: StatusJson, as_json: bool) -> None:
    if as_json:
        plain = _only(cast("Mapping[str, Any]", status), STATUS_KEYS)
        model_json = {key: plain["model"][key] for key in MODEL_KEYS if key in plain["model"]}
        print_json({**plain, "model": model_json})
        return
    show_roots(status["roots"], False)
    _out.print(covered(status["coverage"]))
    if status["queue"]:
        _out.print(f"{status['queue']:,} waiting.")
    for said in (status.get("waiting"), status.get("problem")):
        if said:
            _out.print(Text(said, style="yellow"))
    for folder in status["watching"]["unwatched"] if "watching" in status else ():
        _out.print(Text(one_line(folder["sentence"]), style="yellow"))
    model = status["model"]
    where = f" on {model['device']} ({model['dtype']})" if model["resident_bytes"] else ""
    where = where or (", which cannot be used" if "problem" in model else ", not loaded now")
    _out.print(f"Model: {model['name']}{where}.")
    if "problem" in model:
        _out.print(f"{one_line(model['problem'])} Words are found without it.")
    if model.get("demonstration"):
        _out.print(
            "It is the demonstration model and understands the demonstration library only; "
            "words find every file. `recollect model pull` brings the real one, a Gemma 4 12B, to "
            "this machine."
        )
    for failure in status["failed"]:
        _out.print(f"Could not be read: {one_line(failure['path'])}: {failure['sentence']}")


STATES = {
    "pending": "waiting to be read",
    "reading": "being read",
    "read": "found by its words, waiting to be understood",
    "understanding": "found by its words, being understood",
    "understood": "read and understood",
    "failed": "could not be read",
    "skipped": "no kind of file that is read",
    "missing": "missing, hidden and kept",
    "offline": "its folder is not there; kept",
}


def show_file(file: FileJson, as_json: bool) -> None:
    if as_json:
        print_json(file)
        return
    said = STATES.get(file["state"], file["state"])
    if file["sentence"]:
        said += f": {one_line(file['sentence'])}"
    if file["attempts"] > 1:
        said += f" ({file['attempts']} attempts)"
    _out.print(Text(f"{one_line(file['path'])}: {said}"))


def show_roots(roots: Sequence[RootJson], as_json: bool) -> None:
    if as_json:
        print_json(list(roots))
        return
    if not roots:
        _out.print("No folder is watched yet; `recollect add FOLDER` watches one.")
    for root in roots:
        far = f", on a network ({root['network']})" if root["network"] else ""
        _out.print(f"{one_line(root['path'])}  {root['files']:,} files{far}")
        show_missing([root])


def show_missing(roots: Sequence[RootJson]) -> None:
    """The folders that files are missing from, or that are missing themselves."""
    for root in roots:
        if root["sentence"]:
            said = one_line(root["sentence"])
            cure = " `recollect accept` does that." if root["acceptable"] else ""
            _out.print(Text(f"  {said}{cure}", style="yellow"))


def show_index(done: IndexJson, as_json: bool) -> None:
    if as_json:
        print_json(done)
        return
    _out.print(
        f"{done['added']:,} added, {done['changed']:,} changed, {done['moved']:,} moved, "
        f"{done['gone']:,} gone; {done['took_s']:,.1f} s, {done['model_calls']:,} model calls."
    )
    _out.print(covered(done["coverage"]))


def show_forgotten(done: ForgottenJson, as_json: bool) -> None:
    if as_json:
        print_json(done)
        return
    for path in done["forgotten"]:
        _out.print(Text(f"Forgotten: {one_line(path)}"))
    _out.print(
        "Not a byte of it is left in the data directory."
        if done["erased"]
        else "It is gone from search, and its last byte leaves the data directory within an hour."
    )
    _out.print("The file was not touched, and is not read again; `recollect remember` undoes that.")


def show_verdict(verdict: VerdictJson, as_json: bool) -> None:
    if as_json:
        print_json(verdict)
        return
    for fault in verdict["faults"]:
        mark = Text("mended ", style="green") if fault["mended"] else Text("wrong  ", style="red")
        _out.print(mark + Text(one_line(fault["sentence"]), style="default"))
    said = f"{verdict['passages']:,} passages and {verdict['vectors']:,} vectors"
    if verdict["files"]:
        said += f", and {verdict['files']:,} files against what was read of them,"
    _out.print(f"Checked {said} in {verdict['took_s']:,.1f} s.")
    if not verdict["faults"]:
        _out.print("The index is whole: catalog, tables and checksums agree.")
    elif not verdict["sound"]:
        _out.print("`recollect verify --repair` makes good what it can; your files are untouched.")
    if verdict["again"]:
        _out.print(
            f"{verdict['again']:,} are read or understood again, by a running server now, else by "
            "`recollect index`."
        )


@contextmanager
def progress(quiet: bool) -> Iterator[Callable[[StatusJson], None] | None]:
    """Two bars, read and understood, on a terminal; nothing to a pipe."""
    if quiet or not _err.is_terminal:
        yield None
        return
    columns = TextColumn("{task.description:>12}"), BarColumn(), TextColumn("{task.fields[said]}")
    with Progress(*columns, console=_err, transient=True) as bars:
        tasks = {key: bars.add_task(key, said="") for key in ("read", "understood")}

        def tell(status: StatusJson) -> None:
            coverage = status["coverage"]
            for key, done in (
                ("read", coverage["read"]),
                ("understood", coverage["understood"]),
            ):
                done = min(done + coverage["failed"], coverage["files"])
                said = f"{done:,} of {coverage['files']:,}"
                bars.update(tasks[key], total=coverage["files"], completed=done, said=said)

        yield tell


@contextmanager
def arriving() -> Iterator[Callable[[str, int, int], None]]:
    """How much of a model has arrived: a bar on a terminal, a line for each file elsewhere."""
    if not _err.is_terminal:
        seen: set[str] = set()

        def line(file: str, done: int, total: int) -> None:
            if file not in seen:
                seen.add(file)
                _err.print(f"{file}, {done / 1e6:,.0f} of {total / 1e6:,.0f} MB so far")

        yield line
        return
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(),
               TransferSpeedColumn(), TimeRemainingColumn())  # fmt: skip
    with Progress(*columns, console=_err, transient=True) as bars:
        task = bars.add_task("", total=None)

        def tell(file: str, done: int, total: int) -> None:
            bars.update(task, description=file, completed=done, total=total)

        yield tell


# --- doctor and models


def show_findings(findings: Sequence[Mapping[str, Any]], as_json: bool) -> bool:
    """Prints what was found; whether all is well."""
    if as_json:
        print_json(list(findings))
    for finding in () if as_json else findings:
        mark = Text("ok    ", style="green") if finding["ok"] else Text("wrong ", style="bold red")
        _out.print(mark + Text(f"{finding['what']}: {finding['said']}", style="default"))
        for what, count in finding.get("table", ()):
            _out.print(Text(f"        {count / 1e9:8.3f} GB  {what}", style="default"))
    return all(finding["ok"] for finding in findings)


def show_models(models: Sequence[Mapping[str, Any]], as_json: bool) -> None:
    if as_json:
        print_json(list(models))
        return
    for model in models:
        mark = "*" if model["in_use"] else " "
        size = f"{model['size_bytes'] / 1e6:,.0f} MB"
        here = "on this machine" if model["present"] else "not on this machine"
        what = ", the demonstration model" if model["demonstration"] else ""
        if model["present"] and not model["drafter"]:
            what += ", without a drafter"
        _out.print(f"{mark} {model['name']}  {size}, {here}{what}")
    _out.print("`recollect model pull` brings the 4-bit Gemma 4 12B here, `use` puts one to use.")
    _out.print("Any directory with a Gemma 4 Unified checkpoint works: --model DIRECTORY.")
