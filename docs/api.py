"""`python -m docs.api` writes docs/api.md: every address of the HTTP API, from its own schema. With
`--check` it writes nothing, and ends with 1 where it would.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from types import SimpleNamespace
from typing import Any, cast

from docs.tree import ROOT
from web.http.app import create_app
from web.library.protocol import ServableLibrary

PAGE = ROOT / "docs" / "api.md"
RECIPES = ROOT / "docs" / "recipes"
SHAPES = ROOT / "web" / "static" / "server" / "api.d.ts"
HEAD = """# The HTTP API

Made by `python -m docs.api` from the schema of the program; not typed. `make check` fails where it
is not current. The schema itself is at `/api/openapi.json`.

The server listens on this machine alone. Every request needs the key of the library, which
`recollect token` prints, as `Authorization: Bearer KEY`; without it the answer is 401 and says so.
Bodies are JSON. A parameter or a field that an address does not take is refused with 422, never
left aside. Every problem below `/api/` is `{"error": {"code", "sentence"}}`: the code for programs,
the sentence, which names the cure, for people. Too much at once is 429 with `Retry-After`. Dates
are days like `2024-03-14` or `2024-03`; `before` is not included. Folders are absolute paths; one
of which nothing is in the library is an error. Earlier turns of a conversation (`history`) are
`{"question", "answer"}`, the first one first; then nothing is kept. With `"conversation": "new"`
the question is kept with its answer; the id that comes back continues the conversation.

What OpenAI's clients and agents use is in [programs.md](programs.md).
"""
TITLES = {
    "search and answers": "Search and answers",
    "conversations": "Conversations that are kept",
    "items": "Items: what a hit opens",
    "library": "The library",
    "OpenAI": "OpenAI's API",
}


def page() -> str:
    """The text of docs/api.md."""
    schema = api_schema()
    parts = [HEAD, "## Recipes", *_recipes()]
    for tag, title in TITLES.items():
        parts.append(f"## {title}")
        for path, methods in schema["paths"].items():
            for method, operation in methods.items():
                if tag in operation["tags"]:
                    parts += _operation(f"{method.upper()} {path}", operation, schema)
    parts += ["## Shapes", "As TypeScript; `?` may be missing.", f"```ts\n{_shapes()}\n```"]
    return "\n\n".join(part.strip() for part in parts) + "\n"


def api_schema() -> dict[str, Any]:
    """The OpenAPI schema that a server gives; no library is opened for it."""
    library = cast(ServableLibrary, SimpleNamespace(items=None, bare_model=None, notifier=None))
    app = create_app(library, static=ROOT / "web" / "static", token="0" * 43, port=7878)
    return app.openapi()


def _recipes() -> Iterator[str]:
    for file in sorted(RECIPES.iterdir()):
        language = {".sh": "sh", ".py": "python"}[file.suffix]
        yield f"```{language}\n{file.read_text('utf-8').strip()}\n```"


def _operation(name: str, operation: dict[str, Any], schema: dict[str, Any]) -> Iterator[str]:
    yield f"### `{name}`"
    if text := operation.get("description"):
        yield " ".join(text.split())
    rows = [
        (parameter["name"], parameter["in"], _kind(parameter["schema"]), _default(parameter))
        for parameter in operation.get("parameters", ())
    ]
    body = operation.get("requestBody", {}).get("content", {}).get("application/json")
    if body is not None:
        shape = schema["components"]["schemas"][_name(body["schema"]["$ref"])]
        rows += (
            [
                (
                    name,
                    "body",
                    _kind(field),
                    _default({"schema": field, "required": name in required}),
                )
                for required in [shape.get("required", ())]
                for name, field in shape["properties"].items()
            ]
            if "properties" in shape
            else []
        )
    if rows:
        yield _table(("name", "in", "what", "default"), rows)
    answers = operation["responses"]["200"].get("content", {})
    shapes = [_kind(answer["schema"]) for answer in answers.values() if answer["schema"]]
    if "application/json" in answers and any(shapes):
        yield f"Gives {' or '.join(f'`{shape}`' for shape in dict.fromkeys(shapes) if shape)}."
    elif answers:
        yield f"Gives {', '.join(f'`{kind}`' for kind in answers)}."


def _kind(field: dict[str, Any]) -> str:
    """A JSON schema in a few words."""
    if "$ref" in field:
        return _name(field["$ref"])
    if "const" in field:
        return (
            repr(field["const"]).lower()
            if isinstance(field["const"], bool)
            else str(field["const"])
        )
    if "enum" in field:
        return " or ".join(str(value) for value in field["enum"])
    options = field.get("anyOf") or field.get("oneOf")
    if options:
        return " or ".join(dict.fromkeys(_kind(each) for each in options if each != NULL)) or "null"
    kind = field.get("type")
    if kind == "array":
        return f"list of {_kind(field.get('items', {})) or 'anything'}"
    return str(kind or "anything") if kind != "null" else "null"


NULL = {"type": "null"}


def _default(parameter: dict[str, Any]) -> str:
    if parameter.get("required"):
        return "needed"
    default = parameter["schema"].get("default")
    return "" if default is None else f"`{default}`".lower() if default != "" else ""


def _name(reference: str) -> str:
    return reference.rpartition("/")[2]


def _shapes() -> str:
    text = SHAPES.read_text("utf-8")
    return text.partition("\n")[2].strip()  # without the line for those who edit it


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows)])


def main(arguments: list[str]) -> int:
    text = page()
    current = PAGE.read_text("utf-8") if PAGE.is_file() else ""
    if arguments == ["--check"]:
        if text != current:
            print("docs/api.md is not current: run python -m docs.api")
        return int(text != current)
    PAGE.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
