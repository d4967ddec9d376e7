"""How the verbs stand together, and what they have in common."""

from __future__ import annotations

from typing import Any

import click


class Verbs(click.Group):
    """Verbs in the order they are written here; problems a person can mend end in a sentence."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)

    def invoke(self, ctx: click.Context) -> Any:
        from indexer.lock import FolderReadOnly, LibraryHeld
        from indexer.room import NoRoom, disk_problem
        from indexer.roots import FolderProblem
        from indexer.schema import CatalogProblem
        from indexer.store import StoreProblem
        from model.interface import ModelProblem
        from web.problems import LibraryProblem

        mendable = (LibraryProblem, LibraryHeld, FolderProblem, CatalogProblem, StoreProblem)
        try:
            return super().invoke(ctx)
        except (*mendable, FolderReadOnly, ModelProblem, NoRoom, PermissionError) as problem:
            raise click.ClickException(str(problem)) from problem
        except Exception as problem:
            if said := disk_problem(problem):
                raise click.ClickException(said) from problem
            raise


as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
