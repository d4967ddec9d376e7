"""Forgetting, and proving that the index is whole: what a person may ask of the keeper of files."""

from __future__ import annotations

import logging
import sqlite3
import time
from pathlib import Path

from indexer.catalog.catalog import Catalog
from indexer.catalog.forget import Forgotten, content_of
from indexer.catalog.records import ITEM
from indexer.ingest.pipeline import Pipeline
from indexer.ingest.service import IndexService
from indexer.maintenance.verify import Verifier
from indexer.vectors.store import Store
from model.errors import RecollectError
from web.library.display import shown
from web.library.errors import LibraryError
from web.library.schemas import ForgottenJson, VerdictJson

log = logging.getLogger("recollect.web")


class Maintenance:
    """Of one library, in the process that writes to it."""

    def __init__(
        self, catalog: Catalog, store: Store, pipeline: Pipeline, keeper: IndexService
    ) -> None:
        self._catalog = catalog
        self._store = store
        self._pipeline = pipeline
        self._keeper = keeper
        self._forgotten = Forgotten(catalog.database)

    def forget(self, what: str) -> ForgottenJson:
        """Forgets a file, by its path or its id, with every copy of it, and keeps it from being
        read again; a mail, with what came in it alone. An attachment is forgotten by its id, and
        its mail stays. Returns when no byte of it is left, or, where that cannot be done now, when
        it is gone from search."""
        item = self._catalog.item(what) if ITEM.fullmatch(what) else None
        attachments: list[str] = []
        if item is not None:
            paths = self._forgotten.add_content(item.content)
            attachments = [
                f"{where.name}, attached to {where.path}"
                for where in item.locations
                if where.member is not None
            ]
        else:
            path = Path(what).expanduser().absolute()
            if path.is_dir() and not path.is_symlink():
                raise LibraryError(
                    "file",
                    f"{shown(path)} is a folder; `recollect remove` forgets a watched folder, and "
                    "a line in its .recollectignore leaves out a part of one.",
                )
            paths = self._forgotten.add_path(path)
            if not paths:
                raise LibraryError(
                    "file", f"{shown(path)} is not in the library; nothing of it is kept.", 404
                )
        erased = self.erase()
        self._keeper.poke()
        names = [*sorted(set(map(shown, paths))), *sorted(set(map(shown, attachments)))]
        return {"forgotten": names, "erased": erased}

    def erase(self) -> bool:
        """Takes what was forgotten out of every file; whether that could be done now. Else it is
        done by itself within the hour."""
        try:
            self._pipeline.erase(everything=True)
        except (OSError, RuntimeError, sqlite3.Error, RecollectError) as problem:
            log.warning("erasing was put off by %s", type(problem))
            return False
        return True

    def remember(self, file: str | None) -> int:
        """Takes back that a file is to stay forgotten, or (None) everything; how much was."""
        path = Path(file).expanduser().absolute() if file is not None else None
        count = self._forgotten.remember(path, content_of(path) if path is not None else None)
        if path is not None and not count:
            raise LibraryError("file", f"{shown(path)} was not forgotten.", 404)
        self._keeper.poke()
        return count

    def verify(self, *, deep: bool = False, repair: bool = False) -> VerdictJson:
        """Checks everything, while nothing is written; with `repair` makes good what it can."""
        began = time.perf_counter()
        with self._pipeline.quiet():
            verifier = Verifier(self._catalog, self._store)
            verdict = verifier.repair(deep) if repair else verifier.check(deep)
        if verdict.again:
            self._keeper.poke()
        return {
            "sound": verdict.sound,
            "faults": [
                {
                    "code": fault.code,
                    "sentence": shown(fault.sentence),
                    "mended": fault.mended,
                }
                for fault in verdict.faults
            ],
            "passages": verdict.passages,
            "vectors": verdict.vectors,
            "files": verdict.files,
            "again": verdict.again,
            "took_s": round(time.perf_counter() - began, 2),
        }
