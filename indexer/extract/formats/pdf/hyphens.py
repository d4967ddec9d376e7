"""Words broken at the end of a line, a column or a page of a PDF: joined, or kept with their
hyphen.

Whichever reading is chosen, a search for the other finds it too: `types.tokens` joins what is
written with a hyphen.
"""

from __future__ import annotations

import re

from indexer.types.text.characters import clean

# A hyphen before one of these stands for a part of a word that follows: `Ein- und Ausgabe`.
_CONJUNCTIONS = frozenset(
    "und oder bzw sowie and or et ou y e o u of og eller och i lub oraz a nebo".split()
)
# Words after which a hyphen is seldom one of the line: `well-known`, `state-of-the-art`.
_HYPHENED_HEADS = frozenset("well self".split())
_INNER_WORDS = frozenset("of the to in and by on up at du de la le und zu a".split())
_BREAK = re.compile(r"(?<=[^\W\d_])[-\u2010\u00ad]\n(?=[^\W\d_])")
_MAY_BE_BROKEN = re.compile(r"[-/\u2010\u00ad]\n")
_BROKEN_NUMBER = re.compile(r"(?<=\w)([-\u2010/])\n(?=\w)")
_HEAD = re.compile(r"[^\W_](?:[^\W_]|[-\u2010'’])*$")
_TAIL = re.compile(r"[^\W\d_]+")
_OPEN_END = re.compile(r"(?<=[^\W\d_])[-\u2010\u00ad]$")
_LONGEST_HEAD = 60
_LONGEST_FOOT = 2_000  # what may stand below the last paragraph of a page
# How many paragraphs stand at most between the two parts of a word: footnotes, the number of a
# page, its header.
_PARAGRAPHS_BETWEEN = 3


def join_lines(block: str) -> str:
    """The lines of a paragraph as one line of clean text; a hyphen at its end stays."""
    block = "\n".join(map(str.strip, block.replace("\r", "\n").split("\n")))
    if _MAY_BE_BROKEN.search(block):
        block = _BREAK.sub(_separator, block)
        block = _BROKEN_NUMBER.sub(r"\1", block)
    if block.endswith("\u00ad"):
        block = block[:-1] + "-"
    return " ".join(clean(block).split())


def _separator(match: re.Match[str]) -> str:
    """What stands between the two parts of a word that is broken here."""
    text, at = match.string, match.start()
    if text[at] == "\u00ad":  # put there for the end of a line alone
        return ""
    tail_match, head_match = (
        _TAIL.match(text, match.end()),
        _HEAD.search(text[at - _LONGEST_HEAD if at > _LONGEST_HEAD else 0 : at]),
    )
    tail = tail_match[0] if tail_match else ""
    head = head_match[0] if head_match else ""
    if not tail[:1].islower():
        return "-" if tail[:1].upper() != tail[:1].lower() else ""
    if tail in _CONJUNCTIONS:
        return "- "
    inner = re.split(r"[-\u2010]", head)
    if len(inner) > 1 and inner[-1].lower() in _INNER_WORDS:
        return "-"
    if head.lower() in _HYPHENED_HEADS or f"{head}-{tail}" in text:
        return "-"
    return ""


def join_paragraphs(paragraphs: list[str]) -> list[str]:
    """The paragraphs of a page; one that ends within a word goes on in the next one that begins
    within one, as at the end of a column."""
    joined: list[str] = []
    for paragraph in paragraphs:
        if joined and paragraph[:1].islower() and _is_open(joined[-1]):
            joined[-1] = join_lines(f"{joined[-1]}\n{paragraph}")
        else:
            joined.append(paragraph)
    for number, paragraph in enumerate(joined):
        if _is_open(paragraph):
            following = joined[number + 2 : number + 2 + _PARAGRAPHS_BETWEEN]
            joined[number] = _completed(paragraph, following)
    return joined


def _is_open(paragraph: str) -> bool:
    """Whether it ends within a word."""
    return _OPEN_END.search(paragraph[-2:]) is not None


def complete_last_word(page: str, next_page: str) -> str:
    """The text of a page; a word that goes on on the next page is whole on this one."""
    foot = page[-_LONGEST_FOOT:] + "\n\n"
    if "-\n\n" not in foot and "\u2010\n\n" not in foot:
        return page
    paragraphs = page.split("\n\n")
    for number in reversed(range(len(paragraphs))[-_PARAGRAPHS_BETWEEN:]):
        if _is_open(paragraphs[number]):
            following = next_page.split("\n\n", _PARAGRAPHS_BETWEEN)[:_PARAGRAPHS_BETWEEN]
            paragraphs[number] = _completed(paragraphs[number], following)
            return "\n\n".join(paragraphs)
    return page


def _completed(paragraph: str, following: list[str]) -> str:
    """The paragraph with the rest of its last word, from the first that begins within a word."""
    for other in following:
        tail = _TAIL.match(other)
        if tail and tail[0][0].islower():
            return join_lines(f"{paragraph}\n{tail[0]}")
    return paragraph
