"""One library as people meet it: every command of the command line and of the API, in its JSON.

The command line and the HTTP server both call it; neither knows what lies below.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal, TypeVar

from indexer.catalog.catalog import Catalog
from indexer.extract.process.reader import ReaderProcess
from indexer.ingest.pipeline import Pipeline
from indexer.ingest.service import IndexService
from indexer.maintenance.verify import Verifier
from indexer.types.states import ContentState
from indexer.vectors.store import Store
from indexer.vectors.tables import StoreError
from model.errors import RecollectError
from model.interface import (
    DEFAULT_WRITING,
    ConversationTurn,
    ModelError,
    ModelRuntime,
    WritingOptions,
)
from retriever.answers.answer import Answerer
from retriever.hits import Hits
from retriever.queries.query import Query, parse_kind
from retriever.search import Searcher
from web.library.arguments.examples import load_example
from web.library.arguments.folders import folder_choice, takes_in_sentence
from web.library.arguments.paths import is_folder, named_path
from web.library.arguments.scopes import named_scope
from web.library.arguments.unlisted import unlisted_sentence
from web.library.background_loading import BackgroundLoading
from web.library.bare_model import BareModel
from web.library.conversations.conversations import Conversations
from web.library.conversations.recording import recorded
from web.library.display import display_text
from web.library.errors import LibraryError, NotFoundError
from web.library.forgetting import Forgetting
from web.library.items.presenter import ItemPresenter
from web.library.items.reading import ReadingModel
from web.library.items.recordings import RecordingPresenter
from web.library.notifier import Notifier
from web.library.schemas.answers import AskEvent
from web.library.schemas.files import (
    FileJson,
    FilesJson,
    FoldersJson,
    ForgottenJson,
    IndexJson,
    StorageJson,
    VerdictJson,
)
from web.library.schemas.items import MAX_PASSAGES, ItemJson, TextJson
from web.library.schemas.recordings import RecordingJson
from web.library.schemas.search import SearchJson
from web.library.schemas.status import ModelJson, RootJson, StatusJson
from web.library.serializers.answers import answer_events
from web.library.serializers.listing import file_json, roots_json, storage_json
from web.library.serializers.results import verdict_json
from web.library.serializers.status import model_json, status_json
from web.library.word_search import search_json, typed_query

Part = TypeVar("Part")

BOTH_HISTORIES = "Name a conversation or send its turns, not both."
LOADING = "Only words were searched: the model is being loaded. Search again in a moment."


class Library:
    """The `LibraryProtocol` of one data directory, carried out in this process. `items` shows
    single items, `bare_model` is the model without the library, `service` keeps the index up to
    date, `notifier` tells of changes,
    `conversations` are those that are kept. With a `domain`, the model answers from these contents
    alone."""

    def __init__(
        self,
        catalog: Catalog,
        store: Store,
        runtime: ModelRuntime,
        pipeline: Pipeline,
        service: IndexService,
        reader: ReaderProcess,
        notifier: Notifier,
        conversations: Conversations,
        domain: Collection[str] | None = None,
    ) -> None:
        self.items = ItemPresenter(
            catalog, reader, service.want, service.rescan.is_there, ReadingModel(runtime)
        )
        self._recordings = RecordingPresenter(catalog, service.want)
        self.service = service
        self.notifier = notifier
        self.conversations = conversations
        self._catalog = catalog
        self._store = store
        self._runtime = runtime
        self._pipeline = pipeline
        self._reader = reader
        self._loading = BackgroundLoading(runtime)
        self._forgetting = Forgetting(catalog, pipeline.housekeeping)
        self.bare_model = BareModel(runtime, reader)
        self._searcher = Searcher(catalog, store, runtime.people, service.rescan.is_there)
        self._answerer = Answerer(
            self._searcher,
            runtime.people,
            lambda item, place: reader.original(item.path, place, member=item.member),
            lambda contents: (
                domain is None or (len(contents) > 0 and catalog.items.are_within(contents, domain))
            ),
        )

    def close(self) -> None:
        """Ends background work and children; what was unfinished is taken up next time."""
        self._runtime.close()  # first: the service may be waiting for the model
        self.service.stop()
        self._pipeline.close()
        self._reader.close()
        self._catalog.close()

    def warm(self) -> None:
        """Loads the model in the background. From now on no search by words waits for that."""
        self._loading.begin()

    def search(
        self,
        words: str,
        *,
        kind: str | None = None,
        folder: str | None = None,
        after: str | None = None,
        before: str | None = None,
        limit: int = 20,
        offset: int = 0,
        by: Literal["words", "all"] = "all",
        like: Path | None = None,
    ) -> SearchJson:
        began = time.perf_counter()
        typed = typed_query(self._catalog, words)
        scope = named_scope(self._catalog, kind, folder, after, before)
        example = load_example(self._reader, like) if like else None
        query = typed.query(scope, like=example, limit=limit, offset=offset, by=by)
        is_loading = like is None and by != "words" and self._loading.under_way()
        hits, model_problem = self._hits(replace(query, by="words") if is_loading else query)
        # what is shown to a person is understood next
        self.service.want(hit.item.item for hit in hits if hit.item.state is ContentState.READ)
        result = search_json(self._catalog, words, typed, query, hits, began)
        if is_loading:
            return {**result, "problem": model_problem or LOADING, "loading": True}
        return {**result, "problem": model_problem} if model_problem else result

    def _hits(self, query: Query) -> tuple[Hits, str | None]:
        """The hits, and what had no part in them that should have had one, and why."""
        problem: RecollectError | None = None
        if query.by == "all":
            try:
                with self._runtime.hold_background():
                    return self._searcher.search(query), None
            except (ModelError, StoreError) as raised:
                if query.like is not None:
                    raise
                problem = raised
        hits = self._searcher.search(replace(query, by="words"))
        if problem is None:
            return hits, None
        if isinstance(problem, StoreError):
            self.service.report_damage(problem)
        return hits, f"Only words were searched, not meaning. {problem.sentence}"

    def ask(
        self,
        question: str,
        *,
        about: Sequence[str] = (),
        kind: str | None = None,
        folder: str | None = None,
        after: str | None = None,
        before: str | None = None,
        history: Sequence[ConversationTurn] = (),
        conversation: str | None = None,
        cancelled: Callable[[], bool] = lambda: False,
        options: WritingOptions = DEFAULT_WRITING,
    ) -> Iterator[AskEvent]:
        scope = named_scope(self._catalog, kind, folder, after, before)
        if conversation is not None:
            if history:
                raise LibraryError("history", BOTH_HISTORIES)
            history = self.conversations.history(conversation)
        answer = self._answerer.answer(
            question,
            about=about,
            scope=scope,
            history=history,
            cancelled=cancelled,
            options=options,
        )
        events = self._held(answer_events(answer, self._catalog, question))
        if conversation is None:
            return events
        subjects = map(self._catalog.items.get, about)
        name, n = self.conversations.begin_turn(
            conversation,
            question,
            [
                {"id": item.item, "title": display_text(item.title or item.path.name)}
                for item in subjects
                if item is not None
            ],
        )
        return recorded(events, self.conversations, name, n)

    def _held(self, events: Iterator[AskEvent]) -> Iterator[AskEvent]:
        with self._runtime.hold_background():
            yield from events

    def item(self, item_id: str) -> ItemJson:
        return _present(self.items.facts(item_id))

    def text(
        self, item_id: str, words: str = "", *, offset: int = 0, limit: int = MAX_PASSAGES
    ) -> TextJson:
        return _present(self.items.text(item_id, words, offset, limit))

    def status(self) -> StatusJson:
        return status_json(self._catalog, self._runtime, self.service)

    def model(self) -> ModelJson:
        return model_json(self._runtime)

    def files(
        self,
        state: str | None = None,
        kind: str | None = None,
        offset: int = 0,
        limit: int = 100,
        order: Literal["name", "newest"] = "name",
    ) -> FilesJson:
        """One page of the files, in a state or of a kind where one is named."""
        only_kind = next(iter(parse_kind(kind) or ()), None)
        rows = self._catalog.files.page(state, only_kind, offset, limit, order)
        return {
            "count": self._catalog.files.count(state, only_kind),
            "files": [file_json(row) for row in rows],
        }

    def file(self, file: str) -> FileJson:
        path = named_path(file)
        row = self._catalog.files.at_path(path)
        if row is None:
            raise LibraryError("file", unlisted_sentence(self._catalog, path))
        return file_json(row)

    def item_of(self, file: str) -> str:
        path = named_path(file)
        item = self._catalog.items.at_path(path)
        if item is None:
            raise LibraryError("file", unlisted_sentence(self._catalog, path))
        return item.item

    def recording(self, item: str) -> RecordingJson:
        return self._recordings.show(item)

    def name_speaker(self, item: str, speaker: int, name: str) -> RecordingJson:
        self._recordings.name_speaker(item, speaker, name)
        return self.recording(item)

    def correct(self, item: str, at_s: float, text: str) -> RecordingJson:
        self._recordings.correct(item, at_s, text)
        self._changed()
        return self.recording(item)

    def roots(self) -> list[RootJson]:
        return roots_json(self._catalog.roots.all())

    def add(self, folder: str, take_in: bool = False) -> list[RootJson]:
        path = named_path(folder)
        if not is_folder(path):
            raise LibraryError(
                "folder", f"There is no folder {display_text(path)}; check the name."
            )
        if not take_in and (inside := self._catalog.roots.inside(path)):
            raise LibraryError("takes_in", takes_in_sentence(path, inside), 409)
        self._catalog.roots.add(path)
        self._changed()
        return self.roots()

    def folders(self, folder: str | None = None, hidden: bool = False) -> FoldersJson:
        roots = self._catalog.roots.paths()
        return folder_choice(folder, hidden, roots, self._catalog.database.file.parent)

    def storage(self) -> StorageJson:
        return storage_json(self._catalog.database.file.parent)

    def remove(self, folder: str) -> int:
        path = named_path(folder)
        if not any(root.path == path for root in self._catalog.roots.all()):
            sentence = "is not a watched folder; `recollect roots` lists them."
            raise LibraryError("folder", f"{display_text(path)} {sentence}")
        count = self._forgetting.remove_root(path)
        self._changed()
        return count

    def accept(self, folder: str | None = None) -> int:
        path = named_path(folder) if folder else None
        count = self._catalog.roots.accept(path)
        self._changed()
        return count

    def retry(self, file: str | None = None) -> int:
        path = named_path(file) if file else None
        count = self._catalog.files.retry(path)
        if path is not None and count == 0:
            sentence = "has not failed; `recollect status` lists what has."
            raise LibraryError("file", f"{display_text(path)} {sentence}")
        self._changed()
        return count

    def _changed(self) -> None:
        """A person has changed what is to be done: whoever follows the status sees it at once."""
        self.service.poke()
        self.notifier.notify()

    def are_words_current(self) -> bool:
        """Whether words are found: false of a library of an earlier version at first."""
        return self._catalog.passages.is_complete()

    def update_words(self) -> None:
        """Makes the words of a library of an earlier version searchable; for its one writer."""
        self._pipeline.housekeeping.write_missing_words()

    def index(self, progress: Callable[[StatusJson], None] | None = None) -> IndexJson:
        began = time.perf_counter()
        calls_before = self._pipeline.understanding.model_calls
        if progress is not None:
            self.notifier.listen(lambda: progress(self.status()))
        try:
            changes = self.service.run_once()
        finally:
            self.notifier.listen(None)
        return {
            "added": changes.added,
            "changed": changes.changed,
            "moved": changes.moved,
            "gone": changes.gone,
            "coverage": self._catalog.counts.coverage(),
            "model_calls": self._pipeline.understanding.model_calls - calls_before,
            "took_s": round(time.perf_counter() - began, 2),
        }

    def forget(self, file: str) -> ForgottenJson:
        quoted = self.conversations.items()
        kept = {item for item in quoted if self._catalog.items.get(item) is None}
        forgotten = self._forgetting.forget(file)
        gone = {item for item in quoted - kept if self._catalog.items.get(item) is None}
        self.conversations.take_out(gone)
        self._changed()
        return forgotten

    def remember(self, file: str | None) -> int:
        count = self._forgetting.remember(file)
        self._changed()
        return count

    def verify(self, *, deep: bool = False, repair: bool = False) -> VerdictJson:
        began = time.perf_counter()
        with self._pipeline.housekeeping.quiet():
            verifier = Verifier(self._catalog, self._store)
            verdict = verifier.repair(deep) if repair else verifier.check(deep)
        if verdict.again:
            self._changed()
        return verdict_json(verdict, time.perf_counter() - began)


def _present(part: Part | None) -> Part:
    """Raises NotFoundError where there is none."""
    if part is None:
        raise NotFoundError
    return part
