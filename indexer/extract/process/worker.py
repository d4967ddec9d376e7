"""The program of the child: one job after the other, each within limits that the kernel enforces.

Started by `child.ChildProcess`. It ends with its parent: when the lifeline pipe closes, the kernel
itself ends this process, also in the middle of a decoder that never returns to Python.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import resource
import signal
import sys
import time
from collections.abc import Iterator
from typing import Any

from indexer.extract import heartbeat
from indexer.extract.containers.file_format import opening_error
from indexer.extract.process import jobs
from indexer.extract.process.protocol import decode_message, encode_message
from indexer.extract.process.sandbox import enter_sandbox
from indexer.types.pieces import Reason, UnreadableError

TOO_MUCH_MEMORY = "Opening this file takes more memory than Recollect gives to one file."
MAX_OPEN_FILES = 128
# Answers are buffered for as long, so that those of a small file are sent at once.
FLUSH_AFTER_S = 0.1


def main(lifeline: int, memory_bytes: int) -> None:
    orders, answers = _own_pipes()
    _limit(lifeline, memory_bytes)
    jobs.sandbox_layers.extend(
        enter_sandbox()
    )  # from here on nothing is written, connected to or started

    def send_heartbeat() -> None:
        answers.write(encode_message({"alive": True}))
        answers.flush()

    heartbeat.on_send(send_heartbeat)

    def read(count: int) -> bytes:
        data = orders.read(count)
        if len(data) < count:
            os._exit(0)  # the parent is gone
        return bytes(data)

    while True:
        job, _ = decode_message(read)
        _allow_seconds(job["cpu_s"])
        flushed_s = time.monotonic()
        for message, is_urgent in _answers(job):
            answers.write(message)
            if is_urgent or time.monotonic() - flushed_s > FLUSH_AFTER_S:
                answers.flush()
                flushed_s = time.monotonic()
        _free_caches()


def _own_pipes() -> tuple[Any, Any]:
    """Standard input and output, moved; what libraries print goes to standard error."""
    orders, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb", 1 << 16)
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(2, 1)
    os.close(null)
    return orders, answers


def _limit(lifeline: int, memory_bytes: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGIO, signal.SIG_DFL)  # its default is to end the process
    fcntl.fcntl(lifeline, fcntl.F_SETOWN, os.getpid())
    flags = fcntl.fcntl(lifeline, fcntl.F_GETFL)
    fcntl.fcntl(lifeline, fcntl.F_SETFL, flags | os.O_ASYNC | os.O_NONBLOCK)
    try:
        if os.read(lifeline, 1) == b"":
            os._exit(0)  # it closed before O_ASYNC was set
    except BlockingIOError:
        pass
    _set_limit(resource.RLIMIT_CORE, 0, permanent=True)
    _set_limit(resource.RLIMIT_FSIZE, 0, permanent=True)  # nothing is ever written to a file
    _set_limit(resource.RLIMIT_AS, memory_bytes, permanent=True)
    _set_limit(resource.RLIMIT_NOFILE, MAX_OPEN_FILES, permanent=True)


def _set_limit(resource_id: int, value: int, permanent: bool = False) -> None:
    _, hard = resource.getrlimit(resource_id)
    limit = value if hard == resource.RLIM_INFINITY else min(value, hard)
    with contextlib.suppress(ValueError, OSError):  # macOS does not keep every limit
        resource.setrlimit(resource_id, (limit, limit if permanent else hard))


def _allow_seconds(seconds: float) -> None:
    """Processor time for the job that begins now, on top of what was used so far."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    _set_limit(resource.RLIMIT_CPU, int(used.ru_utime + used.ru_stime + seconds) + 2)


def _answers(job: dict[str, Any]) -> Iterator[tuple[bytes, bool]]:
    """Each message, and whether it is sent at once: a member is announced before it is opened, so
    that the parent knows which one has ended the child."""
    try:
        for head, body in jobs.JOBS[job["do"]](job):
            yield encode_message(head, body), head["is"] == "member"
        yield encode_message({"done": True}), True
    except UnreadableError as problem:
        yield _refusal(problem.reason, problem.sentence)
    except MemoryError:
        yield _refusal("too_large", TOO_MUCH_MEMORY)
    except OSError as problem:
        refused = opening_error(problem)
        yield _refusal(refused.reason, refused.sentence)
    except Exception as problem:
        if "malloc" in str(problem) or "memory" in str(problem).lower():
            yield _refusal("too_large", TOO_MUCH_MEMORY)
        else:
            print(f"{type(problem).__name__}: {problem}", file=sys.stderr)
            yield _refusal(
                "corrupt", "This file is damaged and cannot be read; get another copy of it."
            )


def _refusal(reason: Reason, sentence: str) -> tuple[bytes, bool]:
    return encode_message({"reason": reason, "sentence": sentence}), True


def _free_caches() -> None:
    pymupdf = sys.modules.get("pymupdf")
    if pymupdf is not None:
        pymupdf.TOOLS.store_shrink(100)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
