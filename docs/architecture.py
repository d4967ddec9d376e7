"""`python -m docs.architecture` writes docs/architecture.md with its picture, and the wings in the
README, from the source. With `--check` it writes nothing, and ends with 1 where it would.
"""

from __future__ import annotations

import sys
from pathlib import Path

from docs.arrows import ARROWS, Arrow
from docs.picture import svg
from docs.tree import ROOT, full_tree, overview

BEGIN, END = "<!-- wings: made by python -m docs.architecture -->", "<!-- end of wings -->"
HEAD = """# Architecture

Made by `python -m docs.architecture` from `docs/arrows.py` and from the docstrings of the source;
not typed. `make check` fails where it is not current.

## The way of a file, and of a question

![Stations of a saved file and of a question, and what is handed on](pictures/architecture.svg)

A saved file goes from the system's event to rows in the tables; a question goes from a page or a
terminal to the passages that match it, and through the model to an answer. Words and vectors are
where the two ways meet. Each arrow is proven by `tests/test_house.py`: the one that calls imports
the one that is called, or knows it by a Protocol for which `recollect.py` chooses the class.
"""


def outputs(root: Path = ROOT) -> dict[Path, str]:
    """Each file that the command writes, with what it should hold. Raises ValueError where the
    README has lost the marks between which the wings stand."""
    readme = root / "README.md"
    text = readme.read_text(encoding="utf-8")
    if text.count(BEGIN) != 1 or text.count(END) != 1:
        raise ValueError(f"README.md needs the lines “{BEGIN}” and “{END}” once each.")
    before, rest = text.split(BEGIN)
    after = rest.split(END)[1]
    return {
        readme: f"{before}{BEGIN}\n{overview(root)}\n{END}{after}",
        root / "docs" / "architecture.md": "\n".join(
            [HEAD, arrow_table(), "\n## Every file\n", full_tree(root)]
        ),
        root / "docs" / "pictures" / "architecture.svg": svg(),
    }


def arrow_table() -> str:
    """Every arrow as a row of a Markdown table."""
    rows = [
        f"| `{arrow.source}` | `{arrow.target}` | {arrow.what} | {_call(arrow)} |"
        for arrow in ARROWS
    ]
    return "\n".join(["| from | to | what | by |", "|---|---|---|---|", *rows])


def _call(arrow: Arrow) -> str:
    caller = "the target calls" if arrow.pulled else "the source calls"
    if arrow.through == "process":
        return f"the source starts the target as a process: `{arrow.call}`"
    through, _, protocol = arrow.through.partition(":")
    detail = f", known as `{protocol}`" if protocol else f", through `{through}`" if through else ""
    return f"{caller} `{arrow.call}`{detail}"


def outdated(root: Path = ROOT) -> list[Path]:
    """The files that are not what the command would write."""
    return [
        file
        for file, text in outputs(root).items()
        if not file.is_file() or file.read_text(encoding="utf-8") != text
    ]


def main(arguments: list[str]) -> int:
    stale = outdated()
    if arguments == ["--check"]:
        for file in stale:
            print(f"{file.relative_to(ROOT)} is not current: run python -m docs.architecture")
        return bool(stale)
    for file in stale:
        file.write_text(outputs()[file], encoding="utf-8")
        print(f"{file.relative_to(ROOT)} is written.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
