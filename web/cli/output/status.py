"""What `status` prints: how far the library is, and the model; or how far one file is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from rich.text import Text

from indexer.types.states import EMPTY, ContentState, FileState
from web.cli.output.console import out, print_json, select_keys
from web.cli.output.phrases import count_phrase, coverage_sentence
from web.cli.output.root_tables import show_roots
from web.library.display import one_line
from web.library.schemas.files import FileJson
from web.library.schemas.status import ModelJson, StatusJson

STATUS_KEYS = ("roots", "coverage", "states", "failed", "partial", "queue", "model")
MODEL_KEYS = ("name", "device", "dtype", "resident_bytes", "calls", "loaded", "problem",
              "engine", "remote_hosts", "limits")  # fmt: skip
STATES: dict[str, str] = {
    FileState.PENDING: "waiting to be read",
    FileState.READING: "being read",
    ContentState.READ: "found by its words, waiting to be understood",
    ContentState.UNDERSTANDING: "found by its words, being understood",
    ContentState.UNDERSTOOD: "read and understood",
    FileState.FAILED: "could not be read",
    EMPTY: "empty, nothing to read",
    FileState.SKIPPED: "no kind of file that is read",
    FileState.MISSING: "missing, hidden and kept",
    FileState.OFFLINE: "its folder is not there; kept",
}


def show_status(status: StatusJson, as_json: bool) -> None:
    if as_json:
        plain = select_keys(cast("Mapping[str, Any]", status), STATUS_KEYS)
        model_json = {key: plain["model"][key] for key in MODEL_KEYS if key in plain["model"]}
        print_json({**plain, "model": model_json})
        return
    show_roots(status["roots"], False)
    out.print(coverage_sentence(status["coverage"]))
    if status["queue"]:
        out.print(f"{status['queue']:,} waiting.")
    show_waiting(status)
    for folder in status["watching"]["unwatched"] if "watching" in status else ():
        out.print(Text(one_line(folder["sentence"]), style="yellow"))
    model = status["model"]
    location = f" on {model['device']} ({model['dtype']})" if model["resident_bytes"] else ""
    location = location or (", which cannot be used" if "problem" in model else ", not loaded now")
    if "engine" in model:
        location = f", served by {model['engine']}"
        location += ", which cannot be used" if "problem" in model else ""
    out.print(f"Model: {model['name']}{location}.")
    for sentence in model_sentences(model):
        out.print(Text(sentence, style="yellow"))
    if "problem" in model:
        out.print(f"{one_line(model['problem'])} Words are found without it.")
    show_demonstration(status)
    for failure in status["failed"]:
        out.print(f"Could not be read: {one_line(failure['path'])}: {failure['sentence']}")
    if status["partial"]:
        verb = "was" if status["partial"] == 1 else "were"
        files = count_phrase(status["partial"], "file")
        out.print(f"{files} {verb} read in part; `recollect status --partial` says of which what.")


def show_demonstration(status: StatusJson) -> None:
    """What to do about it, where the model in use is the demonstration's."""
    if status["model"].get("demonstration"):
        out.print(
            "pocket is the demonstration model and understands the demonstration library only; "
            "words find every file. `recollect model pull` brings the real one, a Gemma 4 12B, to "
            "this machine."
        )


def show_waiting(status: StatusJson) -> None:
    """What the background work waits for, where it does."""
    for sentence in (status.get("waiting"), status.get("problem")):
        if sentence:
            out.print(Text(sentence, style="yellow"))


def model_sentences(model: ModelJson) -> list[str]:
    """What a person must know of a model that another program serves."""
    hosts = model.get("remote_hosts")
    going = [f"Questions, and the files they are about, go to {', '.join(hosts)}."] if hosts else []
    return [*going, *model.get("limits", ())]


def show_file(file: FileJson, as_json: bool) -> None:
    if as_json:
        print_json(file)
        return
    state = STATES.get(file["state"], file["state"])
    if file["sentence"]:
        state += f": {one_line(file['sentence'])}"
    if file["attempts"] > 1:
        state += f" ({file['attempts']} attempts)"
    out.print(Text(f"{one_line(file['path'])}: {state}"))
    for note in file["notes"]:
        out.print(Text(f"  {one_line(note['sentence'])}", style="yellow"))


def show_files(files: Sequence[FileJson], as_json: bool) -> None:
    if as_json:
        print_json(list(files))
        return
    for file in files:
        show_file(file, False)
