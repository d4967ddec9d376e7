"""A child whose decoder a file has taken over: it tries what such a file would try.

Started by a ReaderProcess in place of its own worker, with the same limits and the same sandbox.
"""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from indexer.extract.process import jobs, worker
from indexer.extract.process.protocol import encode_message

Tried = tuple[dict[str, Any], bytes]


def attempt(path: Path) -> Any:
    """What came of doing what the file's text says; the parent's process id is its last word."""
    match path.read_text().split():
        case ["connect", port]:
            return socket.create_connection(("127.0.0.1", int(port)), 2)
        case ["listen"]:
            return socket.socket().listen()
        case ["unix"]:
            return socket.socketpair()
        case ["write", where]:
            return Path(where).write_text("mine")
        case ["append", where]:
            return os.open(where, os.O_WRONLY | os.O_APPEND)
        case ["remove", where]:
            return Path(where).unlink()
        case ["rename", where]:
            return Path(where).rename(where + ".taken")
        case ["mode", where]:
            return Path(where).chmod(0o777)
        case ["touch", where]:
            return os.utime(where, (0, 0))
        case ["folder", where]:
            return Path(where).mkdir()
        case ["fork"]:
            if os.fork() == 0:
                os._exit(0)
            return "forked"
        case ["spawn"]:
            return subprocess.run(["/bin/true"], check=True)
        case ["exec"]:
            return os.execv("/bin/true", ["true"])
        case ["kill", process]:
            return os.kill(int(process), signal.SIGKILL)
        case ["owner", process]:
            import fcntl

            return fcntl.fcntl(int(sys.argv[1]), fcntl.F_SETOWN, int(process))
        case ["limit", process]:
            import resource

            return resource.prlimit(int(process), resource.RLIMIT_NOFILE, (3, 3))
        case ["ring"]:
            return _called(425, 8, ctypes.create_string_buffer(120))
        case ["trace", process]:
            return _called(101, 16, int(process), 0, 0)
    raise ValueError(path.read_text())


def _called(number: int, *arguments: Any) -> int:
    result = ctypes.CDLL(None, use_errno=True).syscall(number, *arguments)
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return int(result)


def misbehave(path: Path) -> Any:
    """Ways to end, or to answer otherwise than was agreed."""
    out = os.fdopen(_answers_pipe(), "wb", closefd=False)
    match path.read_text():
        case "segfault":
            ctypes.string_at(0)
        case "abort":
            os.abort()
        case "exit":
            os._exit(0)
        case "half a message":
            out.write(encode_message({"is": "words", "text": "half of it", "place": None})[:20])
            out.flush()
            os._exit(0)
        case "hang":
            time.sleep(600)
        case "spin":
            while True:
                pass
        case "hog":
            blocks = []
            while True:
                blocks.append(bytearray(64 << 20))
        case "flood":
            while True:
                out.write(encode_message({"is": "words", "text": "x" * (1 << 20), "place": None}))
        case "patter":
            while True:
                out.write(encode_message({"is": "part", "place": None}))
        case "alive for ever":
            while True:
                out.write(encode_message({"alive": True}))
                out.flush()
                time.sleep(0.05)
        case "huge":
            out.write(b"\xff" * 64)
        case "deep":
            head = b'{"is":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
            out.write(len(head).to_bytes(4, "big") + bytes(8) + head)
        case "no json":
            out.write(bytes([0, 0, 0, 4]) + bytes(8) + b"\x00\x01\x02\x03")
        case written:
            head = written.encode()
            out.write(len(head).to_bytes(4, "big") + bytes(8) + head)
    out.flush()
    time.sleep(600)


def _answers_pipe() -> int:
    """The pipe to the parent: of the open files, the writing end that is no standard one."""
    import fcntl

    for number in range(3, 20):
        try:
            mode = fcntl.fcntl(number, fcntl.F_GETFL) & os.O_ACCMODE
        except OSError:
            continue
        if mode == os.O_WRONLY:
            return number
    raise OSError("no pipe to the parent")


def _attempted(job: dict[str, Any]) -> Any:
    if job["path"].endswith(".misbehave"):
        misbehave(Path(job["path"]))
    if not job["path"].endswith(".try"):
        yield from jobs._extract(job)
        return
    try:
        text = f"done: {attempt(Path(job['path']))}"
    except Exception as problem:
        text = f"refused: {type(problem).__name__}: {problem}"
    yield {"is": "words", "text": text, "place": None}, b""


jobs.JOBS["extract"] = _attempted

if __name__ == "__main__":
    worker.main(int(sys.argv[1]), int(sys.argv[2]))
