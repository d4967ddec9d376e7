"""The modules of the browser's side: arrows between their folders, and nothing that is not used."""

from __future__ import annotations

import re
from pathlib import Path

STATIC = Path(__file__).parent.parent / "web" / "static"
# From the top; a folder imports from those after it only. `app.js` stands above them all.
FOLDERS = ["", "shell", "ask", "library", "viewer", "search", "parts", "server", "core", "vendor"]
PAGES = {"ask", "library"}  # neither imports from the other

MODULES = {
    path.relative_to(STATIC).as_posix(): path.read_text()
    for path in STATIC.rglob("*.js")
    if path.parent.name != "vendor"
}
STYLES = {
    path.relative_to(STATIC).as_posix(): re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.S)
    for path in STATIC.rglob("*.css")
}
PAGE = (STATIC / "index.html").read_text()


def folder(name: str) -> str:
    return name.rpartition("/")[0]


def imports(name: str) -> set[str]:
    """The modules that `name` imports, without those whose types a comment names."""
    code = re.sub(r"/\*\*.*?\*/", "", MODULES[name], flags=re.S)
    paths = re.findall(r'\bfrom "(\.[^"]+)"|\bimport\("(\.[^"]+)"\)', code)
    return {
        (STATIC / folder(name) / (static or lazy)).resolve().relative_to(STATIC).as_posix()
        for static, lazy in paths
    }


def test_arrows_between_the_folders_point_down() -> None:
    for name in MODULES:
        for imported in imports(name):
            above, below = FOLDERS.index(folder(name)), FOLDERS.index(folder(imported))
            assert above <= below, f"{name} imports {imported}"
            assert {folder(name), folder(imported)} != PAGES, f"{name} imports {imported}"


def test_no_circle_of_modules() -> None:
    done: set[str] = set()

    def visit(name: str, path: tuple[str, ...]) -> None:
        assert name not in path, " imports ".join((*path, name))
        if name in done or name not in MODULES:
            return
        for imported in imports(name):
            visit(imported, (*path, name))
        done.add(name)

    for name in MODULES:
        visit(name, ())


def test_every_module_and_style_is_reached_from_the_page() -> None:
    linked = set(re.findall(r'(?:src|href)="/static/([^"]+)"', PAGE))
    assert all((STATIC / name).is_file() for name in linked)
    assert set(STYLES) == {name for name in linked if name.endswith(".css")}
    reached: set[str] = set()
    pending = {"app.js", "theme.js"}
    assert pending <= linked
    while pending:
        name = pending.pop()
        reached.add(name)
        pending |= {other for other in imports(name) if other in MODULES} - reached
    assert reached == set(MODULES)


def test_every_export_is_imported() -> None:
    imported: set[str] = set()
    for text in MODULES.values():
        for names in re.findall(r"import \{([^}]*)\} from", text):
            imported |= {name.strip() for name in names.split(",")}
    for name, text in MODULES.items():
        exported = set(
            re.findall(r"^export (?:async )?(?:function\*?|const|class) (\w+)", text, re.M)
        )
        for names in re.findall(r"^export \{([^}]*)\}", text, re.M):
            exported |= {exported_name.strip() for exported_name in names.split(",")}
        exported -= {"AskPage"}  # imported when it is opened
        assert exported <= imported, f"{name}: {sorted(exported - imported)}"


def test_every_class_and_variable_of_the_styles_is_used() -> None:
    words = set(re.findall(r"[\w-]+", PAGE + "".join(MODULES.values())))
    for name, text in STYLES.items():
        for selector in re.findall(r"([^{}]+)\{", text):
            classes = set(re.findall(r"[.#]([a-zA-Z][\w-]*)", selector))
            assert classes <= words, f"{name}: {sorted(classes - words)}"
    styles = "".join(STYLES.values())
    defined = set(re.findall(r"(--[\w-]+)\s*:", styles)) | set(
        re.findall(r'"(--[\w-]+)"', "".join(MODULES.values()))
    )
    used = set(re.findall(r"var\((--[\w-]+)", styles))
    assert defined == used


def test_no_module_or_style_is_long() -> None:
    for name, text in (MODULES | STYLES).items():
        assert text.count("\n") <= 300, name
