"""One library as people meet it: every verb of the command line and of the API, in its JSON.

The command line and the HTTP server both call it; neither knows what lies below.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Literal

from indexer.catalog.catalog import Catalog
from indexer.extract.process.child import ReaderProcess
from indexer.ingest.pipeline import Pipeline
from indexer.ingest.service import IndexService
from indexer.vectors.store import Store
from model.interface import Exchange, ModelError, Text
from model.runtime.runtime import BusyError, Runtime
from retriever.answer import Answerer
from retriever.query import Query, parse_day, parse_kind
from retriever.search import Hit, Searcher
from web.library.answers import told
from web.library.display import shown
from web.library.errors import LibraryError
from web.library.examples import example
from web.library.items import Items
from web.library.maintenance import Maintenance
from web.library.notifier import Notifier
from web.library.overview import Overview
from web.library.results import hit_json
from web.library.schemas import (
    AskEvent,
    ExcludesJson,
    FileJson,
    FilesJson,
    ForgottenJson,
    IndexJson,
    ModelJson,
    RootJson,
    SearchJson,
    StatusJson,
    VerdictJson,
)


class Library:
    """Searches, answers and tells of one data directory; `keeper` keeps it up to date."""

    def __init__(
        self,
        catalog: Catalog,
        store: Store,
        runtime: Runtime,
        pipeline: Pipeline,
        keeper: IndexService,
        reader: ReaderProcess,
        bell: Notifier,
    ) -> None:
        self.items = Items(catalog, store, reader, keeper.want, keeper.lookout.is_there)
        self.keeper = keeper
        self.custody = Maintenance(catalog, store, pipeline, keeper)
        self._overview = Overview(catalog, runtime, keeper)
        self._catalog = catalog
        self._runtime = runtime
        self._pipeline = pipeline
        self._reader = reader
        self._bell = bell
        self._searcher = Searcher(catalog, store, runtime.people, keeper.lookout.is_there)
        self._answerer = Answerer(
            self._searcher,
            runtime.people,
            lambda item, place: reader.original(item.path, place, member=item.member),
        )

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
            with suppress(ModelError, BusyError):  # said to whoever needs the model
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
        query = Query(
            words=words,
            like=example(self._reader, like) if like else None,
            kinds=parse_kind(kind),
            folder=Path(folder).absolute() if folder else None,
            after=parse_day(after),
            before=parse_day(before),
            limit=limit,
            by=by,
        )
        hits, without = self._found(query)
        # what is shown to a person is understood next
        self.keeper.want(hit.item.item for hit in hits if hit.item.state == "read")
        found: SearchJson = {
            "query": words,
            "hits": [hit_json(rank, hit, self._catalog) for rank, hit in enumerate(hits, start=1)],
            "coverage": self._catalog.coverage(query.kinds, query.folder),
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
        except ModelError as problem:
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
            yield from told(self._answerer, self._catalog, question, about, history, cancelled)

    # --- what there is

    def status(self) -> StatusJson:
        return self._overview.status()

    def model(self) -> ModelJson:
        return self._overview.model()

    def files(
        self,
        state: str | None = None,
        kind: str | None = None,
        offset: int = 0,
        limit: int = 100,
    ) -> FilesJson:
        """One page of the files, in a state or of a kind where one is named."""
        return self._overview.files(state, kind, offset, limit)

    def file(self, file: str) -> FileJson:
        """How far one file has come, by its path."""
        return self._overview.file(file)

    def excludes(self) -> ExcludesJson:
        """What is never read unless its name is changed."""
        return self._overview.excludes()

    def roots(self) -> list[RootJson]:
        return self._overview.roots()

    # --- folders

    def add(self, folder: str) -> list[RootJson]:
        path = Path(folder).expanduser().absolute()
        if not path.is_dir():
            raise LibraryError("folder", f"There is no folder {shown(path)}; check the name.")
        self._catalog.add_root(path)
        self.keeper.poke()
        return self.roots()

    def remove(self, folder: str) -> int:
        """Forget a folder; how many files were forgotten. The files are not touched. No byte of
        them is left in the data directory when this returns, or else within the hour."""
        path = Path(folder).expanduser().absolute()
        known = [root for root in self._catalog.roots() if root.path == path]
        if not known:
            raise LibraryError(
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
            raise LibraryError(
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

    def item_of(self, file: str) -> str:
        """The id of a file by its path, for `ask --about`."""
        return self._overview.item_of(file)

    def wait_for_change(self, timeout_s: float) -> bool:
        """Blocks until something in the library changed, or the time is over."""
        return self._bell.wait(timeout_s)
