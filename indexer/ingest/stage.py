"""What both stages work with."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from indexer.catalog.queue import Queue
from indexer.ingest.pace import Pace
from indexer.ingest.publish import Publisher
from indexer.ingest.read import Readers
from indexer.maintenance.housekeeping import Housekeeping
from model.interface import Model


@dataclass(frozen=True, slots=True)
class StageDependencies:
    """Made once by the pipeline. Once `stopped` is set, both stages end early and put back what
    they have not finished."""

    queue: Queue
    readers: Readers
    model: Model
    publisher: Publisher
    housekeeping: Housekeeping
    pace: Pace
    stopped: threading.Event
