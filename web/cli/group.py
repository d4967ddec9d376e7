"""How the verbs stand together, and what they have in common."""

from __future__ import annotations

from typing import Any

import click


class Verbs(click.Group):
    """Verbs in the order they are written here; problems a person can mend end in a sentence."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)

    def invoke(self, ctx: click.Context) -> Any:
        from indexer.catalog.roots import FolderError
        from indexer.catalog.schema import CatalogError
        from indexer.files.disk_room import NoRoomError, disk_problem
        from indexer.files.lock import FolderReadOnlyError, LibraryHeldError
        from indexer.vectors.tables import StoreError
        from model.interface import ModelError
        from web.library.errors import LibraryError

        mendable = (LibraryError, LibraryHeldError, FolderError, CatalogError, StoreError)
        try:
            return super().invoke(ctx)
        except (
            *mendable,
            FolderReadOnlyError,
            ModelError,
            NoRoomError,
            PermissionError,
        ) as problem:
            raise click.ClickException(str(problem)) from problem
        except Exception as problem:
            if said := disk_problem(problem):
                raise click.ClickException(said) from problem
            raise


as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
