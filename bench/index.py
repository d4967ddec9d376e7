"""Stage 1 on ten thousand documents: documents a second and memory, beside Recoll on the same."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import random
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import platformdirs
import psutil

from bench.report import Report, Row

SEED = 20261121
QUICK = 300
# Debian packages of documentation, and how many of their files are taken at most.
PACKAGES = {
    "cmake-doc": 900, "debian-faq": 100, "debian-handbook": 900, "debian-policy": 200,
    "debian-reference-en": 50, "developers-reference": 100, "git-doc": 500, "gnuplot-doc": 400,
    "libboost1.74-doc": 900, "libglib2.0-doc": 300, "libgtk-3-doc": 300, "libx11-doc": 100,
    "linux-doc-6.1": 3200, "manpages": 300, "manpages-dev": 700, "maxima-doc": 200,
    "octave-doc": 600, "openjdk-17-doc": 900, "postgresql-doc-15": 600, "python3.11-doc": 700,
    "r-doc-html": 50, "r-doc-pdf": 50, "sqlite3-doc": 400, "texlive-latex-recommended-doc": 300,
}  # fmt: skip
OFFICE = 125  # of each of the four kinds
TAKEN = "html htm txt pdf docx odt xlsx pptx".split()
ENDINGS = frozenset(".html .htm .txt .md .rst .pdf".split())
MANUAL = re.compile(r"\.\d\w*")
LARGEST_BYTES = 4 << 20
APT = ("apt-get", "-o", "APT::Sandbox::User=root", "download", "-qq")
CACHE = platformdirs.user_cache_path("recollect-bench")


def run(quick: bool) -> Report:
    for program, package in {"apt-get": "apt", "dpkg-deb": "dpkg", "recollindex": "recollcmd",
                             "pdftotext": "poppler-utils"}.items():  # fmt: skip
        if shutil.which(program) is None:
            raise SystemExit(f"There is no {program} here; on Debian: apt install {package}")
    with tempfile.TemporaryDirectory() as base:
        folder = corpus(CACHE / "documents")
        if quick:
            folder = _sample(folder, Path(base) / "sample")
        files = [file for file in sorted(folder.rglob("*")) if file.is_file()]
        kinds = Counter(file.suffix for file in files)
        size_bytes = sum(len(file.read_bytes()) for file in files)  # now they are all in memory
        theirs = _recoll(folder, Path(base) / "recoll")
        ours = _ours(folder, Path(base) / "data")
        asked = _rare_words(files)
        found = theirs.found(asked), ours.found(asked)
    made = ", ".join(f"{count:,} {ending}" for ending, count in kinds.most_common())
    rows = [
        Row("files", f"files: {made}", len(files), "files",
            goal=QUICK if quick else 10_000),
        Row("size", "their size together", size_bytes / 1e6, "MB"),
        Row("documents", "documents that have been read, beside Recoll's", ours.documents,
            "documents", reference=theirs.documents, goal=0.99),
        Row("speed", "documents a second, read and found by their words, beside Recoll's",
            ours.documents / ours.took_s, "1/s", reference=theirs.documents / theirs.took_s,
            goal=1.0),
        Row("processor", "processor milliseconds a document, of all processes, beside Recoll's",
            1000 * ours.cpu_s / ours.documents, "ms",
            reference=1000 * theirs.cpu_s / theirs.documents, goal=1.0, at_most=True),
        Row("memory", "most memory of all processes together, beside Recoll's",
            ours.peak_bytes / 1e6, "MB", reference=theirs.peak_bytes / 1e6),
        Row("disk", "size of the index, beside Recoll's", ours.disk_bytes / 1e6, "MB",
            reference=theirs.disk_bytes / 1e6),
        Row("found", f"of {len(asked)} words that are in one file alone, found, beside Recoll's",
            found[1], "words", reference=found[0],
            goal=1.0),
        Row("load", "processes of others that were running meanwhile, on average",
            max(0.0, os.getloadavg()[1] - 1), "", reference=float(psutil.cpu_count() or 1)),
    ]  # fmt: skip
    return Report("index", rows, seeds=[SEED])


# -- the two


@dataclass(frozen=True)
class Measured:
    """One run of one of the two over all files."""

    took_s: float
    cpu_s: float
    peak_bytes: int
    disk_bytes: int
    documents: int
    asking: list[str]

    def found(self, words: list[str]) -> int:
        """How many of these words a search gives something for."""
        return sum(_hits([*self.asking, word]) > 0 for word in words)


def _recoll(folder: Path, data: Path) -> Measured:
    data.mkdir()
    (data / "recoll.conf").write_text(f"topdirs = {folder}\nloglevel = 2\n")
    # Debian's own Python is the one that has what Recoll's filters import
    took = _timed(["recollindex", "-c", str(data)], {**os.environ, "PATH": "/usr/bin:/bin"})
    asking = ["recollq", "-c", str(data), "-n", "1"]
    # one by one: how many match several terms Xapian only estimates
    documents = sum(_hits([*asking, f"ext:{ending}"]) for ending in TAKEN)
    return Measured(*took, _size(data / "xapiandb"), documents, asking)


def _ours(folder: Path, data: Path) -> Measured:
    asking = [sys.executable, "-m", "bench.index", str(data)]
    took = _timed([*asking, "--read", str(folder)], dict(os.environ))
    return Ours(*took, _size(data), _hits([*asking, "--count"]), asking)


@dataclass(frozen=True)
class Ours(Measured):
    """Asked for all words in one process: starting it takes longer than any search."""

    def found(self, words: list[str]) -> int:
        return _hits([*self.asking, "--find", *words])


def _hits(command: list[str]) -> int:
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    found = re.search(r"(\d+) results", said)
    assert found is not None, said
    return int(found.group(1))


def _timed(command: list[str], environment: dict[str, str]) -> tuple[float, float, int]:
    """Seconds a command takes by the clock and of the processors, and the most memory it and its
    children have had together."""
    began, used_s = time.perf_counter(), _used_s()
    with tempfile.TemporaryFile("w+") as said:
        process = subprocess.Popen(command, stdout=said, stderr=said, env=environment)
        peak = 0
        while process.poll() is None:
            peak = max(peak, _resident(process.pid))
            time.sleep(0.1)
        took_s = time.perf_counter() - began
        said.seek(0)
        assert process.returncode == 0, said.read()[-2000:]
    return took_s, _used_s() - used_s, peak


def _used_s() -> float:
    """Processor seconds of all children that have ended, and of theirs."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _resident(pid: int) -> int:
    total = 0
    try:
        top = psutil.Process(pid)
        for one in (top, *top.children(recursive=True)):
            try:
                total += one.memory_info().rss
            except psutil.NoSuchProcess:
                continue
    except psutil.NoSuchProcess:
        return 0
    return total


def _size(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def main(words: list[str]) -> None:
    """Stage 1 alone, in a process of its own: `DATA --read FOLDER`, `DATA --count` of documents,
    `DATA --find WORD ...` counts the words that are found."""
    from indexer.catalog import Catalog
    from indexer.extract.readers import Readers
    from indexer.keeper import READ_ON_ONCE_S
    from indexer.pipeline import Pipeline
    from indexer.reconcile import reconcile
    from indexer.store import Store
    from tests.fake_model import FakeModel

    data, what, *rest = words
    catalog = Catalog(Path(data) / "catalog.sqlite")
    if what == "--count":
        print(catalog.coverage()["read"], "results")
        return
    store = Store(Path(data) / "lance")
    if what == "--find":
        print(sum(bool(store.search_words(word, 10)) for word in rest), "results")
        return
    pipeline = Pipeline(catalog, store, Readers(), FakeModel())
    catalog.add_root(Path(rest[0]))
    reconcile(catalog)
    while pipeline.read_some(for_s=READ_ON_ONCE_S):
        pass
    pipeline.tidy(thoroughly=True)
    pipeline.close()
    print(json.dumps(catalog.states()))


# -- the files


def corpus(folder: Path) -> Path:
    """The documents, fetched and unpacked the first time."""
    done = folder / "done"
    if done.exists():
        return folder / "files"
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "files").mkdir(parents=True)
    with tempfile.TemporaryDirectory() as base:
        for package, most in PACKAGES.items():
            try:
                subprocess.run([*APT, package], cwd=base, check=True)
            except subprocess.CalledProcessError as problem:
                raise SystemExit(f"{package} cannot be fetched; run: apt-get update") from problem
            [archive] = Path(base).glob("*.deb")
            unpacked = Path(base) / "unpacked"
            subprocess.run(["dpkg-deb", "-x", archive, unpacked], check=True)
            for number, file in enumerate(sorted(_documents(unpacked), key=_drawn)[:most]):
                _take(file, folder / "files" / package / f"{number // 100:02}")
            shutil.rmtree(unpacked)
            archive.unlink()
    _office(folder / "files" / "office", folder / "files")
    done.touch()
    return folder / "files"


def _documents(folder: Path) -> Iterator[Path]:
    for file in folder.rglob("*"):
        if file.is_file() and not file.is_symlink() and 0 < file.stat().st_size < LARGEST_BYTES:
            plain = file.with_suffix("") if file.suffix == ".gz" else file
            if plain.suffix in ENDINGS or MANUAL.fullmatch(plain.suffix):
                yield file


def _drawn(file: Path) -> str:
    return hashlib.sha256(file.name.encode()).hexdigest()


def _take(file: Path, folder: Path) -> None:
    """Unpacked, and with an ending that both read: what has none of its own is plain text."""
    data = file.read_bytes()
    name = file.name
    if file.suffix == ".gz":
        data, name = gzip.decompress(data), name.removesuffix(".gz")
    if Path(name).suffix not in (".html", ".htm", ".pdf"):
        name = Path(name).with_suffix("").name + Path(name).suffix.replace(".", "-") + ".txt"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data)


def _office(folder: Path, around: Path) -> None:
    """Office files with paragraphs of the texts."""
    from docx import Document
    from odf.opendocument import OpenDocumentText
    from odf.text import P
    from openpyxl import Workbook
    from pptx import Presentation

    chance = random.Random(SEED)
    folder.mkdir()
    texts = sorted(around.rglob("*.txt"))
    for number in range(OFFICE):
        lines = _printable(chance.choice(texts))[:200]
        word = Document()
        odt = OpenDocumentText()
        for line in lines:
            word.add_paragraph(line)
            odt.text.addElement(P(text=line))
        word.save(str(folder / f"report{number:03}.docx"))
        odt.save(folder / f"letter{number:03}.odt")
        book = Workbook()
        for line in _printable(chance.choice(texts))[:200]:
            book.active.append([*line.split()[:8], chance.randrange(1000)])
        book.save(folder / f"table{number:03}.xlsx")
        slides = Presentation()
        for line in _printable(chance.choice(texts))[:10]:
            slide = slides.slides.add_slide(slides.slide_layouts[1])
            slide.shapes.title.text = line[:60]
            slide.placeholders[1].text = line
        slides.save(folder / f"slides{number:03}.pptx")


def _printable(file: Path) -> list[str]:
    text = file.read_text(errors="replace")
    return [line for line in text.splitlines() if line.strip() and line.isprintable()]


def _sample(folder: Path, into: Path) -> Path:
    into.mkdir()
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    for number, file in enumerate(random.Random(SEED).sample(files, QUICK)):
        shutil.copy(file, into / f"{number:03}-{file.name}")
    return into


def _rare_words(files: list[Path], count: int = 40) -> list[str]:
    """Plain words of eight letters and more that one text alone holds."""
    where: dict[str, int] = {}
    for number, file in enumerate(files):
        if file.suffix == ".txt":
            for word in set(re.findall(r"(?<![\w.'-])[a-z]{8,14}(?![\w.'-])", _text(file))):
                where[word] = number if where.get(word, number) == number else -1
    alone = sorted(word for word, number in where.items() if number >= 0)
    return random.Random(SEED).sample(alone, min(count, len(alone)))


def _text(file: Path) -> str:
    return file.read_text(errors="replace")


if __name__ == "__main__":
    main(sys.argv[1:])
