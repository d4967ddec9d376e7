"""The tree of the product: each wing with its sentence, each file with its own.

A sentence is the first one of a module's docstring, so the tree says nothing that the source does
not say. Nothing is imported for it.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
PACKAGES = ("web", "retriever", "indexer", "model")
# Folders without Python have no docstring.
PLAIN_FOLDERS = {
    "web/static": "The browser's side: plain JavaScript modules over Preact, no build step.",
    "model/pocket": "The demonstration model and its library: files, no logic.",
}
BESIDE = ("training", "bench", "tests", "docs")


@dataclass(frozen=True, slots=True)
class Wing:
    """A package or a folder of the product; `files` are (name, sentence), in the order of names."""

    folder: str
    sentence: str
    files: tuple[tuple[str, str], ...] = ()


def sentence(file: Path) -> str:
    """The first sentence of a module's docstring, on one line; empty where there is none."""
    docstring = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""
    paragraph = " ".join(docstring.split("\n\n")[0].split())
    return re.split(r"(?<=[.?!])\s", paragraph, maxsplit=1)[0]


def wings(root: Path = ROOT) -> Iterator[Wing]:
    """Every wing of the product, outermost package first, each before the wings inside it."""
    for package in PACKAGES:
        for init in sorted((root / package).rglob("__init__.py"), key=lambda file: file.parent):
            folder = init.parent
            files = sorted(file for file in folder.glob("*.py") if file.name != "__init__.py")
            yield Wing(
                folder.relative_to(root).as_posix(),
                sentence(init),
                tuple((file.name, sentence(file)) for file in files),
            )
        for name, words in PLAIN_FOLDERS.items():
            if name.startswith(f"{package}/"):
                yield Wing(name, words)


def overview(root: Path = ROOT) -> str:
    """The wings with their sentences, as text for the README."""
    rows = [("recollect.py", sentence(root / "recollect.py"))]
    rows += [(_indented(f"{wing.folder}/"), wing.sentence) for wing in wings(root)]
    rows += [(f"{name}/", sentence(root / name / "__init__.py")) for name in BESIDE]
    width = max(len(name) for name, _ in rows) + 2
    lines = [f"{name:{width}}{words}" for name, words in rows]
    return "\n".join(["```", *lines, "```"])


def full_tree(root: Path = ROOT) -> str:
    """Every wing and every file with its sentence, as Markdown."""
    parts = [f"**`recollect.py`** {sentence(root / 'recollect.py')}\n"]
    for wing in wings(root):
        level = "#" * (3 + wing.folder.count("/"))
        parts.append(f"{level} `{wing.folder}/`\n\n{wing.sentence}\n")
        if wing.files:
            rows = [f"| `{name}` | {words} |" for name, words in wing.files]
            parts.append("\n".join(["| file | what it is |", "|---|---|", *rows]) + "\n")
    return "\n".join(parts)


def _indented(folder: str) -> str:
    *above, name = folder.rstrip("/").split("/")
    return "  " * len(above) + f"{name}/"
