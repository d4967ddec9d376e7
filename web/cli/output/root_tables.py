"""What `roots` and `index` print: the watched folders, and what has changed in them."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text

from web.cli.output.console import out, print_json
from web.cli.output.phrases import count_phrase, coverage_sentence
from web.library.display import one_line
from web.library.schemas.files import IndexJson
from web.library.schemas.status import RootJson


def show_roots(roots: Sequence[RootJson], as_json: bool) -> None:
    if as_json:
        print_json(list(roots))
        return
    if not roots:
        out.print("No folder is watched yet; `recollect add FOLDER` watches one.")
    for root in roots:
        network = f", on a network ({root['network']})" if root["network"] else ""
        out.print(f"{one_line(root['path'])}  {count_phrase(root['files'], 'file')}{network}")
        show_missing([root])


def show_missing(roots: Sequence[RootJson]) -> None:
    """The folders that files are missing from, or that are missing themselves."""
    for root in roots:
        if root["sentence"]:
            sentence = one_line(root["sentence"])
            cure = " `recollect accept` does that." if root["acceptable"] else ""
            out.print(Text(f"  {sentence}{cure}", style="yellow"))


def show_index(result: IndexJson, as_json: bool) -> None:
    if as_json:
        print_json(result)
        return
    out.print(
        f"{result['added']:,} added, {result['changed']:,} changed, {result['moved']:,} moved, "
        f"{result['gone']:,} gone; {result['took_s']:,.1f} s, "
        f"{result['model_calls']:,} model calls."
    )
    out.print(coverage_sentence(result["coverage"]))
