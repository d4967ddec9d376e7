"""A child process that works off jobs: started, watched and ended.

It is started when it is first needed and again after it died. It has its own limit of memory, no
open file but two pipes and a lifeline, may write and connect nowhere (`sandbox`), and ends with
this process. It is a fresh Python, never a fork, so that it carries nothing of ours. What it
answers is bounded: it may be wrong, but not large, and not of another shape.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from indexer.extract.process.messages import error_from_message
from indexer.extract.process.protocol import (
    Message,
    PipeReader,
    decode_message,
    encode_message,
)

# The most that is accepted for one job, so that no child can fill this process.
MAX_ANSWERS = 200_000
MAX_ANSWER_BYTES = 192 << 20

_ROOT = Path(__file__).resolve().parents[3]


class ChildProcess:
    """Runs the module `worker` in a child, one job at a time. Not for several threads at once."""

    def __init__(self, worker: str, memory_bytes: int) -> None:
        self._worker = worker
        self._memory_bytes = memory_bytes
        self._process: subprocess.Popen[bytes] | None = None
        self._lifeline = -1

    @property
    def pid(self) -> int | None:
        """The process id, while there is a process."""
        process = self._process
        return None if process is None else process.pid

    def answers(
        self, job: dict[str, Any], silence_limit_s: float, whole_limit_s: float
    ) -> Iterator[Message]:
        """What the child answers to a job, as it comes. Raises TimeoutError where it is silent for
        too long or takes too long in all, UnreadableError where it refuses, and ValueError,
        EOFError or OSError where the child has to be given up: `stop` it then."""
        process = self._running()
        assert process.stdin is not None  # noqa: S101  it was made with pipes
        assert process.stdout is not None  # noqa: S101
        process.stdin.write(encode_message(job))
        process.stdin.flush()
        pipe = PipeReader(process.stdout.fileno())  # between two jobs a child sends nothing
        end = time.monotonic() + whole_limit_s
        left_bytes = MAX_ANSWER_BYTES

        def read(count: int) -> bytes:
            nonlocal left_bytes
            left_bytes -= count
            if left_bytes < 0:
                raise ValueError("more bytes than any file of ours gives")
            return pipe.take(count, until)

        for _ in range(MAX_ANSWERS):
            until = min(end, time.monotonic() + silence_limit_s)
            head, body = decode_message(read)
            if "alive" in head:
                continue
            if "done" in head:
                return
            if "reason" in head:
                raise error_from_message(head)
            yield head, body
        raise ValueError("more answers than any file of ours gives")

    def stop(self) -> None:
        """End the process, if there is one; the next job starts another."""
        process, self._process = self._process, None
        if self._lifeline >= 0:
            os.close(self._lifeline)
            self._lifeline = -1
        if process is not None:
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()  # type: ignore[union-attr]

    def __del__(self) -> None:
        try:  # noqa: SIM105  at the end of the program contextlib may be gone before us
            self.stop()
        except Exception:  # noqa: S110
            pass

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is not None and self._process.poll() is None:
            return self._process
        self.stop()
        reading_end, self._lifeline = os.pipe()
        try:
            self._process = subprocess.Popen(  # noqa: S603  our own interpreter and arguments
                # -P: never import from the current folder
                [
                    sys.executable,
                    "-P",
                    "-m",
                    self._worker,
                    str(reading_end),
                    str(self._memory_bytes),
                ],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                pass_fds=(reading_end,),
                cwd="/",
                env=_environment(),
                start_new_session=True,
            )
        finally:
            os.close(reading_end)
        return self._process


def _environment() -> dict[str, str]:
    """No variable that tells of a person, and one thread: the child shares the machine."""
    kept = ("PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "LD_LIBRARY_PATH", "SYSTEMROOT")
    inherited = {name: os.environ[name] for name in kept if name in os.environ}
    threads = dict.fromkeys(["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"], "1")
    python = {
        "PYTHONPATH": str(_ROOT),
        "PYTHONDONTWRITEBYTECODE": "1",
        "ORT_DISABLE_TELEMETRY": "1",
    }
    return {**inherited, **threads, **python}
