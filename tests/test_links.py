"""Every link of the documentation leads somewhere: to a file that is there, and to a heading of
it."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).parents[1]
OUTSIDE = re.compile(r"[a-z]+:")  # of another machine: nothing is asked there


def pages() -> list[str]:
    listing = subprocess.run(
        ["git", "ls-files", "*.md"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    return [name for name in listing.split("\n") if name and not name.startswith("model/pocket/")]


def tokens(page: Path) -> Iterator[Token]:
    for token in MarkdownIt().enable("table").parse(page.read_text()):
        yield token
        yield from token.children or []


def links(page: Path) -> Iterator[str]:
    for token in tokens(page):
        if address := token.attrGet("href") or token.attrGet("src"):
            yield str(address)


@cache
def anchors(page: Path) -> frozenset[str]:
    """The headings as GitHub names them."""
    names = set()
    stream = list(tokens(page))
    for head, inline in pairwise(stream):
        if head.type == "heading_open":
            text = re.sub(r"[`*]", "", inline.content).lower()
            names.add(re.sub(r"[^\w -]", "", text).replace(" ", "-"))
    return frozenset(names)


@pytest.mark.parametrize("name", pages())
def test_every_link_leads_somewhere(name: str) -> None:
    page = ROOT / name
    dead = []
    for link in links(page):
        if OUTSIDE.match(link):
            continue
        address, _, anchor = link.partition("#")
        target = (page.parent / address).resolve() if address else page
        is_there = target.exists() and target.is_relative_to(ROOT)
        if not is_there or (anchor and target.suffix == ".md" and anchor not in anchors(target)):
            dead.append(link)
    assert dead == []


def test_dead_links_are_seen(tmp_path: Path) -> None:
    page = tmp_path / "a.md"
    page.write_text("# A `name`, twice\n\n[there](#a-name-twice) ![gone](gone.png)\n")
    assert list(links(page)) == ["#a-name-twice", "gone.png"]
    assert anchors(page) == {"a-name-twice"}
