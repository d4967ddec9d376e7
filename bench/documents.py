"""Ten thousand real documents to be read: Debian's documentation packages, and office files with
paragraphs of it."""

from __future__ import annotations

import gzip
import hashlib
import random
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import platformdirs

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
ENDINGS = frozenset(".html .htm .txt .md .rst .pdf".split())
MANUAL = re.compile(r"\.\d\w*")
LARGEST_BYTES = 4 << 20
APT = ("apt-get", "-o", "APT::Sandbox::User=root", "download", "-qq")
CACHE = platformdirs.user_cache_path("recollect-bench")


def corpus() -> Path:
    """The folder of the documents, which are fetched and unpacked the first time."""
    folder = CACHE / "documents"
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
        slides.save(str(folder / f"slides{number:03}.pptx"))


def _printable(file: Path) -> list[str]:
    text = file.read_text(errors="replace")
    return [line for line in text.splitlines() if line.strip() and line.isprintable()]


def sample(folder: Path, into: Path) -> Path:
    """Copies of a few of them."""
    into.mkdir()
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    for number, file in enumerate(random.Random(SEED).sample(files, QUICK)):
        shutil.copy(file, into / f"{number:03}-{file.name}")
    return into


def rare_words(files: list[Path], count: int = 40) -> list[str]:
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
