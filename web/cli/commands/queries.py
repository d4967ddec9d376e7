"""The commands that find: `search`, and `ask`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from web.cli.group import NOTHING_FOUND, as_json
from web.cli.program import Program, absolute_path

if TYPE_CHECKING:
    from web.library.schemas.search import SearchJson

kind_option = click.option("--kind", type=click.Choice(["document", "photo", "recording"]))
folder_option = click.option(
    "--in", "folder", type=click.Path(path_type=Path), help="Only in this folder."
)
after_option = click.option("--after", metavar="D", help="From this day on, like 2024-03-14.")
before_option = click.option("--before", metavar="D", help="Before this day.")


# a word with a minus sign is one that is not wanted, and no option
@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("words", nargs=-1)
@click.option("--like", type=click.Path(path_type=Path), help="An example picture or sound.")
@kind_option
@folder_option
@after_option
@before_option
@click.option("--limit", metavar="N", type=click.IntRange(1, 200), default=10, show_default=True)
@click.option("--offset", metavar="N", type=click.IntRange(0, 1000), help="Leave out the first N.")
@click.option(
    "--by",
    type=click.Choice(["words", "all"]),
    default="all",
    show_default=True,
    help="By words alone needs no model.",
)
@as_json
@click.pass_obj
def search(
    program: Program,
    words: tuple[str, ...],
    like: Path | None,
    kind: str | None,
    folder: Path | None,
    after: str | None,
    before: str | None,
    limit: int,
    offset: int | None,
    by: Literal["words", "all"],
    as_json: bool,
) -> None:
    """Find the page, picture or second by words, or by an example.

    Filters may stand among the words: "exact words", -word, type:photo, ext:pdf, in:Invoices,
    from:anna, after:2024-03, before:"last month", on:2024-03-14; or plainly, photos of ...,
    in March 2024."""
    from web.cli.output.hits import show_search

    for word in words:
        if word.startswith("--"):
            raise click.NoSuchOption(word)
    if not words and like is None:
        raise click.UsageError("Say what to look for, or give an example with --like FILE.")
    with _search_of(program, by, like) as find:
        result = find(
            " ".join(words),
            kind=kind,
            folder=absolute_path(folder),
            after=after,
            before=before,
            limit=limit,
            offset=offset or 0,
        )
    show_search(result, as_json)
    if not result["hits"]:
        sys.exit(NOTHING_FOUND)


@contextmanager
def _search_of(
    program: Program, by: Literal["words", "all"], like: Path | None
) -> Iterator[Callable[..., SearchJson]]:
    """Finds by words without a model in this process, and by all in the library itself."""
    if by == "words" and like is None:
        with program.open_word_search() as find:
            yield find
    else:
        with program.open_library() as library:
            yield partial(library.search, by=by, like=like)


@click.command()
@click.argument("question", nargs=-1, required=True)
@click.option(
    "--about",
    multiple=True,
    type=click.Path(path_type=Path),
    help="Only from this file; repeatable.",
)
@kind_option
@folder_option
@after_option
@before_option
@click.option(
    "--conversation", metavar="ID", help='Keep it in this conversation, or in a "new" one.'
)
@as_json
@click.pass_obj
def ask(
    program: Program,
    question: tuple[str, ...],
    about: tuple[Path, ...],
    kind: str | None,
    folder: Path | None,
    after: str | None,
    before: str | None,
    conversation: str | None,
    as_json: bool,
) -> None:
    """Ask a question; the answer streams, with citations."""
    from web.cli.output.hits import show_answer

    with program.open_library(write=conversation is not None) as library:
        events = library.ask(
            " ".join(question),
            about=[library.item_of(str(file.absolute())) for file in about],
            kind=kind,
            folder=absolute_path(folder),
            after=after,
            before=before,
            conversation=conversation,
        )
        cited = show_answer(events, as_json)
    if not cited:
        sys.exit(NOTHING_FOUND)
