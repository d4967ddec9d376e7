"""Files made to swell: what the indexer and its reading child take, and whether others are served.

Each bomb meets a library of its own in a process of its own: opened, warmed up with one good file
of each kind, measured at rest; then the bomb is dropped in and worked off through both stages (the
model is one without weights), while another thread goes on searching and drawing pages.
"""

from __future__ import annotations

import json
import os
import struct
import subprocess
import sys
import tempfile
import threading
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import soundfile

from bench.report import Report, Row

PARENT_MB = 300.0
SLOW_S = 2.0  # a search while the bomb is worked off
SEED = 5


def run(quick: bool) -> Report:
    rows: list[Row] = []
    for name, make in BOMBS.items():
        with tempfile.TemporaryDirectory() as base:
            make(Path(base) / name, quick)
            figures = measured(Path(base) / name, Path(base) / "library")
        outcome = f"{figures['state']}{', ' + figures['reason'] if figures['reason'] else ''}"
        key = name.replace(".", "_").replace(" ", "_")
        rows += [
            Row(f"{key}_parent", f"{name} ({outcome}): the indexer's peak over its idle",
                figures["parent_mb"], "MB", goal=PARENT_MB, at_most=True),
            Row(f"{key}_child", f"{name}: the reading child's peak", figures["child_mb"], "MB",
                reference=figures["cap_mb"], goal=1.0, at_most=True),
            Row(f"{key}_served", f"{name}: slowest of {figures['served']} searches meanwhile",
                figures["slowest_s"], "s", goal=SLOW_S, at_most=True),
            Row(f"{key}_took", f"{name}: both stages", figures["took_s"], "s"),
        ]  # fmt: skip
    return Report("bombs", rows, [SEED])


def measured(bomb: Path, library: Path) -> dict[str, Any]:
    """What came of it, by a process of its own: see `_main`."""
    command = [sys.executable, "-m", "bench.bombs", str(bomb), str(library)]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    figures: dict[str, Any] = json.loads(output.splitlines()[-1])
    return figures


# -- the bombs ----------------------------------------------------------------------------------


def many_pages(path: Path, quick: bool) -> None:
    from indexer.extract.pages.mupdf import pymupdf

    words = "The deposit was returned after the heating had been repaired in the blue room. "
    with pymupdf.open() as document:
        for number in range(200 if quick else 1_000):
            page = document.new_page()
            page.insert_textbox((50, 50, 550, 800), f"Page {number}. " + words * 40, fontsize=8)
        document.save(path)


def swelling_page(path: Path, quick: bool) -> None:
    """A page whose description is packed twice, to a thousandth of a thousandth."""
    raw = b"0 0 1 rg 0 0 9 9 re f\n" * ((40 if quick else 600) << 20 >> 5)
    packed = zlib.compress(zlib.compress(raw, 9), 9)
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]/Contents 4 0 R>>",
        b"<</Length %d/Filter[/FlateDecode/FlateDecode]>>stream\n%s\nendstream"
        % (len(packed), packed),
    ]
    body, offsets = b"%PDF-1.4\n", []
    for number, content in enumerate(objects, start=1):
        offsets.append(len(body))
        body += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % at for at in offsets)
    end = b"xref\n0 5\n0000000000 65535 f \n%strailer<</Size 5/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF"
    path.write_bytes(body + end % (table, len(body)))


def long_recording(path: Path, quick: bool) -> None:
    rng = np.random.default_rng(SEED)
    hours = 0.2 if quick else 4.0
    rate_hz = 16_000
    minute = np.concatenate([_talk(rng, rate_hz, 9.0), np.zeros(3 * rate_hz, np.float32)] * 5)
    with soundfile.SoundFile(path, "w", rate_hz, 1, "PCM_16") as file:
        for _ in range(round(hours * 60)):
            file.write(minute)


def _talk(rng: np.random.Generator, rate_hz: int, seconds: float) -> Any:
    """Buzzing syllables, three a second: what a voice looks like to a detector of level."""
    t = np.arange(round(seconds * rate_hz)) / rate_hz
    voice = sum(np.sin(2 * np.pi * 120 * k * t) / k for k in range(1, 20))
    shape = np.clip(np.sin(2 * np.pi * 3 * t + rng.uniform(0, 6)), 0, 1)
    return (0.1 * voice * shape).astype(np.float32)


def large_picture(path: Path, quick: bool) -> None:
    side = 4_000 if quick else 10_000
    _png(path, side, side, colour=2)


def large_picture_with_alpha(path: Path, quick: bool) -> None:
    side = 4_000 if quick else 10_000
    _png(path, side, side, colour=6)


def picture_beyond(path: Path, quick: bool) -> None:
    _png(path, 30_000, 30_000, colour=2, rows=10)


def swelling_text(path: Path, quick: bool) -> None:
    """A picture of one pixel with 200 MB of text in it, packed."""
    text = b"Comment\0\0" + zlib.compress(bytes((20 if quick else 200) << 20), 9)
    _png(path, 1, 1, colour=2, extra=_chunk(b"zTXt", text) * 5)


def _png(
    path: Path, width: int, height: int, colour: int, rows: int | None = None, extra: bytes = b""
) -> None:
    """A picture of noise of few rows, repeated: small on disk, all of it there when decoded."""
    channels = {2: 3, 6: 4}[colour]
    row = b"\0" + np.random.default_rng(SEED).integers(0, 255, width * channels, np.uint8).tobytes()
    packer = zlib.compressobj(1)
    data = b"".join(packer.compress(row) for _ in range(rows or height)) + packer.flush()
    head = struct.pack(">IIBBBBB", width, height, 8, colour, 0, 0, 0)
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + _chunk(b"IHDR", head)
        + extra
        + _chunk(b"IDAT", data)
        + _chunk(b"IEND", b"")
    )


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def many_scans(path: Path, quick: bool) -> None:
    """A TIFF of 10,000 pages, every one the same few bytes."""
    pages = 1_000 if quick else 10_000
    pixels = bytes(64 * 64)
    entries = [(256, 64), (257, 64), (258, 8), (259, 1), (262, 1), (273, 8), (277, 1), (278, 64)]
    entries.append((279, len(pixels)))
    size = 2 + 12 * len(entries) + 4
    first = 8 + len(pixels)
    with path.open("wb") as file:
        file.write(b"II*\0" + first.to_bytes(4, "little") + pixels)
        for number in range(pages):
            file.write(struct.pack("<H", len(entries)))
            for tag, value in entries:
                file.write(struct.pack("<HHII", tag, 4, 1, value))
            more = first + size * (number + 1) if number + 1 < pages else 0
            file.write(struct.pack("<I", more))


def sound_of_32_channels(path: Path, quick: bool) -> None:
    rng = np.random.default_rng(SEED)
    with soundfile.SoundFile(path, "w", 192_000, 32, "FLOAT") as file:
        for _ in range(2 if quick else 10):
            file.write(rng.standard_normal((192_000, 32)).astype(np.float32) * 0.2)


def sound_of_8_hz(path: Path, quick: bool) -> None:
    soundfile.write(path, np.zeros((1 if quick else 8) << 20), 8, "PCM_16")


def many_words(path: Path, quick: bool) -> None:
    line = "".join(f"word{n} " for n in range(2_000)) + "\n"
    with path.open("w") as file:
        for _ in range((2 if quick else 30) * 64):
            file.write(line)


BOMBS: dict[str, Callable[[Path, bool], None]] = {
    "1000 pages.pdf": many_pages,
    "swelling.pdf": swelling_page,
    "4 hours.wav": long_recording,
    "100 megapixels.png": large_picture,
    "100 megapixels with alpha.png": large_picture_with_alpha,
    "900 megapixels.png": picture_beyond,
    "text in a pixel.png": swelling_text,
    "10000 pages.tif": many_scans,
    "32 channels.wav": sound_of_32_channels,
    "8 Hz.wav": sound_of_8_hz,
    "30 MB of words.txt": many_words,
}

# -- in a process of its own --------------------------------------------------------------------


@dataclass
class Watch:
    """Looks at the children of this process, and searches, until it is stopped."""

    look: Callable[[], None]
    child_bytes: int = 0
    served: int = 0
    slowest_s: float = 0.0
    _done: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Watch:
        self._threads = [threading.Thread(target=run) for run in (self._children, self._searches)]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        for thread in self._threads:
            thread.join()

    def _children(self) -> None:
        while not self._done.wait(0.02):
            for child in psutil.Process().children(recursive=True):
                self.child_bytes = max(self.child_bytes, peak_bytes(child.pid))

    def _searches(self) -> None:
        while not self._done.wait(0.05):
            began = time.monotonic()
            self.look()
            self.served += 1
            self.slowest_s = max(self.slowest_s, time.monotonic() - began)


def peak_bytes(pid: int | str = "self") -> int:
    """The most memory a process has had since it began, or since `forget_peak`."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    lines = [line for line in status.splitlines() if line.startswith("VmHWM")]
    return int(lines[0].split()[1]) << 10 if lines else 0


def _main(bomb: Path, folder: Path) -> None:
    from indexer.extract.process.reader import MEMORY_BYTES, ReaderProcess
    from indexer.scan.reconcile import reconcile
    from tests.library import small

    with small(folder / "files", folder / "data") as library, ReaderProcess() as shown:

        def work_off() -> None:
            reconcile(library.catalog)
            while library.pipeline.reading.run():
                pass
            while library.pipeline.understanding.run():
                pass

        def look() -> None:
            if set(library.found("heron")) != {good}:
                raise SystemExit("a good file was not found meanwhile")
            shown.page(good, 1, 400)

        good = library.write("good.txt", "A heron stands in the pond. " * 200)
        soundfile.write(library.folder / "good.wav", 0.1 * np.ones(16_000), 16_000)
        _png(library.folder / "good.png", 64, 64, colour=2)
        work_off()
        for _ in range(20):
            look()
        Path("/proc/self/clear_refs").write_text("5")  # the peak is counted from here
        idle_bytes = psutil.Process().memory_info().rss
        target = library.folder / bomb.name
        began = time.monotonic()
        with Watch(look) as watch:
            bomb.rename(target)
            work_off()
        took_s = time.monotonic() - began
        after = library.write("after.txt", "A kingfisher came later.")
        work_off()
        with library.catalog.database.reading() as db:
            row = db.execute(
                "SELECT state, reason FROM listing WHERE path = ?", (os.fsencode(bomb.name),)
            ).fetchone()
        if library.found("kingfisher") != [after]:
            raise SystemExit("the next file was not read")
        print(
            json.dumps(
                {
                    "parent_mb": (peak_bytes() - idle_bytes) / 1e6,
                    "child_mb": watch.child_bytes / 1e6,
                    "cap_mb": MEMORY_BYTES / 1e6,
                    "took_s": took_s,
                    "served": watch.served,
                    "slowest_s": watch.slowest_s,
                    "state": row["state"],
                    "reason": row["reason"],
                }
            )
        )


if __name__ == "__main__":
    _main(Path(sys.argv[1]), Path(sys.argv[2]))
