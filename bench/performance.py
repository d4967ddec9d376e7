"""The page of figures, docs/performance.md, made of the results that were kept and of nothing else.

A result is what `python -m bench run NAME --json bench/results/NAME.json` wrote: the rows, the
commit and the machine they were measured on.
"""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

import click

HERE = Path(__file__).parent
RESULTS = HERE / "results"
PAGE = HERE.parent / "docs" / "performance.md"
# How well the model does is told on a page of its own.
ELSEWHERE = {"pocket", "quality", "peers"}
ORDER = (
    "people", "index", "watch", "search", "scale", "decode", "embed", "prefill", "memory", "crash",
)  # fmt: skip

HEAD = """# Performance

Made by `python -m bench page performance` from the files in `bench/results`; not typed. Each figure
stands beside what was measured next to it in the same run: another way of doing the same, a library
called directly, or a limit. `ratio` is ours over the reference; a goal is a bound on the ratio, or
on the figure itself where there is no reference. Compare ratios, not machines.
"""


def page(results: Path = RESULTS) -> str:
    """The whole page. Raises click.ClickException naming a file that is no result."""
    kept = {file.stem: _read(file) for file in sorted(results.glob("*.json"))}
    names = sorted(kept.keys() - ELSEWHERE, key=lambda name: (_rank(name), name))
    parts = [HEAD, *(_section(kept[name]) for name in names)]
    return "\n".join(parts)


def what(name: str) -> str:
    """The first line of what a bench says of itself; nothing is imported for that."""
    source = (HERE / f"{name}.py").read_text(encoding="utf-8")
    docstring = ast.get_docstring(ast.parse(source)) or ""
    return docstring.splitlines()[0] if docstring else ""


def _rank(name: str) -> int:
    return ORDER.index(name) if name in ORDER else len(ORDER)


def _read(file: Path) -> dict[str, Any]:
    try:
        result: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        if (
            result["name"] == file.stem
            and result["rows"]
            and result["commit"]
            and result["machine"]
        ):
            return result
    except (ValueError, KeyError, TypeError):
        pass
    raise click.ClickException(
        f"{file} is no result of a bench; write it again with "
        f"`python -m bench run {file.stem} --json {file}`."
    )


def _section(result: dict[str, Any]) -> str:
    name = result["name"]
    quick = " --quick" if result.get("quick") else ""
    lines = [
        f"## {name}",
        "",
        what(name) if (HERE / f"{name}.py").is_file() else "",
        "",
        f"Again: `python -m bench run {name}{quick}`. Measured at commit `{result['commit']}` on "
        f"{result['machine']}.",
        "",
        "| what | ours | reference | unit | ratio | goal | met |",
        "|---|---:|---:|---|---:|---:|---|",
        *map(_line, result["rows"]),
        "",
    ]
    return "\n".join(lines)


def _line(row: dict[str, Any]) -> str:
    goal = ""
    if row["goal"] is not None:
        figure = row["ours"] if row["ratio"] is None else row["ratio"]
        at_most = row.get("at_most", (figure <= row["goal"]) is row["met"])
        goal = f"{'≤' if at_most else '≥'} {row['goal']:g}"
    met = {None: "", True: "yes", False: "**no**"}[row["met"]]
    cells = (
        row["what"].replace("|", "\\|"), _figure(row["ours"]), _figure(row["reference"]),
        row["unit"], _figure(row["ratio"]), goal, met,
    )  # fmt: skip
    return f"| {' | '.join(cells)} |"


def _figure(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
