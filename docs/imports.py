"""Which file of the product imports which; lazy imports, and those for the type checker, count.

import-linter's own graph knows packages only, of the checkout it runs in. This one also has
`recollect.py`, and can be taken of any folder; a test holds the two equal.
"""

from __future__ import annotations

import ast
from collections.abc import KeysView
from pathlib import Path

from docs.tree import PACKAGES, ROOT

Graph = dict[str, frozenset[str]]


def sources(root: Path = ROOT) -> dict[str, Path]:
    """The modules of the product by their dotted names; a package is its `__init__.py`."""
    files = [root / "recollect.py"]
    for package in PACKAGES:
        files += sorted((root / package).rglob("*.py"))
    return {_dotted(file.relative_to(root)): file for file in files if file.is_file()}


def graph(root: Path = ROOT) -> Graph:
    """Each module with the modules of the product that it imports."""
    modules = sources(root)
    return {
        name: frozenset(_imported(file, modules.keys()) - {name}) for name, file in modules.items()
    }


def circles(imports: Graph) -> list[list[str]]:
    """The groups of modules each of which reaches every other of its group by imports, sorted."""
    reach = {name: reachable(imports, name) for name in imports}
    groups = {
        frozenset({name} | {other for other in reach[name] if name in reach[other]})
        for name in imports
        if name in reach[name]
    }
    return sorted(sorted(group) for group in groups)


def reachable(imports: Graph, start: str) -> set[str]:
    """What a module imports, directly or through others; itself only where there is a circle."""
    reached: set[str] = set()
    waiting = [start]
    while waiting:
        for name in imports[waiting.pop()] - reached:
            reached.add(name)
            waiting.append(name)
    return reached


def _dotted(file: Path) -> str:
    parts = file.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _imported(file: Path, modules: KeysView[str]) -> set[str]:
    imported: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            imported |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            members = {f"{node.module}.{alias.name}" for alias in node.names}
            inside = members & modules
            imported |= inside
            if members - inside:
                imported.add(node.module)
    return imported & modules
