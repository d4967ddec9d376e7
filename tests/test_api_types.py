"""The browser's types of the JSON are those of the server."""

from __future__ import annotations

from tests.api_types import DECLARATIONS, declarations


def test_the_declarations_for_the_browser_are_the_schemas() -> None:
    assert DECLARATIONS.read_text() == declarations(), "write them: python -m tests.api_types"
