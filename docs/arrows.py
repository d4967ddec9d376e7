"""The way of a file into the index and the way of a question through it: stations and arrows.

Every arrow is a fact of the source, held by a test: the one that calls imports the one that is
called, and names the function or method by which it does. The picture and the table in
docs/architecture.md are made from these lists.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Station:
    """A module, or a wing, at a place of the picture: column and row, counted from 0."""

    name: str
    column: int
    row: float


@dataclass(frozen=True, slots=True)
class Arrow:
    """Data on its way from `source` to `target`; `what` is handed over, `call` the function or
    method that is called for it. The source calls, or with `pulled` the target does.

    `through` says how, where the caller does not import the called one: a module that the caller
    imports and that imports the called one; `module:Protocol` where only a Protocol is known to the
    caller and `recollect.py` decides on the class; "process" where a child process is started by
    the module's name. `path` are corners of the line where it is not straight, in columns and rows.
    """

    source: str
    target: str
    what: str
    call: str
    pulled: bool = False
    through: str = ""
    path: tuple[tuple[float, float], ...] = ()

    @property
    def caller(self) -> str:
        return self.target if self.pulled else self.source

    @property
    def called(self) -> str:
        return self.source if self.pulled else self.target


STATIONS = (
    # what has changed
    Station("indexer.scan.inotify", 1, 0),
    Station("indexer.scan.events", 1, 1.5),
    Station("indexer.scan.rescan", 1, 3),
    Station("indexer.files.walk", 0, 4),
    Station("indexer.scan.reconcile", 1, 4),
    Station("indexer.catalog.storage.database", 2, 4),
    Station("indexer.catalog.queue", 1, 5),
    Station("indexer.catalog.words", 1, 6),
    # reading
    Station("indexer.ingest.reading_stage", 0, 5),
    Station("indexer.ingest.read", 0, 6),
    Station("indexer.extract.process.reader", 0, 7),
    Station("indexer.extract.process.worker", 0, 8),
    Station("indexer.extract.dispatch", 0, 9),
    Station("indexer.extract.formats", 0, 10),
    # understanding
    Station("indexer.ingest.understanding_stage", 2, 5),
    Station("indexer.ingest.understand", 2, 6),
    # publishing
    Station("indexer.ingest.publish", 1, 8),
    Station("indexer.vectors.store", 1, 10),
    Station("indexer.vectors.tables", 2, 10),
    # the model
    Station("model.runtime.clients", 3, 6),
    Station("model.runtime.runtime", 3, 7),
    Station("model.gemma", 3, 8),
    Station("model.decoding.decoder", 3, 9),
    # a question
    Station("web.cli.commands.queries", 3, 0),
    Station("web.http.routes", 4, 0),
    Station("web.library.library", 4, 1),
    Station("web.library.serializers.answers", 3, 1),
    Station("retriever.answers.answer", 3, 2),
    Station("retriever.search", 4, 3),
    Station("retriever.meaning", 4, 4),
    Station("indexer.catalog.items", 2, 3),
    Station("indexer.vectors.search", 4, 10),
)

MODEL = "model.interface:Model"
READER = "indexer.ingest.read:Reader"

ARROWS = (
    Arrow("indexer.scan.inotify", "indexer.scan.events", "a path", "add"),
    Arrow("indexer.scan.events", "indexer.scan.rescan", "hints", "take", pulled=True,
          through="indexer.scan.watcher"),
    Arrow("indexer.scan.rescan", "indexer.scan.reconcile", "where to look", "reconcile"),
    Arrow("indexer.files.walk", "indexer.scan.reconcile", "names, times", "walk", pulled=True),
    Arrow("indexer.scan.reconcile", "indexer.catalog.storage.database", "rows of files",
          "transaction", through="indexer.catalog.catalog"),
    Arrow("indexer.catalog.storage.database", "indexer.catalog.queue", "rows of files", "writing",
          pulled=True, path=((2, 4.5), (1, 4.5))),
    Arrow("indexer.catalog.queue", "indexer.ingest.reading_stage", "files", "claim_files",
          pulled=True, through="indexer.ingest.stage"),
    Arrow("indexer.catalog.queue", "indexer.catalog.words", "words", "write_passages"),
    Arrow("indexer.catalog.words", "retriever.search", "matches", "ranked", pulled=True,
          through="indexer.catalog.catalog",
          path=((1.43, 6), (1.43, 5.64), (4.37, 5.64), (4.37, 3))),
    Arrow("indexer.ingest.reading_stage", "indexer.ingest.read", "one file", "read_file"),
    Arrow("indexer.ingest.read", "indexer.extract.process.reader", "a path", "extract",
          through=READER),
    Arrow("indexer.extract.process.reader", "indexer.extract.process.worker", "a job", "main",
          through="process"),
    Arrow("indexer.extract.process.worker", "indexer.extract.dispatch", "a path", "extract",
          through="indexer.extract.process.jobs"),
    Arrow("indexer.extract.dispatch", "indexer.extract.formats", "a file", "extract"),
    Arrow("indexer.ingest.reading_stage", "indexer.ingest.publish", "passages", "publish",
          through="indexer.ingest.stage", path=((0.5, 5.12), (0.5, 8))),
    Arrow("indexer.catalog.queue", "indexer.ingest.understanding_stage", "contents",
          "claim_contents", pulled=True, through="indexer.ingest.stage"),
    Arrow("indexer.ingest.understanding_stage", "indexer.ingest.understand", "contents", "embed"),
    Arrow("indexer.extract.process.reader", "indexer.ingest.understand", "pixels, samples",
          "original", pulled=True, through=READER, path=((2, 7),)),
    Arrow("indexer.ingest.understand", "model.runtime.clients", "texts, media", "describe",
          through=MODEL),
    Arrow("indexer.ingest.understanding_stage", "indexer.ingest.publish", "vectors", "publish",
          path=((1.5, 5.12), (1.5, 8))),
    Arrow("indexer.ingest.publish", "indexer.vectors.store", "rows", "add_words"),
    Arrow("indexer.vectors.store", "indexer.vectors.tables", "rows", "write"),
    Arrow("indexer.vectors.tables", "indexer.vectors.search", "rows", "read", pulled=True),
    Arrow("web.cli.commands.queries", "web.library.library", "words", "search",
          through="web.cli.program", path=((3, 0.5), (3.8, 0.5), (3.8, 0.72))),
    Arrow("web.http.routes", "web.library.library", "words", "search",
          through="web.library.protocol:LibraryProtocol"),
    Arrow("web.library.library", "web.library.serializers.answers", "a question", "answer_events"),
    Arrow("web.library.serializers.answers", "retriever.answers.answer", "a question", "answer"),
    Arrow("retriever.answers.answer", "retriever.search", "a query", "search",
          path=((3.8, 2), (3.8, 2.72))),
    Arrow("web.library.library", "retriever.search", "a query", "search"),
    Arrow("indexer.catalog.items", "retriever.search", "items", "of_contents",
          through="indexer.catalog.catalog", pulled=True),
    Arrow("retriever.meaning", "retriever.search", "nearness", "near", pulled=True),
    Arrow("indexer.vectors.search", "retriever.meaning", "matches", "vectors", pulled=True),
    Arrow("retriever.meaning", "model.runtime.clients", "words", "embed", through=MODEL,
          path=((3.5, 4.12), (3.5, 6))),
    Arrow("retriever.answers.answer", "model.runtime.clients", "evidence", "answer", through=MODEL),
    Arrow("model.runtime.clients", "model.runtime.runtime", "work", "submit",
          through="model.runtime.clients:ModelThread"),
    Arrow("model.runtime.runtime", "model.gemma", "work", "Gemma",
          through="model.runtime.lifecycle"),
    Arrow("model.gemma", "model.decoding.decoder", "token ids", "prefill_parts"),
)  # fmt: skip
