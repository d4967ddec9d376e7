"""What there is: folders, files, the model, and how far everything has come, as JSON."""

from __future__ import annotations

from pathlib import Path

from indexer.catalog.catalog import Catalog, FileRow
from indexer.files.excludes import described_files, described_folders
from indexer.files.mounts import network_places
from indexer.ingest.service import IndexService
from indexer.types.places import Kind
from model.runtime.runtime import Runtime
from retriever.query import parse_kind
from web.library.display import shown
from web.library.errors import LibraryError
from web.library.schemas import (
    ExcludesJson,
    FileJson,
    FilesJson,
    ModelJson,
    ProgressJson,
    RootJson,
    StatusJson,
    WatchingJson,
)

MOST_UNWATCHED = 20


class Overview:
    """Tells of one library; changes nothing."""

    def __init__(self, catalog: Catalog, runtime: Runtime, keeper: IndexService) -> None:
        self._catalog = catalog
        self._runtime = runtime
        self._keeper = keeper

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
            "eta_s": self._keeper.eta_s(),
            "waiting": self._keeper.waiting,
            "problem": self._keeper.problem,
            "watching": self._watching(),
        }

    def _watching(self) -> WatchingJson:
        lookout = self._keeper.lookout
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
            raise _not_there(path)
        return _file_json(row)

    def item_of(self, file: str) -> str:
        """The id of a file, by its path."""
        path = Path(file).expanduser().absolute()
        item = self._catalog.item_of_path(path)
        if item is None:
            raise _not_there(path)
        return item.item

    def excludes(self) -> ExcludesJson:
        """What is never read unless its name is changed."""
        return {"folders": described_folders(), "files": described_files()}

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


def _not_there(path: Path) -> LibraryError:
    return LibraryError("file", f"{shown(path)} is not in the library; add its folder first.")


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
