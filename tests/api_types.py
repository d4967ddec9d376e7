"""The JSON shapes of the API for the type check of the browser's side.

    python -m tests.api_types    write web/static/server/api.d.ts anew

They are the TypedDicts of `web/library/schemas` and those they consist of, with the same names.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
from pathlib import Path
from types import NoneType, UnionType
from typing import (
    Any,
    Literal,
    NotRequired,
    Required,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

from typing_extensions import is_typeddict

from web.library import schemas

DECLARATIONS = Path(__file__).resolve().parent.parent / "web/static/server/api.d.ts"
HEAD = "// The JSON of the API, written from web/library/schemas by: python -m tests.api_types\n"
PLAIN = {str: "string", int: "number", float: "number", bool: "boolean", NoneType: "null"}


def declared(shape: Any) -> str:
    """A Python type as TypeScript writes it."""
    origin, parts = get_origin(shape), get_args(shape)
    if shape in PLAIN:
        return PLAIN[shape]
    if is_typeddict(shape):
        return str(shape.__name__)
    if origin in (NotRequired, Required):
        return declared(parts[0])
    if origin is Literal:
        return " | ".join(f'"{value}"' for value in parts)
    if origin in (Union, UnionType):
        return " | ".join(declared(part) for part in parts)
    if origin is list:
        element = declared(parts[0])
        return f"({element})[]" if " " in element and element[0] != "[" else f"{element}[]"
    if origin is tuple:
        return f"[{', '.join(declared(part) for part in parts)}]"
    if origin is dict:
        return f"Record<{declared(parts[0])}, {declared(parts[1])}>"
    raise TypeError(f"no TypeScript for {shape}")


def interface(shape: Any) -> str:
    """A TypedDict as an interface, with the comment of each of its own fields."""
    comments = dict(re.findall(r"^    (\w+): .*  # (.+)$", inspect.getsource(shape), re.MULTILINE))
    lines = []
    for name, field in get_type_hints(shape, include_extras=True).items():
        # With postponed annotations `__optional_keys__` knows of `total=False` alone.
        left_out = get_origin(field) is NotRequired or name in shape.__optional_keys__
        optional = "?" if left_out else ""
        comment = f" // {comments[name]}" if name in comments else ""
        lines.append(f"  {name}{optional}: {declared(field)};{comment}")
    return f"export interface {shape.__name__} {{\n" + "\n".join(lines) + "\n}\n"


def declarations() -> str:
    """The whole text of `api.d.ts`."""
    modules = [
        importlib.import_module(f"{schemas.__name__}.{module.name}")
        for module in pkgutil.iter_modules(schemas.__path__)
    ]
    shapes = {
        name: shape
        for module in modules
        for name, shape in vars(module).items()
        if is_typeddict(shape)
    }
    return "\n".join([HEAD, *map(interface, shapes.values())])


if __name__ == "__main__":
    DECLARATIONS.write_text(declarations(), encoding="utf-8", newline="\n")
