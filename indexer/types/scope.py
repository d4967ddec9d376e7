"""A scope: which files may be found at all, whatever is looked for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from indexer.types.places import Kind


@dataclass(frozen=True, slots=True)
class Scope:
    """Conditions of which all hold; one that is left as it is holds of every file.

    `after` is inclusive and `before` exclusive, in unix seconds. A file lies below
    each of the `folders`, which are absolute, and below one of the `folder_names`, single names in
    any case of letters.
    Extensions are in lower case and begin with a dot. A mail was sent by each of the `senders`, by
    name or address, and by none of the `not_senders`; what is attached to it counts as the mail."""

    kinds: frozenset[Kind] | None = None
    folders: frozenset[Path] = frozenset()
    folder_names: frozenset[str] = frozenset()
    not_folder_names: frozenset[str] = frozenset()
    extensions: frozenset[str] = frozenset()
    not_extensions: frozenset[str] = frozenset()
    senders: frozenset[str] = frozenset()
    not_senders: frozenset[str] = frozenset()
    after: float | None = None
    before: float | None = None

    def within(self, other: Scope) -> Scope:
        """What lies in this scope and in kinds, folders and times of the other."""
        return replace(
            self,
            kinds=_both(self.kinds, other.kinds),
            folders=self.folders | other.folders,
            after=max(_given(self.after, other.after), default=None),
            before=min(_given(self.before, other.before), default=None),
        )


def _both(kinds: frozenset[Kind] | None, others: frozenset[Kind] | None) -> frozenset[Kind] | None:
    return others if kinds is None else kinds if others is None else kinds & others


def _given(*moments: float | None) -> list[float]:
    return [moment for moment in moments if moment is not None]
