from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest
import soundfile
from PIL import Image as Picture

from indexer.extract.dispatch import extract
from indexer.extract.pages.mupdf import pymupdf
from indexer.extract.process.protocol import decode_message, encode_message
from indexer.extract.process.reader import ReaderProcess
from indexer.types.pieces import Facts, MediaPart, PageText, Thumb, UnreadableError
from indexer.types.places import Page, Span
from model.interface import Image, Sound
from tests.library import until


@pytest.fixture(scope="module")
def reader() -> Iterator[ReaderProcess]:
    with ReaderProcess() as made:
        yield made


@pytest.fixture
def note(tmp_path: Path) -> Path:
    path = tmp_path / "note.md"
    path.write_text("# A note\n\nSome words about the harbour.")
    return path


def pdf(path: Path, pages: int) -> Path:
    with pymupdf.open() as document:
        for number in range(1, pages + 1):
            document.new_page().insert_text((72, 72), f"Words of page {number}")
        document.save(path)
    return path


def slow_picture(path: Path) -> Path:
    """A WebP that takes seconds to decode: large and all noise."""
    Picture.effect_noise((6000, 6000), 90).save(path, "WEBP", quality=60, method=0)
    return path


@pytest.fixture(scope="module")
def slow(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return slow_picture(tmp_path_factory.mktemp("slow") / "slow.webp")


def test_the_child_finds_what_is_found_here(
    reader: ReaderProcess, tmp_path: Path, note: Path
) -> None:
    photo = tmp_path / "a.png"
    Picture.new("RGB", (600, 300), "teal").save(photo)
    sound = tmp_path / "a.wav"
    soundfile.write(sound, np.sin(np.arange(48_000) / 9).astype(np.float32), 16_000)
    for path in (note, photo, sound, pdf(tmp_path / "a.pdf", 3)):
        assert reader.extract(path) == list(extract(path))
    kinds = [type(piece) for piece in reader.extract(note)]
    assert kinds == [PageText, Facts, Thumb]
    assert reader.extract(sound)[-1] == MediaPart(Span(0.0, 3.0))


def test_originals(reader: ReaderProcess, tmp_path: Path, note: Path) -> None:
    photo = tmp_path / "a.png"
    Picture.new("RGB", (600, 300), (0, 128, 128)).save(photo)
    image = reader.original(photo, None, longest_px=100)
    assert isinstance(image, Image)
    assert image.pixels.shape == (50, 100, 3)
    assert image.pixels[0, 0].tolist() == [0, 128, 128]
    page = reader.original(note, Page(1))
    assert isinstance(page, Image)
    assert page.pixels.shape[0] == 1600
    sound = tmp_path / "a.wav"
    soundfile.write(sound, np.full((32_000, 2), 0.25, np.float32), 8_000)
    clip = reader.original(sound, Span(1.0, 2.5))
    assert isinstance(clip, Sound)
    assert (clip.rate_hz, clip.samples.size) == (16_000, 24_000)
    assert reader.peaks(sound, 4) == [0.25] * 4
    wave = np.frombuffer(reader.pcm(sound, 1.0, 4.0, 24_000), "<i2")
    assert wave.size == 4 * 24_000
    assert wave[24_000] == pytest.approx(0.25 * 32_767, abs=2)
    assert wave[-24_000:].max() == 0  # behind its end
    with Picture.open(io.BytesIO(reader.picture(photo, 64))) as small:
        assert (small.format, small.size) == ("WEBP", (64, 32))


def test_pages_and_their_words(reader: ReaderProcess, tmp_path: Path, note: Path) -> None:
    for path, number, first in ((note, 1, "A"), (pdf(tmp_path / "a.pdf", 3), 3, "Words")):
        with Picture.open(io.BytesIO(reader.page(path, number, 900))) as picture:
            assert (picture.format, picture.width) == ("WEBP", 900)
        words = reader.words(path, number)
        assert words["words"][0][4] == first
        assert round(words["width"]) == 595
    with pytest.raises(UnreadableError, match="no page 4"):
        reader.page(tmp_path / "a.pdf", 4, 900)
    with pytest.raises(UnreadableError, match="no page 2"):
        reader.words(note, 2)


def test_what_is_wrong_with_a_file_comes_back_as_its_sentence(
    reader: ReaderProcess, tmp_path: Path
) -> None:
    (tmp_path / "empty.txt").touch()
    for name, reason in (("empty.txt", "empty"), ("gone.txt", "vanished")):
        with pytest.raises(UnreadableError) as refused:
            reader.extract(tmp_path / name)
        assert refused.value.reason == reason
        assert refused.value.sentence.endswith(".")
    before = reader.pid
    with pytest.raises(UnreadableError, match="not a kind of file"):
        reader.extract(Path(sys.executable).resolve())
    assert reader.pid == before  # none of this ended the child


def test_names_of_any_bytes_reach_the_child(reader: ReaderProcess, tmp_path: Path) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/new\nline \xff \xf0\x9f\x98\x80.txt"))
    path.write_text("Odd name.")
    assert reader.extract(path)[0] == PageText("Odd name.", Page(1))


def test_a_killed_child_is_a_sentence_and_a_new_child(slow: Path, note: Path) -> None:
    with ReaderProcess() as reader:
        reader.extract(note)
        first = reader.pid
        assert first is not None
        killer = threading.Timer(0.3, os.kill, (first, signal.SIGKILL))
        killer.start()
        with pytest.raises(UnreadableError, match="made the program that reads it stop") as refused:
            reader.extract(slow)
        assert refused.value.reason == "crashed"
        assert isinstance(reader.extract(note)[0], PageText)
        assert reader.pid not in (None, first)


def test_a_child_killed_while_idle_is_replaced(note: Path) -> None:
    with ReaderProcess() as reader:
        reader.extract(note)
        assert reader.pid is not None
        os.kill(reader.pid, signal.SIGKILL)
        time.sleep(0.05)
        assert isinstance(reader.extract(note)[0], PageText)


def test_a_file_that_takes_too_long_is_a_sentence(slow: Path, note: Path) -> None:
    with ReaderProcess(limit_s=60) as reader:
        reader.extract(note)
        reader._limit_s = 0.3
        with pytest.raises(UnreadableError, match=r"longer than 0\.3 seconds") as refused:
            reader.extract(slow)
        assert refused.value.reason == "timeout"
        reader._limit_s = 60
        assert isinstance(reader.extract(note)[0], PageText)


def test_a_file_that_takes_too_much_memory_is_a_sentence(tmp_path: Path, note: Path) -> None:
    path = tmp_path / "large.png"
    Picture.new("RGB", (12_000, 12_000)).save(path, compress_level=1)
    with ReaderProcess(memory_bytes=700 << 20) as reader:
        with pytest.raises(UnreadableError, match="more memory than Recollect gives") as refused:
            reader.extract(path)
        assert refused.value.reason == "too_large"
        assert isinstance(reader.extract(note)[0], PageText)


PARENT = """
import sys, threading
from pathlib import Path
from indexer.extract.process.reader import ReaderProcess
reader = ReaderProcess()
reader.extract(Path(sys.argv[1]))
print(reader.pid, flush=True)
if len(sys.argv) > 2:
    reader.extract(Path(sys.argv[2]))
else:
    threading.Event().wait()
"""


@pytest.mark.parametrize("busy", [False, True])
def test_the_child_ends_with_its_parent(slow: Path, note: Path, busy: bool) -> None:
    """Also when the parent is killed while a decoder runs that holds the interpreter's lock."""
    files = [str(note), str(slow)] if busy else [str(note)]
    command = [sys.executable, "-c", PARENT, *files]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = psutil.Process(int(parent.stdout.readline()))
        time.sleep(0.3)
        assert child.is_running()
        parent.kill()
    until(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE)


def test_the_child_has_nothing_of_ours(tmp_path: Path, note: Path) -> None:
    with (tmp_path / "open").open("w") as open_file, ReaderProcess() as reader:
        os.set_inheritable(open_file.fileno(), True)
        reader.extract(note)
        assert reader.pid is not None
        process = psutil.Process(reader.pid)
        assert process.cwd() == "/"
        assert process.net_connections() == []
        opened = [link.readlink() for link in Path(f"/proc/{reader.pid}/fd").iterdir()]
        assert all(str(file).startswith(("/dev/null", "pipe:")) for file in opened)
        assert len(opened) == 6  # the standard three, and our three pipes


def test_the_child_loads_nothing_that_talks_to_its_maker(
    reader: ReaderProcess, tmp_path: Path
) -> None:
    reader.extract(pdf(tmp_path / "a.pdf", 1))
    assert "onnx" not in Path(f"/proc/{reader.pid}/maps").read_text()
    assert "onnxruntime" not in sys.modules


def test_an_interrupt_is_not_for_the_child(note: Path) -> None:
    with ReaderProcess() as reader:
        reader.extract(note)
        pid = reader.pid
        assert pid is not None
        os.kill(pid, signal.SIGINT)
        time.sleep(0.05)
        assert isinstance(reader.extract(note)[0], PageText)
        assert reader.pid == pid


def test_threads_take_turns(reader: ReaderProcess, tmp_path: Path) -> None:
    paths = []
    for n in range(8):
        paths.append(tmp_path / f"{n}.txt")
        paths[-1].write_text(f"Words of file {n}.")
    pieces: dict[int, list[object]] = {}

    def read(n: int) -> None:
        for _ in range(5):
            pieces[n] = list(reader.extract(paths[n]))

    threads = [threading.Thread(target=read, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [pieces[n][0] for n in range(8)] == [
        PageText(f"Words of file {n}.", Page(1)) for n in range(8)
    ]


def test_a_closed_reader_leaves_no_process_and_can_be_used_again(note: Path) -> None:
    reader = ReaderProcess()
    reader.close()
    reader.extract(note)
    pid = reader.pid
    assert pid is not None
    reader.close()
    assert not psutil.pid_exists(pid)
    reader.extract(note)
    reader.close()


def test_the_child_starts_without_decoders(note: Path) -> None:
    with ReaderProcess() as reader:
        with pytest.raises(UnreadableError):
            reader.extract(note.with_name("gone.txt"))
        loaded = Path(f"/proc/{reader.pid}/maps").read_text()
    assert "mupdf" not in loaded
    assert "torch" not in loaded


def test_messages_are_checked() -> None:
    stream = io.BytesIO(encode_message({"is": "x", "text": "ü\ud800"}, b"body"))
    assert decode_message(stream.read) == ({"is": "x", "text": "ü\ud800"}, b"body")
    with pytest.raises(ValueError, match="larger"):
        decode_message(io.BytesIO(b"\xff" * 12).read)
    with pytest.raises(ValueError, match="without a head"):
        decode_message(io.BytesIO(encode_message([], b"")).read)  # type: ignore[arg-type]


def test_reading_changes_nothing(reader: ReaderProcess, tmp_path: Path, note: Path) -> None:
    pdf(tmp_path / "a.pdf", 2)
    before = {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in tmp_path.iterdir()}
    for path in before:
        reader.extract(path)
        reader.page(path, 1, 300)
    after = {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in tmp_path.iterdir()}
    assert after == before
