"""The walls of the house: who owns which name, what loads when, which way the arrows point."""

from __future__ import annotations

import ast
import importlib.metadata
import subprocess
import sys
from pathlib import Path

import grimp
import pytest

from docs import architecture, imports, tree

ROOT = Path(__file__).parent.parent


def _owners(name: str) -> set[str]:
    return set(importlib.metadata.packages_distributions().get(name, ()))


@pytest.mark.parametrize("name", ["recollect", "indexer", "retriever", "model", "web"])
def test_no_other_distribution_owns_our_names(name: str) -> None:
    others = _owners(name) - {"recollect"}
    assert not others, f"{others} also install “{name}” and would overwrite ours"


def _modules_after(code: str) -> set[str]:
    said = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys; print('\\n'.join(sys.modules))"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=True,
    )
    return set(said.stdout.split())


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
    said = subprocess.run(
        [Path(sys.executable).parent / "lint-imports"], cwd=ROOT, capture_output=True, text=True
    )
    assert said.returncode == 0, said.stdout


def test_readme_and_architecture_are_what_the_source_says() -> None:
    stale = [file.name for file in architecture.outdated()]
    assert not stale, "run: python -m docs.architecture"


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


# Circles that still stand; none may be added.
CIRCLES: list[list[str]] = [
    ["model.decoding.decoder", "model.decoding.generation"],
    ["model.runtime.clients", "model.runtime.runtime"],
    ["model.weights.checkpoint", "model.weights.memory_plan"],
]


def test_no_circle_of_files() -> None:
    assert imports.circles(imports.graph()) == CIRCLES


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
