"""What a file that took its decoder over can do: nothing, and nobody but its child notices."""

from __future__ import annotations

import json
import os
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from indexer.extract.process.reader import ReaderProcess
from indexer.types.pieces import PageText, UnreadableError
from indexer.types.places import Page

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the sandbox of Linux")


class Hostile(ReaderProcess):
    worker = "tests.hostile_child"


@pytest.fixture(scope="module")
def hostile() -> Iterator[Hostile]:
    with Hostile() as made:
        yield made


def untouched(path: Path) -> tuple[int, ...]:
    """What any change to a file would change; having been read is none."""
    stat = path.stat()
    return stat.st_ino, stat.st_mode, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns


def said(reader: ReaderProcess, folder: Path, order: str) -> str:
    path = folder / "order.try"
    path.write_text(order)
    [piece] = reader.extract(path)
    assert isinstance(piece, PageText)
    return piece.text


def test_the_layers_of_this_system_hold(hostile: Hostile) -> None:
    layers = hostile.sandbox_layers()
    assert "seccomp" in layers


@pytest.mark.parametrize(
    "order",
    "write append remove rename mode touch folder".split(),
)
def test_fault_48_a_decoder_that_was_taken_over_writes_nothing(
    hostile: Hostile, tmp_path: Path, order: str
) -> None:
    own = tmp_path / "own.txt"
    own.write_text("a person's")
    before = untouched(own)
    target = tmp_path / "new" if order in ("write", "folder") else own
    assert said(hostile, tmp_path, f"{order} {target}").startswith("refused: PermissionError")
    assert untouched(own) == before
    assert own.read_text() == "a person's"
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("order", ["fork", "spawn", "exec", "listen", "unix", "ring"])
def test_fault_48_a_decoder_that_was_taken_over_starts_and_connects_nothing(
    hostile: Hostile, tmp_path: Path, order: str
) -> None:
    assert said(hostile, tmp_path, order).startswith("refused: ")
    assert hostile.pid is not None
    assert psutil.Process(hostile.pid).children() == []


def test_fault_48_a_decoder_that_was_taken_over_reaches_no_port(
    hostile: Hostile, tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        port = server.getsockname()[1]
        assert said(hostile, tmp_path, f"connect {port}").startswith("refused: PermissionError")
        with pytest.raises(TimeoutError):
            server.accept()


@pytest.mark.parametrize("order", ["kill", "owner", "limit", "trace"])
def test_fault_48_a_decoder_that_was_taken_over_reaches_no_other_process(
    hostile: Hostile, tmp_path: Path, order: str
) -> None:
    assert said(hostile, tmp_path, f"{order} {os.getpid()}").startswith("refused: ")


@pytest.mark.parametrize(
    "fault",
    [
        "segfault",
        "abort",
        "exit",
        "half a message",
        "huge",
        "deep",
        "no json",
        pytest.param("patter", marks=pytest.mark.slow),
        pytest.param("flood", marks=pytest.mark.slow),
        json.dumps([1, 2]),
        json.dumps({"is": "cake"}),
        json.dumps({"is": "words", "text": 5, "place": None}),
        json.dumps({"is": "words", "text": "x", "place": {"page": "1; DROP TABLE"}}),
        json.dumps({"is": "words", "text": "x", "place": {"start_s": 2, "end_s": 1}}),
        *(
            json.dumps({"is": "words", "text": "some words", "place": None, "cuts": cuts})
            for cuts in ([[0, 11]], [[4, 4]], [[5, 10], [0, 4]], [[-1, 3]], [[0, "4"]], [[0]], 7)
        ),
        json.dumps({"is": "facts", "title": "x", "evil": 1}),
        json.dumps({"is": "thumb", "width_px": -1, "height_px": 10**9}),
        json.dumps({"reason": "because", "sentence": "x"}),
        '{"is": "part", "place": {"start_s": NaN, "end_s": NaN}}',
    ],
    ids=lambda fault: str(fault)[:24],
)
def test_fault_48_whatever_a_child_says_is_at_most_a_sentence(
    hostile: Hostile, tmp_path: Path, fault: str
) -> None:
    path, good = tmp_path / "a.misbehave", tmp_path / "good.txt"
    path.write_text(fault)
    good.write_text("Good words.")
    before = psutil.Process().memory_info().rss
    with pytest.raises(UnreadableError) as refused:
        hostile.extract(path)
    assert refused.value.reason == "crashed"
    assert psutil.Process().memory_info().rss - before < 300 << 20
    assert hostile.extract(good)[0] == PageText("Good words.", Page(1))


@pytest.mark.slow
def test_fault_45_a_child_that_hangs_or_only_says_it_lives_is_ended(tmp_path: Path) -> None:
    path = tmp_path / "a.misbehave"
    with Hostile(limit_s=1.0, whole_limit_s=1.5) as reader:
        for fault in ("hang", "spin", "alive for ever"):
            path.write_text(fault)
            began = time.monotonic()
            with pytest.raises(UnreadableError) as refused:
                reader.extract(path)
            assert refused.value.reason == "timeout"
            assert time.monotonic() - began < 5


def test_a_child_takes_no_more_memory_than_it_may(tmp_path: Path) -> None:
    path = tmp_path / "a.misbehave"
    path.write_text("hog")
    with Hostile(memory_bytes=700 << 20) as reader:
        with pytest.raises(UnreadableError) as refused:
            reader.extract(path)
        assert refused.value.reason == "too_large"
        assert reader.pid is not None  # it said so itself
        assert psutil.Process(reader.pid).memory_info().rss < 700 << 20
