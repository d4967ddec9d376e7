"""The rows of a bench, the JSON they are kept in, and the table that is printed."""

from __future__ import annotations

import os
import platform
import subprocess
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True, slots=True)
class Row:
    """One figure. `reference` is what was measured beside it in the same run, None where the
    figure is a share or a count in itself; `goal` is a bound on `ratio` where there is a
    reference and on `ours` elsewhere; `at_most` says which side of the goal is good."""

    key: str
    what: str
    ours: float
    unit: str
    reference: float | None = None
    goal: float | None = None
    at_most: bool = False

    @property
    def ratio(self) -> float | None:
        return self.ours / self.reference if self.reference else None

    @property
    def met(self) -> bool | None:
        if self.goal is None:
            return None
        figure = self.ours if self.ratio is None else self.ratio
        return figure <= self.goal if self.at_most else figure >= self.goal


@dataclass(frozen=True, slots=True)
class Report:
    """One run of one bench."""

    name: str
    rows: list[Row]
    seeds: list[int]

    def json(self) -> dict[str, Any]:
        rows = []
        for row in self.rows:
            rows.append({**asdict(row), "ratio": row.ratio, "met": row.met})
        return {
            "name": self.name,
            "commit": commit(),
            "machine": machine(),
            "seeds": self.seeds,
            "rows": rows,
        }

    def print(self) -> None:
        table = Table(title=f"{self.name}  ({commit()}, {machine()})", title_justify="left")
        table.add_column("what", overflow="fold")
        for column in ("ours", "reference", "unit", "ratio", "goal", "met"):
            table.add_column(column, justify="right")
        for row in self.rows:
            bound = "" if row.goal is None else f"{'≤' if row.at_most else '≥'} {row.goal:g}"
            met = {None: "", True: "yes", False: "NO"}[row.met]
            table.add_row(
                row.what, _figure(row.ours), _figure(row.reference), row.unit,
                _figure(row.ratio), bound, met,
            )  # fmt: skip
        Console(width=None if os.isatty(1) else 120).print(table)


def _figure(value: float | None) -> str:
    return "" if value is None else f"{value:,.3g}" if abs(value) < 1000 else f"{value:,.0f}"


def commit() -> str:
    folder = Path(__file__).parent
    process = subprocess.run(
        ["git", "describe", "--always", "--dirty"], cwd=folder, capture_output=True, text=True
    )
    return process.stdout.strip() or "no commit"


def machine() -> str:
    import psutil

    memory_gb = psutil.virtual_memory().total / 1e9
    system = f"{platform.system()} {platform.machine()}"
    return f"{psutil.cpu_count()} cores, {memory_gb:.0f} GB, {system}"
