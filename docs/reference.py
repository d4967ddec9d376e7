"""`python -m docs.reference` writes docs/reference.md: every command with its options, and every
setting, from the program itself. With `--check` it writes nothing, and ends with 1 where it would.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import get_args

import click
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from docs.tree import ROOT
from recollect import main as program
from web.machine.settings import EngineSettings, Settings

PAGE = ROOT / "docs" / "reference.md"
HEAD = """# Commands and settings

Made by `python -m docs.reference` from the program itself; not typed. `make check` fails where it
is not current.

A command ends with 0 where it did what it was asked, 1 where it failed, 2 where it was called
wrongly, and 3 where a search found nothing. Where a server runs on the same library, commands ask
it; else they open the library themselves.
"""
SETTINGS = """## Settings

Each of these overrides those before it: the default, `config.toml`, a variable of the environment,
an option of the command. `config.toml` lies in the folder of the person's settings
(`~/.config/recollect` on Linux, `~/Library/Application Support/recollect` on macOS,
`%LOCALAPPDATA%\\recollect\\recollect` on Windows); `recollect doctor` says what is wrong with it.
The variable of a setting is its name in capitals behind `RECOLLECT_`: `RECOLLECT_PORT=8080`.
"""
ENGINE = """A model that another program serves is set in a section of its own, or by `--model
ADDRESS` alone ([five lines for each engine](engines.md)):

```toml
[model]
url = "http://127.0.0.1:11434/v1"
name = "gemma4:12b"
```
"""


def page() -> str:
    """The text of docs/reference.md."""
    parts = [HEAD, "## Commands", *_commands(program, "recollect")]
    parts += [SETTINGS, _fields(Settings), ENGINE, _fields(EngineSettings)]
    return "\n\n".join(part.strip() for part in parts) + "\n"


def _commands(command: click.Command, name: str) -> Iterator[str]:
    """A command with its options, then those below it."""
    context = click.Context(command, info_name=name)
    usage = " ".join([name, *command.collect_usage_pieces(context)])
    yield f"### `{name}`\n\n```\n{usage}\n```"
    yield inspect.cleandoc(command.help or "")
    options = [option for option in command.params if isinstance(option, click.Option)]
    if rows := [row for option in options if (row := _option(option, context))]:
        yield _table(("option", "what it does"), rows)
    if isinstance(command, click.Group):
        for below in command.list_commands(context):
            yield from _commands(command.commands[below], f"{name} {below}")


def _option(option: click.Option, context: click.Context) -> tuple[str, str] | None:
    record = option.get_help_record(context)
    if record is None or "--help" in option.opts:
        return None
    return f"`{record[0]}`", record[1]


def _fields(settings: type[BaseModel]) -> str:
    rows = [
        (f"`{name}`", _default(field), field.description or "")
        for name, field in settings.model_fields.items()
    ]
    return _table(("setting", "default", "what it is"), rows)


def _default(field: FieldInfo) -> str:
    default = field.default
    if default is PydanticUndefined:
        return "has to be named"
    if default is None or default == "":
        return ""
    if isinstance(default, Path):
        return "in the folder of the person's data"
    if choices := get_args(field.annotation):
        others = [choice for choice in choices if isinstance(choice, str) and choice != default]
        return f"`{default}`" + "".join(f", or `{choice}`" for choice in others)
    return f"`{str(default).lower() if isinstance(default, bool) else default}`"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    cells = [[cell.replace("|", "\\|") for cell in line] for line in rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in [head, ["---"] * len(head), *cells])


def main(arguments: Sequence[str]) -> int:
    text = page()
    if "--check" in arguments:
        if PAGE.read_text() == text:
            return 0
        print(f"{PAGE.relative_to(ROOT)} is not current: run python -m docs.reference")
        return 1
    PAGE.write_text(text)
    print(f"{PAGE.relative_to(ROOT)} is written.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
