"""The command of recordings: `recording`."""

from __future__ import annotations

from pathlib import Path

import click

from web.cli.program import Program


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--format",
    "name",
    type=click.Choice(["md", "srt", "vtt", "json"]),
    default="md",
    show_default=True,
    help="Minutes and transcript, subtitles, or all of it.",
)
@click.option("--speaker", "names", metavar="N=NAME", multiple=True, help="Name a speaker.")
@click.option(
    "--correct",
    "corrections",
    metavar="TIME TEXT",
    nargs=2,
    multiple=True,
    help="What is really said in the sentence at a time like 3:12.",
)
@click.pass_obj
def recording(
    program: Program,
    file: Path,
    name: str,
    names: tuple[str, ...],
    corrections: tuple[tuple[str, str], ...],
) -> None:  # fmt: skip
    """Show who speaks in a recording, what was decided and what is to be done.

    Names and corrections are kept, whatever model listens to it later."""
    from web.library.serializers.recording_files import recording_file

    named = [_named(entry) for entry in names]
    corrected = [(_seconds(time), text) for time, text in corrections]
    with program.open_library(write=bool(named or corrected)) as library:
        item = library.item_of(str(file.absolute()))
        for speaker, called in named:
            library.name_speaker(item, speaker, called)
        for at_s, text in corrected:
            library.correct(item, at_s, text)
        click.echo(recording_file(library.recording(item), name), nl=False)


def _named(entry: str) -> tuple[int, str]:
    number, equals, called = entry.partition("=")
    if not equals or not number.strip().isdigit():
        raise click.UsageError(f"“{entry}” names no speaker; write it like 1=Anna.")
    return int(number), called


def _seconds(time: str) -> float:
    try:
        parts = [float(part) for part in time.split(":")]
    except ValueError:
        parts = []
    if not 1 <= len(parts) <= 3 or any(part < 0 for part in parts):
        raise click.UsageError(f"“{time}” is no time; write it like 3:12.")
    seconds = 0.0
    for part in parts:
        seconds = seconds * 60 + part
    return seconds
