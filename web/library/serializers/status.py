"""How far the library is, and the state of its model, as JSON."""

from __future__ import annotations

from indexer.catalog.catalog import Catalog
from indexer.catalog.conditions import PARTIAL
from indexer.ingest.service import IndexService
from indexer.types.coverage import Coverage
from indexer.types.places import Kind
from model.interface import ModelRuntime
from web.library.display import display_text
from web.library.schemas.status import ModelJson, StatusJson, WatchingJson
from web.library.serializers.listing import roots_json

MAX_UNWATCHED = 20


def status_json(catalog: Catalog, runtime: ModelRuntime, service: IndexService) -> StatusJson:
    progress: dict[str, Coverage] = {
        kind: catalog.counts.coverage(frozenset({kind})) for kind in Kind
    }
    return {
        "roots": roots_json(catalog.roots.all()),
        "coverage": catalog.counts.coverage(),
        "states": catalog.counts.states(),
        "failed": [
            {
                "path": display_text(failure.path),
                "reason": failure.reason,
                "sentence": failure.sentence,
                "attempts": failure.attempts,
            }
            for failure in catalog.files.failed()
        ],
        "partial": catalog.files.count(PARTIAL),
        "queue": catalog.counts.waiting(),
        "model": model_json(runtime),
        "progress": progress,
        "eta_s": service.pipeline.remaining_s(),
        "waiting": service.waiting,
        "problem": service.problem,
        "watching": _watching_json(service),
    }


def model_json(runtime: ModelRuntime) -> ModelJson:
    card = runtime.card
    model: ModelJson = {
        "name": card.name,
        "device": card.device,
        "dtype": card.dtype,
        "resident_bytes": card.resident_bytes,
        "calls": runtime.lifecycle.calls,
        "demonstration": card.demonstration,
        "reason": card.reason,
        "drafter": card.drafter,
        "loaded": runtime.lifecycle.loaded,
    }
    if card.engine is not None:
        model["engine"] = card.engine
        model["remote_hosts"] = list(card.remote_hosts)
    if card.engine is not None or card.limits:
        model["limits"] = list(card.limits)
    problem = runtime.lifecycle.problem
    return {**model, "problem": problem} if problem else model


def _watching_json(service: IndexService) -> WatchingJson:
    rescan = service.rescan
    return {
        "rescanned_at": rescan.rescanned_at,
        "unwatched": [
            {"path": display_text(folder.path), "sentence": display_text(folder.sentence)}
            for folder in rescan.unwatched[:MAX_UNWATCHED]
        ],
        "restarts": rescan.restarts,
    }
