"""`python -m docs.architecture` writes docs/architecture.md, and the wings in the README, from the
docstrings of the source. With `--check` it writes nothing, and ends with 1 where it would.
"""

from __future__ import annotations

import sys
from pathlib import Path

from docs.tree import ROOT, full_tree, overview

BEGIN, END = "<!-- wings: made by python -m docs.architecture -->", "<!-- end of wings -->"
HEAD = """# Architecture

Made by `python -m docs.architecture` from the docstrings of the source; not typed. `make check`
fails where it is not current.
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
        root / "docs" / "architecture.md": f"{HEAD}\n## Every file\n\n{full_tree(root)}",
    }


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
