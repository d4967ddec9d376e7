"""The group of all commands: their order in the help, and how their errors end."""

from __future__ import annotations

from typing import Any

import click

NOTHING_FOUND = 3  # exit codes: 0 done, 1 failed, 2 bad usage, 3 nothing found


class CommandGroup(click.Group):
    """Commands in the order they are given. An error that a person can mend ends in its sentence,
    without a traceback."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)

    def invoke(self, ctx: click.Context) -> Any:
        from indexer.files.disk_room import disk_error
        from model.errors import RecollectError

        try:
            return super().invoke(ctx)
        except RecollectError as problem:
            raise click.ClickException(problem.sentence) from problem
        except PermissionError as problem:
            raise click.ClickException(str(problem)) from problem
        except Exception as problem:
            if error := disk_error(problem):
                raise click.ClickException(error.sentence) from problem
            raise


as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
