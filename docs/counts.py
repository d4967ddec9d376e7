"""Counts of the product's source: `python -m docs.counts [COMMIT ...]`, else of the working tree.

Counted the same at every commit, so that what a restructuring changed can be read off:

- `state literals`: string literals that are the name of a state of a file or a content, or that
  hold one in quotes (SQL), outside docstrings and outside the catalog's migrations
- `forwarding functions`: functions whose body is one call that hands the same arguments, in the
  same order, to a method of another object
- `pronouns as names`: variables, parameters and loop targets called `one`, `found`, `said`, `told`,
  `some`, `here` or `there`
- `longest import chain`: modules on the longest way along imports, a circle counted as one module
- `circles`: groups of modules that import each other
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tarfile
import tempfile
from collections import Counter
from collections.abc import Iterator
from functools import cache
from io import BytesIO
from pathlib import Path

from docs.imports import Graph, circles, graph, sources
from docs.tree import ROOT

STATES = frozenset(
    "pending reading known failed skipped missing offline read understanding understood".split()
)
QUOTED_STATE = re.compile("'(" + "|".join(sorted(STATES)) + ")'")
PRONOUNS = frozenset("one found said told some here there".split())
MIGRATIONS = "indexer/catalog/storage/schema.py", "indexer/catalog/schema.py", "indexer/schema.py"


def counts(root: Path = ROOT) -> dict[str, str]:
    """Every count of the product below `root`, by name."""
    imports = graph(root)
    files = sources(root)
    trees = {name: ast.parse(file.read_text(encoding="utf-8")) for name, file in files.items()}
    lines = sum(len(file.read_text(encoding="utf-8").splitlines()) for file in files.values())
    states: Counter[str] = Counter()
    for name, tree in trees.items():
        if not str(files[name]).endswith(MIGRATIONS) and (number := state_literals(tree)):
            states[name] = number
    forwarding = [where for name in trees for where in forwarding_functions(name, trees[name])]
    pronouns = sum(sum(pronoun_names(tree).values()) for tree in trees.values())
    groups = circles(imports)
    wings = Counter(
        file.parent.relative_to(root).as_posix()
        for file in files.values()
        if file.name != "__init__.py" and file.parent != root
    )
    chain = longest_chain(imports)
    return {
        "modules": str(len(files)),
        "lines": f"{lines:,}",
        "state literals": f"{states.total()} in {len(states)} files",
        "forwarding functions": str(len(forwarding)),
        "pronouns as names": str(pronouns),
        "wings": str(len(wings)),
        "modules in the largest wing": "{1} ({0})".format(*wings.most_common(1)[0]),
        "longest import chain": f"{len(chain)} ({chain[0]} to {chain[-1]})",
        "circles": f"{len(groups)}" + "".join(f"; {' <-> '.join(group)}" for group in groups),
    }


def state_literals(tree: ast.Module) -> int:
    """How many string literals are, or quote, the name of a state."""
    docstrings = set(_docstrings(tree))
    number = 0
    for node in ast.walk(tree):
        if not isinstance(node, ast.Constant) or id(node) in docstrings:
            continue
        if isinstance(node.value, str):
            number += node.value in STATES or len(QUOTED_STATE.findall(node.value))
    return number


def forwarding_functions(module: str, tree: ast.Module) -> Iterator[str]:
    """The functions that only hand their own arguments on."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and not node.decorator_list and _forwards(node):
            yield f"{module}.{node.name}"


def pronoun_names(tree: ast.Module) -> Counter[str]:
    """How often a pronoun is made a name: assigned, looped over, or taken as a parameter."""
    stored = [
        node.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    ]
    taken = [node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)]
    return Counter(name for name in [*stored, *taken] if name in PRONOUNS)


def longest_chain(imports: Graph) -> list[str]:
    """The modules on the longest way along imports, from the top."""
    group = {name: name for name in imports}
    for members in circles(imports):
        group.update(dict.fromkeys(members, members[0]))

    @cache
    def below(name: str) -> tuple[str, ...]:
        members = [member for member in imports if group[member] == name]
        targets = {group[seen] for member in members for seen in imports[member]} - {name}
        chains: list[tuple[str, ...]] = [below(target) for target in sorted(targets)]
        return (name, *max([(), *chains], key=len))

    chains = [list(below(name)) for name in sorted(set(group.values()))]
    return max(chains, key=len)


def _docstrings(tree: ast.Module) -> Iterator[int]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            yield id(node.value)


def _forwards(function: ast.FunctionDef) -> bool:
    body = function.body
    if isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant):
        body = body[1:]  # the docstring
    if len(body) != 1 or not isinstance(body[0], ast.Return | ast.Expr):
        return False
    call = body[0].value
    if not isinstance(call, ast.Call):
        return False
    owner = call.func
    if isinstance(owner, ast.Attribute) and isinstance(owner.value, ast.Name):
        if owner.value.id == "self":
            return False  # its own method
    elif not isinstance(owner, ast.Attribute):
        return False
    parameters = function.args
    own = [argument.arg for argument in [*parameters.posonlyargs, *parameters.args]]
    own = [name for name in own if name not in ("self", "cls")]
    given = [ast.unparse(argument) for argument in call.args]
    named = {keyword.arg: ast.unparse(keyword.value) for keyword in call.keywords}
    rest = [argument.arg for argument in parameters.kwonlyargs]
    handed = [*given, *named.values()]
    return handed == [*own, *rest] and all(key == value for key, value in named.items())


def at(commit: str) -> dict[str, str]:
    """The counts of a commit. Raises subprocess.CalledProcessError where there is none of it."""
    command = ["git", "archive", commit, "recollect.py", "indexer", "retriever", "model", "web"]
    archive = subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout
    with tempfile.TemporaryDirectory() as folder:
        with tarfile.open(fileobj=BytesIO(archive)) as packed:
            packed.extractall(folder, filter="data")
        return counts(Path(folder))


def main(commits: list[str]) -> None:
    columns = {commit: at(commit) for commit in commits} or {"working tree": counts()}
    for commit, column in columns.items():
        print(commit)
        for name, value in column.items():
            print(f"  {name:28} {value}")


if __name__ == "__main__":
    main(sys.argv[1:])
