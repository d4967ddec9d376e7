"""The process of the readers, from the side of the model: started, given jobs, ended.

What goes wrong in the readers' engines ends that process, not this one; the next job starts
another.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
import weakref
from pathlib import Path
from typing import Any, BinaryIO, cast

from model.interface import ModelMemoryError
from model.readers.messages import Message, read_message, write_message

JOB_S = 180.0
ROOT = Path(__file__).parents[2]


class ReadingError(Exception):
    """One content could not be read; the others can."""


class ReadersProcess:
    """Used by one thread. Jobs run on `threads` threads of the processor."""

    def __init__(self, threads: int) -> None:
        self._threads = threads
        self._child: subprocess.Popen[bytes] | None = None

    def ask(self, job: dict[str, Any], body: bytes = b"") -> Message:
        """The answer to a job. Raises ReadingError where there is none, ModelMemoryError."""
        child = self._child
        if child is None or child.poll() is not None:
            child = self._child = self._start()
        late = threading.Timer(JOB_S, child.kill)
        late.daemon = True
        late.start()
        try:
            write_message(cast("BinaryIO", child.stdin), job, body)
            head, answer = read_message(cast("BinaryIO", child.stdout))
        except (OSError, EOFError, ValueError) as problem:
            child.kill()
            code = child.wait()
            raise ReadingError(f"the process of the readers ended ({code})") from problem
        finally:
            late.cancel()
        if "shortage" in head:
            raise ModelMemoryError
        if "problem" in head:
            raise ReadingError(head["problem"])
        return head, answer

    def resident_bytes(self) -> int:
        """What the process takes of the memory now; 0 where there is none."""
        import psutil

        child = self._child
        if child is None:
            return 0
        try:
            return int(psutil.Process(child.pid).memory_info().rss)
        except psutil.Error:
            return 0

    def end(self) -> None:
        """Frees its memory; the next job starts it again."""
        if self._child is not None:
            _end(self._child)
            self._child = None

    def _start(self) -> subprocess.Popen[bytes]:
        environment = os.environ | {
            "OMP_NUM_THREADS": str(self._threads),
            "OMP_WAIT_POLICY": "passive",  # threads that wait must not keep others from working
            "HF_HUB_OFFLINE": "1",
            "HF_HUB_DISABLE_TELEMETRY": "1",
            "ORT_DISABLE_TELEMETRY": "1",
            "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]),
        }
        child = subprocess.Popen(  # noqa: S603 - this interpreter, with this module and a number
            [sys.executable, "-m", "model.readers.worker", str(self._threads)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
        )
        weakref.finalize(self, _end, child)
        return child


def _end(child: subprocess.Popen[bytes]) -> None:
    child.kill()
    child.wait()
    for pipe in (child.stdin, child.stdout):
        if pipe is not None:
            with contextlib.suppress(OSError):  # something was still to be written
                pipe.close()
