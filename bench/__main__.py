"""`python -m bench list` names the benches; `python -m bench run NAME` runs one.

A bench is a module here with a one-line docstring and `run(quick: bool) -> Report`. Its result is
kept with `--json bench/results/NAME.json`; `python -m bench page performance` makes the page of
figures from what is kept.
"""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path

import click

from bench import performance
from bench.report import commit as commit_now

NOT_BENCHES = {"__init__", "__main__", "performance", "prompts", "report"}
HERE = Path(__file__).parent


def names() -> list[str]:
    return sorted(
        file.stem
        for file in HERE.glob("*.py")
        if file.stem not in NOT_BENCHES and "\ndef run(" in file.read_text(encoding="utf-8")
    )


@click.group(help=__doc__)
def main() -> None:
    pass


@main.command("list")
def list_benches() -> None:
    """Every bench, and what it measures."""
    for name in names():
        click.echo(f"{name:10} {performance.what(name)}")


@main.command()
@click.argument("name", type=click.Choice(names()))
@click.option("--quick", is_flag=True, help="A smaller run, for a first look.")
@click.option(
    "--json",
    "file",
    type=click.Path(path_type=Path, dir_okay=False, writable=True),
    help="Also write the rows here.",
)
def run(name: str, quick: bool, file: Path | None) -> None:
    """Run one bench and print its table; exit code 1 where a goal is not met."""
    if file is not None:
        try:  # before the hours, not after
            file.parent.mkdir(parents=True, exist_ok=True)
        except OSError as problem:
            raise click.ClickException(
                f"{file.parent} cannot be made ({problem.strerror}); name another file with --json."
            ) from problem
    commit = commit_now()  # what is measured, whatever is committed meanwhile
    report = importlib.import_module(f"bench.{name}").run(quick)
    report.print()
    if file is not None:
        kept = {**report.json(), "commit": commit, "quick": quick}
        file.write_text(json.dumps(kept, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    if any(row.met is False for row in report.rows):
        sys.exit(1)


@main.command()
@click.argument("name", type=click.Choice(["performance"]))
def page(name: str) -> None:
    """Write docs/performance.md from the kept results."""
    performance.PAGE.write_text(performance.page(), encoding="utf-8")
    click.echo(f"{performance.PAGE} is written.")


if __name__ == "__main__":
    main()
