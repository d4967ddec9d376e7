"""The process of the readers: `python -m model.readers.worker THREADS`.

One job after another comes through the standard input, each answered through the standard output;
it ends when its input does. A reader is loaded at its first job.
"""

from __future__ import annotations

import os
import sys
from functools import cached_property
from typing import Any, BinaryIO

import numpy as np

from model.readers.messages import Message, read_message, write_message
from model.readers.printed_text import PrintedText
from model.readers.speech import Speech
from model.readers.text_vectors import TextVectors


class Worker:
    def __init__(self, threads: int) -> None:
        self._threads = threads

    @cached_property
    def _texts(self) -> TextVectors:
        return TextVectors()

    @cached_property
    def _print(self) -> PrintedText:
        return PrintedText(self._threads)

    @cached_property
    def _speech(self) -> Speech:
        return Speech(self._threads)

    def answer(self, job: dict[str, Any], body: bytes) -> Message:
        """Raises ValueError for a job that is none."""
        match job["job"]:
            case "embed":
                vectors = self._texts.of(job["texts"], job["role"])
                return {"rows": len(vectors)}, vectors.tobytes()
            case "count":
                return {"tokens": self._texts.count_tokens(job["texts"])}, b""
            case "read":
                shape = (job["height_px"], job["width_px"], 3)
                return {"words": self._print.of(np.frombuffer(body, np.uint8).reshape(shape))}, b""
            case "hear":
                return {"words": self._speech.of(np.frombuffer(body, np.float32))}, b""
        raise ValueError(f"no job of the readers: {job['job']}")


def confine() -> None:
    """No file is written and no core dumped, where the system can see to that."""
    try:
        import resource
    except ImportError:  # not on Windows
        return
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


def serve(jobs: BinaryIO, answers: BinaryIO, threads: int) -> None:
    worker = Worker(threads)
    while True:
        try:
            job, body = read_message(jobs)
        except EOFError:
            return
        try:
            answer = worker.answer(job, body)
        except MemoryError:
            answer = {"shortage": True}, b""
        except Exception as problem:
            answer = {"problem": f"{type(problem).__name__}: {problem}"[:500]}, b""
        write_message(answers, *answer)


def main() -> None:
    # What a package prints must not get between the answers.
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    confine()
    serve(sys.stdin.buffer, answers, int(sys.argv[1]))


if __name__ == "__main__":
    main()
