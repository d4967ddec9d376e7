"""The first hour with one's own files: found by words only, by pocket, and by the small readers."""

from __future__ import annotations

import random
import re
import shutil
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import numpy as np
import psutil
import soundfile
import soxr
from PIL import Image as Picture
from PIL import ImageDraw, ImageFont

from bench import documents
from bench.report import Report, Row
from model.interface import Image, Sound
from model.readers.packages import find_readers
from model.readers.speech import RATE_HZ
from recollect import build
from web.library.library import Library
from web.machine.settings import Settings

FILES, QUICK_FILES = 200, 45
# Questions as a newcomer asks them, without the words of the manual page that answers them; they
# were written from the names of the pages, before any of the three had been asked.
PARAPHRASES = {
    "closedir-3": "I am done listing the files of a folder",
    "pause-2": "sleep until somebody interrupts the process",
    "lrint-3": "turn a fraction into the closest whole number",
    "tmpfile-3": "scratch file that vanishes when the program ends",
    "mtrace-3": "find memory leaks of a program",
    "killpg-3": "kill all processes that belong together",
    "bsearch-3": "quickly look something up in an ordered list",
    "listen-2": "let a server wait for clients",
    "getpid-2": "number of the running program and of its parent",
    "sqrt-3": "which number times itself gives this one",
    "symlink-2": "create a shortcut that points to another file",
    "statvfs-3": "how much room is left on the disk",
    "iconv-3": "convert a text from Latin-1 to UTF-8",
    "inet_pton-3": "parse an internet address somebody typed",
    "bswap-3": "change between big and little endian",
    "arc4random-3": "unpredictable numbers for cryptography",
    "qsort-3": "put a list in order with my own comparison",
    "realpath-3": "resolve dots and links in a file name",
    "shutdown-2": "stop sending on a connection but go on receiving",
    "delete_module-2": "take a driver out of the running system",
    "on_exit-3": "run my cleanup code when the program ends",
    "perror-3": "tell the user why the last call failed",
    "rmdir-2": "remove an empty folder",
    "fsync-2": "make sure that what I wrote survives a power cut",
    "swapon-2": "add virtual memory on a partition",
    "pthread_join-3": "wait until a worker has finished",
    "abort-3": "crash the program on purpose",
    "getpass-3": "ask for a secret without showing what is typed",
    "sendfile-2": "copy between two open files without a buffer in the program",
    "isatty-3": "is the output shown on a screen or sent to a file",
    "round-3": "nearest integer, halves upwards",
    "rtime-3": "ask another computer what o'clock it is",
    "strfmon-3": "show an amount of money in the local format",
    "memmem-3": "find some bytes within other bytes",
}
LINES_A_PAGE, PAGE_PX, TYPE_PX = 40, (1240, 1754), 24
PAGES, QUICK_PAGES = 6, 2
PROMPTS = "asterisk-core-sounds-en-wav"  # recorded by a human voice
SOUND_S = 60.0
Query = tuple[str, str]  # what is typed, and the stem of the file that is meant


def run(quick: bool) -> Report:
    folder = documents.corpus() / "manpages-dev"
    files = _chosen(sorted(folder.rglob("*.txt")), QUICK_FILES if quick else FILES)
    queries = _queries(files)
    places: dict[tuple[str, str], list[int | None]] = {}
    with tempfile.TemporaryDirectory() as base:
        library_folder = Path(base) / "manuals"
        library_folder.mkdir()
        for file in files:
            shutil.copy(file, library_folder)
        for model in ("pocket", "readers"):
            with _library(model, Path(base) / model, library_folder) as library:
                for kind, asked in queries.items():
                    places[model, kind] = [_place(library, query, "all") for query in asked]
                    places["words", kind] = [_place(library, query, "words") for query in asked]
        media = _media_rows(files, Path(base), QUICK_PAGES if quick else PAGES)
    rows = []
    for kind, goal in (("paraphrase", 2.0), ("keywords", 1.0), ("exact", 1.0)):
        for first, bound in ((1, goal if kind == "keywords" else None), (5, goal)):
            counts = {
                model: sum(place is not None and place < first for place in places[model, kind])
                for model in ("words", "pocket", "readers")
            }
            of = f"{kind} queries of {len(queries[kind])} with the right file among {first}"
            rows += [
                Row(f"{kind}_r{first}", f"{of}, by the readers; reference: words only",
                    counts["readers"], "", counts["words"], bound),
                Row(f"pocket_{kind}_r{first}", f"{of}, by pocket; reference: words only",
                    counts["pocket"], "", counts["words"]),
            ]  # fmt: skip
    return Report("dayone", [*rows, *media], seeds=[documents.SEED])


def _chosen(files: list[Path], count: int) -> list[Path]:
    """The pages that are asked for, and others, of which the short ones are taken."""
    asked = [file for file in files if file.stem in PARAPHRASES]
    others = [file for file in files if file not in asked and file.stat().st_size < 6_000]
    drawn = random.Random(documents.SEED).sample(others, count - len(asked))
    return [*asked, *drawn]


def _queries(files: list[Path]) -> dict[str, list[Query]]:
    chance = random.Random(documents.SEED)
    exact: list[Query] = []
    keywords: list[Query] = []
    for file in chance.sample(files, 33):
        text = file.read_text(errors="replace")
        lines = [line.split() for line in text.splitlines() if re.match(r"[A-Za-z]", line)]
        line = max(lines, key=len)
        exact.append((" ".join(line[:6]), file.stem))
        subject = text.partition(".SH NAME\n")[2].partition("\\-")[2].partition(".SH")[0]
        named = re.findall(r"[A-Za-z]{4,}", subject) or re.findall(r"[A-Za-z]{5,}", " ".join(line))
        keywords.append((" ".join(named[:4]), file.stem))
    present = {file.stem for file in files}
    paraphrases = [(text, stem) for stem, text in PARAPHRASES.items() if stem in present]
    return {"paraphrase": paraphrases, "keywords": keywords, "exact": exact}


@contextmanager
def _library(model: str, data: Path, folder: Path) -> Iterator[Library]:
    with closing(build(Settings(data=data, model=model))) as library:
        library.add(str(folder))
        library.index()
        yield library


def _place(library: Library, query: Query, by: str) -> int | None:
    words, stem = query
    hits = library.search(words, by="words" if by == "words" else "all")["hits"]
    return next((at for at, hit in enumerate(hits) if Path(hit["path"]).stem == stem), None)


def _media_rows(files: list[Path], base: Path, pages: int) -> list[Row]:
    """What is read of rendered pages and heard of prompts, how fast, and in what memory."""
    before = psutil.Process().children(recursive=True)
    model = find_readers(threads=1).load(lambda: None)
    [child] = [
        child
        for child in psutil.Process().children(recursive=True)
        if child not in before and "model.readers.worker" in child.cmdline()
    ]
    right = wanted = 0
    began_s = _used_s(child)
    for file in files[:pages]:
        text, pixels = _page(file)
        read = Counter(_words(model.describe(Image(pixels)).words))
        written = Counter(_words(text))
        wanted += written.total()
        right += (written & read).total()
    page_s = (_used_s(child) - began_s) / pages
    began_s, heard_s = _used_s(child), 0.0
    for sound in _prompts(base):
        model.describe(sound)
        heard_s += sound.duration_s
    sound_s = _used_s(child) - began_s
    peak_mb = _peak_mb(child)
    return [
        Row("scan_words", f"share of the {wanted} words of {pages} rendered pages read right",
            right / wanted, "", None, 0.97),
        Row("pages_a_core_minute", "pages read in a minute of one core", 60 / page_s, "pages"),
        Row("sound_a_core_minute", "minutes of prompts heard in a minute of one core",
            heard_s / sound_s, "min"),
        Row("peak_mb", "memory of the readers' process at most", peak_mb, "MB", None, 1000, True),
    ]  # fmt: skip


def _page(file: Path) -> tuple[str, np.ndarray[tuple[int, int, int], np.dtype[np.uint8]]]:
    """The prose of a manual page, and a picture of it as a scanner gives it at 150 dots an inch."""
    text = " ".join(
        line for line in file.read_text(errors="replace").splitlines() if re.match("[A-Za-z]", line)
    )
    font = ImageFont.load_default(TYPE_PX)
    lines, line = [], ""
    for word in re.sub(r"\\.", " ", text).split():
        if font.getlength(f"{line} {word}") > PAGE_PX[0] - 200:
            lines.append(line)
            line = ""
        line = f"{line} {word}".strip()
    lines = [*lines, line][:LINES_A_PAGE]
    page = Picture.new("RGB", PAGE_PX, "white")
    ImageDraw.Draw(page).multiline_text((100, 100), "\n".join(lines), "black", font, spacing=12)
    return "\n".join(lines), np.asarray(page).copy()


def _prompts(base: Path) -> Iterator[Sound]:
    """Recorded sentences, SOUND_S seconds in all, of the longer ones."""
    subprocess.run([*documents.APT, PROMPTS], cwd=base, check=True)
    [archive] = base.glob("*.deb")
    subprocess.run(["dpkg-deb", "-x", archive, base / "prompts"], check=True)
    left_s = SOUND_S
    for file in sorted((base / "prompts").rglob("*.wav"), key=lambda file: file.name):
        samples, rate_hz = soundfile.read(file, dtype="float32")
        if "silence" not in file.parts and len(samples) > 2 * rate_hz:
            resampled = np.asarray(soxr.resample(samples, rate_hz, RATE_HZ), dtype=np.float32)
            sound = Sound(resampled, RATE_HZ)
            yield sound.between(0.0, min(sound.duration_s, 28.0))
            left_s -= sound.duration_s
        if left_s <= 0:
            return


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text)


def _used_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def _peak_mb(process: psutil.Process) -> float:
    status = Path(f"/proc/{process.pid}/status").read_text(encoding="ascii")
    [peak] = re.findall(r"VmHWM:\s+(\d+) kB", status)
    return int(peak) / 1000
