"""The rows of a damaged table, read in a process of its own.

LanceDB 0.40 takes flipped bits for lengths. It may then ask for petabytes, and Rust ends a process
that cannot have them: no exception is raised. So this process never reads a table of which a file
is known to be damaged; a child does, and may end. It is a fresh Python, never a fork.
"""

from __future__ import annotations

import contextlib
import json
import os
import struct
import subprocess
import sys
import threading
from pathlib import Path
from typing import IO, Any

_ROOT = Path(__file__).resolve().parents[2]
# Each message: the lengths of its head (JSON) and of its body (an Arrow stream), then both.
LENGTHS = struct.Struct(">IQ")
SILENCE_S = 120.0
# Address space, of which LanceDB reserves much: a length of some GB ends the child, not the machine
MOST_BYTES = 16 << 30


class RowProcessEndedError(Exception):
    """The child ended, or was silent for too long, over what it was to read."""


class UnreadableRowsError(Exception):
    """What the child says of rows that LanceDB refused to read."""


class RowProcess:
    """Reads tables below `folder` in a child, which is started when it is first needed and again
    after it ended. Any thread may call. Its methods raise RowProcessEndedError and
    UnreadableRowsError."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()
        self._lock = threading.RLock()
        self._process: subprocess.Popen[bytes] | None = None

    def open(self, name: str) -> tuple[int, Any]:
        """Opens the newest version of a table: its number of rows, and its schema."""
        head, table = self._ask({"table": name, "span": None})
        return int(head["rows"]), table.schema

    def take(self, name: str, start: int, end: int) -> Any:
        """The rows from offset `start` to before `end` of a table, as an arrow table."""
        return self._ask({"table": name, "span": [start, end]})[1]

    def close(self) -> None:
        """Ends the child."""
        with self._lock:
            process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.communicate()

    def __del__(self) -> None:
        with contextlib.suppress(Exception):  # at the end of the program its parts may be gone
            self.close()

    def _ask(self, request: dict[str, Any]) -> tuple[dict[str, Any], Any]:
        import pyarrow as pa

        with self._lock:
            process = self._started()
            assert process.stdin is not None  # noqa: S101  it was made with pipes
            assert process.stdout is not None  # noqa: S101
            limit = threading.Timer(SILENCE_S, process.kill)
            limit.start()
            try:
                _send(process.stdin, request, b"")
                head, body = _receive(process.stdout)
            except (OSError, EOFError) as problem:
                self.close()
                raise RowProcessEndedError("reading it ends the process that reads") from problem
            finally:
                limit.cancel()
        if "fault" in head:
            raise UnreadableRowsError(head["fault"])
        return head, pa.ipc.open_stream(body).read_all()

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            self._process = subprocess.Popen(  # noqa: S603  our own interpreter and arguments
                # -P: never import from the current folder
                [sys.executable, "-P", "-m", "indexer.vectors.row_process", str(self._folder)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                cwd="/",
                env={**os.environ, "PYTHONPATH": str(_ROOT), "PYTHONDONTWRITEBYTECODE": "1"},
                start_new_session=True,
            )
        return self._process


def _send(pipe: IO[bytes], head: dict[str, Any], body: bytes) -> None:
    line = json.dumps(head).encode()
    pipe.write(LENGTHS.pack(len(line), len(body)) + line + body)
    pipe.flush()


def _receive(pipe: IO[bytes]) -> tuple[dict[str, Any], bytes]:
    """Raises EOFError where the other side has ended."""
    head_bytes, body_bytes = LENGTHS.unpack(_read(pipe, LENGTHS.size))
    return json.loads(_read(pipe, head_bytes)), _read(pipe, body_bytes)


def _read(pipe: IO[bytes], count: int) -> bytes:
    data = pipe.read(count)
    if len(data) < count:
        raise EOFError
    return data


def _stream(table: Any) -> bytes:
    import pyarrow as pa

    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue())


def main() -> None:
    """Answers requests from standard input until that ends."""
    from indexer.vectors.lance import connect

    with contextlib.suppress(ImportError, ValueError, OSError):  # Windows, or a lower limit holds
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MOST_BYTES, MOST_BYTES))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    database = connect(Path(sys.argv[1]))
    tables: dict[str, Any] = {}
    while True:
        try:
            request, _ = _receive(sys.stdin.buffer)
        except EOFError:
            return
        try:
            name, span = request["table"], request["span"]
            if span is None or name not in tables:
                tables[name] = database.open_table(name)
            if span is None:
                rows = tables[name].count_rows()
                head, body = {"rows": rows}, _stream(tables[name].schema.empty_table())
            else:
                offsets = list(range(*span))
                head, body = {}, _stream(tables[name].take_offsets(offsets).to_arrow())
        except BaseException as problem:  # whatever LanceDB's decoders make of damaged bytes
            line = str(problem).partition("\n")[0][:200]
            head, body = {"fault": f"{type(problem).__name__}: {line}"}, b""
        _send(sys.stdout.buffer, head, body)


if __name__ == "__main__":
    main()
