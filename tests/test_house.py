"""The walls of the house: who owns which name, what loads when, which way the arrows point."""

from __future__ import annotations

import ast
import importlib.metadata
import re
import subprocess
import sys
from functools import cache
from itertools import pairwise
from pathlib import Path

import grimp
import pytest

from docs import architecture, arrows, imports, picture, tree

ROOT = Path(__file__).parent.parent


def _owners(name: str) -> set[str]:
    return set(importlib.metadata.packages_distributions().get(name, ()))


@pytest.mark.parametrize("name", ["recollect", "indexer", "retriever", "model", "web"])
def test_no_other_distribution_owns_our_names(name: str) -> None:
    others = _owners(name) - {"recollect"}
    assert not others, f"{others} also install “{name}” and would overwrite ours"


def _modules_after(code: str) -> set[str]:
    process = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys; print('\\n'.join(sys.modules))"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=True,
    )
    return set(process.stdout.split())


def test_help_loads_nothing_heavy() -> None:
    help_code = (
        "import recollect\n"
        "try: recollect.main(['--help'])\n"
        "except SystemExit as done: assert done.code == 0\n"
    )
    loaded = _modules_after(help_code)
    heavy = {"torch", "transformers", "lancedb", "pymupdf", "fastapi", "numpy", "pyarrow"}
    assert not loaded & heavy
    assert "click" in loaded  # the check above would pass if nothing had run


def test_arrows_point_down() -> None:
    process = subprocess.run(
        [Path(sys.executable).parent / "lint-imports"], cwd=ROOT, capture_output=True, text=True
    )
    assert process.returncode == 0, process.stdout


SQL = re.compile(
    r"\b(SELECT\s.+\sFROM|INSERT\s(OR\s\w+\s)?INTO|UPDATE\s\w+\sSET|DELETE\sFROM|PRAGMA\s\w+"
    r"|CREATE\s(TEMP\s)?TABLE|VACUUM|BEGIN\sIMMEDIATE)\b",
    re.DOTALL,
)


def test_sql_is_in_the_catalog_and_in_the_file_of_conversations() -> None:
    in_catalog = 0
    for module, file in imports.sources().items():
        for node in ast.walk(_tree(file)):
            if isinstance(node, ast.Call):
                name = getattr(node.func, "attr", "")
                is_sql = name in ("execute", "executemany", "executescript")
            else:
                text = node.value if isinstance(node, ast.Constant) else None
                is_sql = isinstance(text, str) and SQL.search(text) is not None
            if module.startswith("indexer.catalog."):
                in_catalog += is_sql
            elif not module.startswith("web.library.conversations."):
                assert not is_sql, f"{module}, line {getattr(node, 'lineno', 0)}"
    assert in_catalog > 100  # the check above would pass if nothing were found


def test_readme_and_architecture_are_what_the_source_says() -> None:
    stale = [file.name for file in architecture.outdated()]
    assert not stale, "run: python -m docs.architecture"


@pytest.mark.parametrize("arrow", arrows.ARROWS, ids=lambda it: f"{it.source}-{it.target}")
def test_every_arrow_of_the_picture_is_a_call(arrow: arrows.Arrow) -> None:
    places = [(station.column, station.row) for station in arrows.STATIONS]
    assert len(places) == len(set(places))
    assert {arrow.source, arrow.target} <= {station.name for station in arrows.STATIONS}
    graph, sources = _graph(), imports.sources()
    callers, called = (
        [name for name in graph if _is_in(name, end)] for end in (arrow.caller, arrow.called)
    )
    assert callers
    assert any(arrow.call in _defined(sources[name]) for name in called), "what is called"
    if arrow.through == "process":
        text = sources[arrow.caller].read_text(encoding="utf-8")
        assert f'"{arrow.called}"' in text
        return
    middle, _, protocol = arrow.through.partition(":")
    steps = [middle] if middle else called
    known = {*callers, *(seen for name in callers for seen in graph[name])}
    assert known.intersection(steps), "the caller imports it"
    if protocol:
        wanted = _methods(sources[middle], protocol)
        assert wanted <= _defined(sources[arrow.called])
        wired = graph["recollect"]
        assert arrow.called in wired.union(*(graph[name] for name in wired))
        assert arrow.call in wanted
        namers = callers
    elif middle:
        assert any(_is_in(name, arrow.called) for name in graph[middle])
        namers = [*callers, middle]
    else:
        namers = callers
    assert any(arrow.call in _named(sources[name]) for name in namers), "the caller names it"


@cache
def _graph() -> imports.Graph:
    return imports.graph()


def _is_in(module: str, station: str) -> bool:
    """Whether it is the station, or one of the files of a wing that is one."""
    return module == station or module.startswith(f"{station}.")


def _defined(file: Path) -> set[str]:
    """The names of all functions, methods and classes of a file."""
    kinds = (ast.FunctionDef, ast.ClassDef)
    return {node.name for node in ast.walk(_tree(file)) if isinstance(node, kinds)}


def _named(file: Path) -> set[str]:
    """Every name and attribute that a file uses."""
    nodes = list(ast.walk(_tree(file)))
    attributes = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    return attributes | {node.id for node in nodes if isinstance(node, ast.Name)}


def _methods(file: Path, name: str) -> set[str]:
    """The methods of a Protocol, without its properties."""
    [protocol] = [
        node
        for node in ast.walk(_tree(file))
        if isinstance(node, ast.ClassDef) and node.name == name
    ]
    assert any(ast.unparse(base) == "Protocol" for base in protocol.bases)
    methods = [node for node in protocol.body if isinstance(node, ast.FunctionDef)]
    return {method.name for method in methods if not method.decorator_list}


@cache
def _tree(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"))


def test_every_file_and_wing_has_a_sentence() -> None:
    for wing in tree.wings():
        assert wing.sentence.endswith("."), wing.folder
        assert all(words.endswith(".") for _, words in wing.files), wing


def test_wheel_holds_the_program_and_nothing_else(tmp_path: Path) -> None:
    import zipfile

    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (wheel,) = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.split("/")[0] for name in names if ".dist-info" not in name}
    assert tops == {"recollect.py", "indexer", "retriever", "model", "web"}
    for wanted in (
        "model/pocket/model.safetensors",
        "model/pocket/assistant/model.safetensors",
        "model/pocket/tokenizer.json",
        "web/static/index.html",
    ):
        assert wanted in names
    assert any(name.startswith("model/pocket/demonstration/") for name in names)


def test_no_circle_of_files() -> None:
    assert imports.circles(_graph()) == []


def test_imports_are_the_linters() -> None:
    ours = imports.graph()
    assert not [name for name, seen in ours.items() if "recollect" in seen]  # it is the top
    del ours["recollect"]
    linter = grimp.build_graph(*tree.PACKAGES, cache_dir=None)
    theirs = {name: linter.find_modules_directly_imported_by(name) for name in linter.modules}
    assert ours == theirs


# Names of helpers that hold assertions of their own.
ASSERTING = ("assert", "expect", "check")


def test_every_test_asserts_something() -> None:
    for file in (ROOT / "tests").glob("test_*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                assert _asserts(node), f"{file.name}::{node.name} can never fail"


def _asserts(test: ast.FunctionDef) -> bool:
    for node in ast.walk(test):
        if isinstance(node, ast.Assert):
            return True
        if isinstance(node, ast.Call):
            function = ast.unparse(node.func).rsplit(".", 1)[-1].lstrip("_")
            if function in ("raises", "fail") or function.startswith(ASSERTING):
                return True
    return False


def test_every_line_of_the_picture_is_level_or_upright() -> None:
    lines = re.findall(r'points="([^"]+)"', picture.svg())
    assert len(lines) > len(arrows.ARROWS)
    for line in lines:
        points = [tuple(map(float, point.split(","))) for point in line.split()]
        for (x1, y1), (x2, y2) in pairwise(points):
            assert x1 == x2 or y1 == y2, line
