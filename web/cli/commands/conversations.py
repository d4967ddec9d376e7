"""The commands of conversations: `conversations`, which lists, shows, renames and deletes them."""

from __future__ import annotations

import sys

import click

from web.cli.group import NOTHING_FOUND, as_json
from web.cli.program import Program


@click.command()
@click.argument("words", nargs=-1)
@click.option("--show", metavar="ID", help="One conversation, as Markdown with its citations.")
@click.option("--rename", nargs=2, metavar="ID TITLE", help="Give one another title.")
@click.option("--delete", metavar="ID", help="Delete one; no byte of it is kept.")
@as_json
@click.pass_obj
def conversations(
    program: Program,
    words: tuple[str, ...],
    show: str | None,
    rename: tuple[str, str] | None,
    delete: str | None,
    as_json: bool,
) -> None:
    """List the conversations that are kept, those with all WORDS where some are given.

    `recollect ask --conversation ID` goes on with one, `--conversation new` begins one."""
    from web.cli.output.conversations import show_conversation, show_conversations

    if sum(map(bool, (words, show, rename, delete))) > 1:
        raise click.UsageError("Give words, or one of --show, --rename and --delete.")
    with program.open_library(write=bool(rename or delete)) as library:
        if show:
            show_conversation(library.conversations.get(show), as_json)
        elif rename:
            renamed = library.conversations.rename(*rename)
            click.echo(f"{renamed['id']} is called “{renamed['title']}” now.")
        elif delete:
            library.conversations.delete(delete)
            click.echo(f"{delete} is deleted.")
        else:
            page = library.conversations.page(" ".join(words), limit=200)
            show_conversations(page, as_json)
            if words and not page["count"]:
                sys.exit(NOTHING_FOUND)
