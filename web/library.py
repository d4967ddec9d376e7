"""One library as people meet it: every verb of the command line and of the API, in its JSON.

This is the only place where the shapes of `web/shapes.py` are made. The command line and the HTTP
server both call it; neither knows what lies below.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Literal

from indexer.catalog import Catalog, FileRow, Item
from indexer.excludes import described_files, described_folders
from indexer.extract import Unreadable, sniff
from indexer.extract.child import Reader
from indexer.keeper import Keeper
from indexer.mounts import network_places
from indexer.passages import Kind, Span
from indexer.pipeline import Pipeline
from indexer.store import Store
from model.interface import Exchange, Image, ModelProblem, Piece, Sound, Text
from model.runtime import Busy, Runtime
from retriever.answer import Answered, Answerer, Citation, NumberedSource
from retriever.query import Query, QueryProblem, parse_day, parse_kind
from retriever.search import Hit, Searcher
from web.bell import Bell
from web.custody import Custody
from web.display import shown
from web.findings import citation_json, hit_json, source_json
from web.items import Items
from web.problems import LibraryProblem
from web.shapes import (
    AskEvent,
    CoverageJson,
    ExcludesJson,
    FileJson,
    FilesJson,
    ForgottenJson,
    IndexJson,
    ModelJson,
    ProgressJson,
    RootJson,
    SearchJson,
    StatusJson,
    VerdictJson,
    WatchingJson,
)

# The model hears at most this much of a sound at once.
EXAMPLE_S = 15.0
MOST_UNWATCHED = 20


class Library:
    """Searches, answers and tells of one data directory; `keeper` keeps it up to date."""

    def __init__(
        self,
        catalog: Catalog,
        store: Store,
        runtime: Runtime,
        pipeline: Pipeline,
        keeper: Keeper,
        reader: Reader,
        bell: Bell,
    ) -> None:
        self.items = Items(catalog, store, reader, keeper.want, keeper.lookout.is_there)
        self.keeper = keeper
        self.custody = Custody(catalog, store, pipeline, keeper)
        self._catalog = catalog
        self._runtime = runtime
        self._pipeline = pipeline
        self._reader = reader
        self._bell = bell
        self._searcher = Searcher(catalog, store, runtime.people, keeper.lookout.is_there)
        self._answerer = Answerer(self._searcher, runtime.people, reader.original)

    def close(self) -> None:
        """Ends background work and children; what was unfinished is taken up next time."""
        self._runtime.close()  # first: the keeper may be waiting for the model
        self.keeper.stop()
        self._pipeline.close()
        self._reader.close()
        self._catalog.close()

    def warm(self) -> None:
        """Loads the model in the background, so that the first search need not wait for it."""

        def load() -> None:
            with suppress(ModelProblem, Busy):  # said to whoever needs the model
                self._runtime.people.embed([Text("ready")], role="query")

        threading.Thread(target=load, name="warming", daemon=True).start()

    # --- find and ask

    def search(
        self,
        words: str,
        *,
        kind: str | None = None,
        folder: str | None = None,
        after: str | None = None,
        before: str | None = None,
        limit: int = 20,
        by: Literal["words", "all"] = "all",
        like: Path | None = None,
    ) -> SearchJson:
        """The files that match, best first. Dates are ISO days, `before` not included; `like` is
        a file with an example picture or sound, which need not be in the library. Where the model
        cannot be used, words alone are searched, and `problem` says so."""
        began = time.perf_counter()
        try:
            query = Query(
                words=words,
                like=self._example(like) if like else None,
                kinds=parse_kind(kind),
                folder=Path(folder).absolute() if folder else None,
                after=parse_day(after),
                before=parse_day(before),
                limit=limit,
                by=by,
            )
            hits, without = self._found(query)
        except QueryProblem as problem:
            raise LibraryProblem("query", str(problem)) from problem
        except (ModelProblem, Busy) as problem:
            raise _model_problem(problem) from problem
        # what is shown to a person is understood next
        self.keeper.want(hit.item.item for hit in hits if hit.item.state == "read")
        found: SearchJson = {
            "query": words,
            "hits": [hit_json(rank, hit, self._catalog) for rank, hit in enumerate(hits, start=1)],
            "coverage": self._coverage(query),
            "took_ms": round((time.perf_counter() - began) * 1000, 1),
        }
        return {**found, "problem": without} if without else found

    def _found(self, query: Query) -> tuple[list[Hit], str | None]:
        """The hits, and why the model had no part in them where it should have had one."""
        if query.by == "words":
            return self._searcher.search(query), None
        try:
            with self._runtime.attended():
                return self._searcher.search(query), None
        except ModelProblem as problem:
            if query.like is not None:
                raise
            without = f"Only words were searched, not meaning. {problem}"
        return self._searcher.search(replace(query, by="words")), without

    def ask(
        self,
        question: str,
        *,
        about: str | None = None,
        history: Sequence[Exchange] = (),
        cancelled: Callable[[], bool] = lambda: False,
    ) -> Iterator[AskEvent]:
        """The events of one answer, as it is written; ends in `done` or `error`."""
        with self._runtime.attended():
            yield from self._told(question, about, history, cancelled)

    def _told(
        self,
        question: str,
        about: str | None,
        history: Sequence[Exchange],
        cancelled: Callable[[], bool],
    ) -> Iterator[AskEvent]:
        try:
            for part in self._answerer.answer(
                question, about=about, history=history, cancelled=cancelled
            ):
                match part:
                    case NumberedSource():
                        yield {
                            "event": "source",
                            "data": source_json(part, question, self._catalog),
                        }
                    case Piece(text):
                        yield {"event": "token", "data": {"text": text}}
                    case Citation():
                        yield {"event": "citation", "data": citation_json(part, self._catalog)}
                    case Answered():
                        yield self._done(question, part)
        except QueryProblem as problem:
            yield {"event": "error", "data": {"code": "query", "sentence": str(problem)}}
        except (ModelProblem, Busy) as problem:
            wrong = _model_problem(problem)
            yield {"event": "error", "data": {"code": wrong.code, "sentence": wrong.sentence}}

    def _done(self, question: str, answered: Answered) -> AskEvent:
        finished = answered.finished
        return {
            "event": "done",
            "data": {
                "question": question,
                "answer": answered.text,
                "citations": [citation_json(one, self._catalog) for one in answered.citations],
                "coverage": self._catalog.coverage(),
                "speed": {
                    "first_token_ms": round(finished.first_token_ms, 1),
                    "tokens": finished.tokens,
                    "tokens_per_s": round(finished.tokens_per_s, 1),
                    "draft_acceptance": finished.draft_acceptance,
                },
                "reason": finished.reason,
                "left_out": answered.left_out,
                "unfounded": list(answered.unfounded),
            },
        }

    def _coverage(self, query: Query) -> CoverageJson:
        return self._catalog.coverage(query.kinds, query.folder)

    # --- what there is

    def status(self) -> StatusJson:
        progress: dict[str, ProgressJson] = {
            kind: self._catalog.coverage(frozenset({kind})) for kind in Kind
        }
        return {
            "roots": self.roots(),
            "coverage": self._catalog.coverage(),
            "states": self._catalog.states(),
            "failed": [
                {
                    "path": shown(failure.path),
                    "reason": failure.reason,
                    "sentence": failure.sentence,
                    "attempts": failure.attempts,
                }
                for failure in self._catalog.failed()
            ],
            "queue": self._catalog.queue(),
            "model": self.model(),
            "progress": progress,
            "eta_s": self.keeper.eta_s(),
            "waiting": self.keeper.waiting,
            "problem": self.keeper.problem,
            "watching": self._watching(),
        }

    def _watching(self) -> WatchingJson:
        lookout = self.keeper.lookout
        unwatched = lookout.unwatched[:MOST_UNWATCHED]
        return {
            "rescanned_at": lookout.rescanned_at,
            "unwatched": [
                {"path": shown(o.path), "sentence": shown(o.sentence)} for o in unwatched
            ],
            "restarts": lookout.restarts,
        }

    def model(self) -> ModelJson:
        card = self._runtime.card
        told: ModelJson = {
            "name": card.name,
            "device": card.device,
            "dtype": card.dtype,
            "resident_bytes": card.resident_bytes,
            "calls": self._runtime.calls,
            "demonstration": card.demonstration,
            "reason": card.reason,
            "drafter": card.drafter,
            "loaded": self._runtime.loaded,
        }
        problem = self._runtime.problem
        return {**told, "problem": problem} if problem else told

    def files(
        self,
        state: str | None = None,
        kind: str | None = None,
        offset: int = 0,
        limit: int = 100,
    ) -> FilesJson:
        one_kind = next(iter(parse_kind(kind) or ()), None)
        rows = self._catalog.files(state, one_kind, offset, limit)
        return {
            "count": self._catalog.file_count(state, one_kind),
            "files": [_file_json(row) for row in rows],
        }

    def file(self, file: str) -> FileJson:
        """How far one file has come, by its path."""
        path = Path(file).expanduser().absolute()
        row = self._catalog.file_at(path)
        if row is None:
            raise LibraryProblem(
                "file", f"{shown(path)} is not in the library; add its folder first."
            )
        return _file_json(row)

    def excludes(self) -> ExcludesJson:
        """What is never read unless its name is changed."""
        return {"folders": described_folders(), "files": described_files()}

    # --- folders

    def roots(self) -> list[RootJson]:
        known = self._catalog.roots()
        network = network_places(root.path for root in known)
        return [
            {
                "path": shown(root.path),
                "files": root.files,
                "offline": root.offline,
                "missing": root.missing,
                "acceptable": root.acceptable,
                "network": network.get(root.path),
                "sentence": shown(root.sentence) if root.sentence else None,
            }
            for root in known
        ]

    def add(self, folder: str) -> list[RootJson]:
        path = Path(folder).expanduser().absolute()
        if not path.is_dir():
            raise LibraryProblem("folder", f"There is no folder {shown(path)}; check the name.")
        self._catalog.add_root(path)
        self.keeper.poke()
        return self.roots()

    def remove(self, folder: str) -> int:
        """Forget a folder; how many files were forgotten. The files are not touched. No byte of
        them is left in the data directory when this returns, or else within the hour."""
        path = Path(folder).expanduser().absolute()
        known = [root for root in self._catalog.roots() if root.path == path]
        if not known:
            raise LibraryProblem(
                "folder", f"{shown(path)} is not a watched folder; `recollect roots` lists them."
            )
        forgotten = self._catalog.remove_root(path)
        self._pipeline.drop_orphans()
        self.custody.erase()
        self.keeper.poke()
        return forgotten

    def forget(self, what: str) -> ForgottenJson:
        return self.custody.forget(what)

    def remember(self, file: str | None) -> int:
        return self.custody.remember(file)

    def verify(self, *, deep: bool = False, repair: bool = False) -> VerdictJson:
        return self.custody.verify(deep=deep, repair=repair)

    def accept(self, folder: str | None = None) -> int:
        """Take a person's word that what went missing is gone; how many files that is."""
        path = Path(folder).expanduser().absolute() if folder else None
        count = self._catalog.accept(path)
        self.keeper.poke()
        return count

    def retry(self, file: str | None = None) -> int:
        """Put failed files back in the queue; how many."""
        path = Path(file).expanduser().absolute() if file else None
        count = self._catalog.retry(path)
        if path is not None and count == 0:
            raise LibraryProblem(
                "file", f"{shown(path)} has not failed; `recollect status` lists what has."
            )
        self.keeper.poke()
        return count

    def index(self, progress: Callable[[StatusJson], None] | None = None) -> IndexJson:
        """Bring the index up to date now and wait for it."""
        began = time.perf_counter()
        before = self._pipeline.model_calls
        if progress is not None:
            self._bell.listen(lambda: progress(self.status()))
        try:
            changes = self.keeper.run_once()
        finally:
            self._bell.listen(None)
        return {
            "added": changes.added,
            "changed": changes.changed,
            "moved": changes.moved,
            "gone": changes.gone,
            "coverage": self._catalog.coverage(),
            "model_calls": self._pipeline.model_calls - before,
            "took_s": round(time.perf_counter() - began, 2),
        }

    def _example(self, file: Path) -> Image | Sound:
        """The picture, or the first seconds of the sound, in a file."""
        try:
            match sniff(file):
                case Kind.PHOTO:
                    return self._reader.original(file, None)
                case Kind.RECORDING:
                    return self._reader.original(file, Span(0.0, EXAMPLE_S))
                case _:
                    sentence = f"{shown(file.name)} is neither a picture nor a sound."
        except (Unreadable, OSError) as problem:
            sentence = str(problem)
        raise LibraryProblem("example", sentence)

    def item_of(self, file: str) -> str:
        """The id of a file by its path, for `ask --about`."""
        path = Path(file).expanduser().absolute()
        item: Item | None = self._catalog.item_of_path(path)
        if item is None:
            raise LibraryProblem(
                "file", f"{shown(path)} is not in the library; add its folder first."
            )
        return item.item

    def wait_for_change(self, timeout_s: float) -> bool:
        """Blocks until something in the library changed, or the time is over."""
        return self._bell.wait(timeout_s)


def _file_json(row: FileRow) -> FileJson:
    return {
        "id": row.item,
        "path": shown(row.path),
        "name": shown(row.path.name),
        "kind": row.kind,
        "state": row.state,
        "reason": row.reason,
        "sentence": row.sentence,
        "attempts": row.attempts,
        "size_bytes": row.size_bytes,
        "modified_at": row.modified_at,
    }


def _model_problem(problem: Exception) -> LibraryProblem:
    if isinstance(problem, Busy):
        return LibraryProblem("busy", str(problem), status=503)
    return LibraryProblem("model", str(problem), status=503)
