"""`python -m bench list` names the benches; `python -m bench run NAME` runs one.

A bench is a module here with a one-line docstring and `run(quick: bool) -> Report`.
"""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path

import click

NOT_BENCHES = {"__init__", "__main__", "prompts", "report"}
HERE = Path(__file__).parent


def names() -> list[str]:
    return sorted(file.stem for file in HERE.glob("*.py") if file.stem not in NOT_BENCHES)


@click.group(help=__doc__)
def main() -> None:
    pass


@main.command("list")
def list_benches() -> None:
    for name in names():
        said = (importlib.import_module(f"bench.{name}").__doc__ or "").strip()
        click.echo(f"{name:10} {said.splitlines()[0] if said else ''}")


@main.command()
@click.argument("name", type=click.Choice(names()))
@click.option("--quick", is_flag=True, help="A smaller run, for a first look.")
@click.option("--json", "file", type=click.Path(path_type=Path), help="Also write the rows here.")
def run(name: str, quick: bool, file: Path | None) -> None:
    report = importlib.import_module(f"bench.{name}").run(quick)
    report.print()
    if file is not None:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(report.json(), indent=2) + "\n")
    if any(row.met is False for row in report.rows):
        sys.exit(1)


if __name__ == "__main__":
    main()
