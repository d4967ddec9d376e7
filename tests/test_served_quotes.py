"""Citations in answers that nothing constrained, and the grammar for engines that do."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings, strategies

from model.interface import AnswerCitation, AnswerText
from model.served.citations import CitationReader, locate_quote
from model.served.quote_grammar import answer_grammar, citation_grammar

WORDS = (
    "The deposit of 1,200.50 euros – “held in trust” – comes\nback in\u00a0four weeks (Straße 5)."
)


@pytest.mark.parametrize(
    ("quote", "exact"),
    [
        ("deposit of 1,200.50 euros", "deposit of 1,200.50 euros"),
        ("The Deposit OF 1,200.50", "The deposit of 1,200.50"),
        ('euros - "held in trust" -', "euros – “held in trust” –"),
        ("comes back in four weeks", "comes\nback in\u00a0four weeks"),
        ("back in four weeks.", "back in\u00a0four weeks"),
        ("straße 5", "Straße 5"),
        ("of 1,200", None),  # a number is never cut
        ("200.50 euros", None),
        ("deposi", None),
        ("euros comes back", None),
        ("…", None),
        ("", None),
    ],
)
def test_a_quote_is_found_as_its_source_has_it(quote: str, exact: str | None) -> None:
    assert locate_quote(quote, WORDS) == exact


@settings(max_examples=40, deadline=None)
@given(strategies.text(min_size=1, max_size=60), strategies.data())
def test_what_is_found_stands_in_the_source(words: str, data: strategies.DataObject) -> None:
    start = data.draw(strategies.integers(0, len(words)))
    quote = words[start : data.draw(strategies.integers(start, len(words)))]
    located = locate_quote(quote, words)
    assert located is None or located in words


def read(answer: str, sizes: int) -> list[AnswerText | AnswerCitation]:
    reader = CitationReader({1: WORDS, 2: "a red boat [sic] lies there"})
    events = []
    for start in range(0, len(answer), sizes):
        events += reader.feed(answer[start : start + sizes])
    return events + reader.flush()


ANSWERS = [
    ('In [1: "four weeks"].', "In [1].", [(1, "four\u00a0weeks".replace("\u00a0", " "))]),
    ('In [ 1 : “back in four weeks” ] so', "In [1] so", [(1, "back in\u00a0four weeks")]),
    ("In [1: four weeks].", "In [1].", [(1, "four weeks")]),
    ('A boat [2: "red boat [sic] lies"].', "A boat [2].", [(2, "red boat [sic] lies")]),
    ("In four weeks [1].", "In four weeks .", []),
    ("See [1, 2] and [a note].", "See  and [a note].", []),
    ('It is [1: "ten years"].', "It is .", [(1, "ten years")]),
    ('It is [7: "four weeks"].', "It is .", [(7, "four weeks")]),
    ('Cut [1: "four', 'Cut [1: "four', []),
    ("<think>maybe [1] it</think>\nYes.", "Yes.", []),
]  # fmt: skip


@pytest.mark.parametrize(("answer", "text", "citations"), ANSWERS)
@pytest.mark.parametrize("sizes", [1, 3, 1000])
def test_citations_are_read_however_they_come(
    answer: str, text: str, citations: list[tuple[int, str]], sizes: int
) -> None:
    events = read(answer, sizes)
    assert "".join(event.text for event in events if isinstance(event, AnswerText)) == text
    cited = [(event.n, event.quote) for event in events if isinstance(event, AnswerCitation)]
    assert cited == citations


def test_a_long_bracket_is_text_before_it_is_long() -> None:
    reader = CitationReader({1: WORDS})
    assert reader.feed("[see the appendix") == [AnswerText("["), AnswerText("see the appendix")]
    assert "".join(e.text for e in reader.feed("[1: " + "x" * 700) if isinstance(e, AnswerText))


def matches(grammar: str, text: str) -> bool:
    """Whether the grammar generates the text: each rule is small and none refers to itself, so it
    can be unfolded into a regular expression."""
    rules = dict(line.split(" ::= ", 1) for line in grammar.splitlines())
    token = re.compile(r'"(?:\\.|[^"\\])*"|\[\^\\\[\]|[a-z][\w-]*|\s+|.')

    def unfolded(rule: str) -> str:
        parts = []
        for part in token.findall(rule):
            if part[0] == '"':
                parts.append(re.escape(re.sub(r"\\(.)", r"\1", part[1:-1])))
            elif part in rules:
                parts.append(f"(?:{unfolded(rules[part])})")
            elif not part.isspace():
                parts.append(part)
        return "".join(parts)

    return re.fullmatch(unfolded(rules["root"]), text, re.DOTALL) is not None


SOURCES = {1: 'He said "no" \\ twice', 3: "alone", 4: " "}


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        ("", True),
        ("No citation.\nAt all.", True),
        ('He did [1: "said "no" \\"] and [3: "alone"].', True),
        ('[1: "He said "no" \\ twice"]', True),
        ('[1: "twice"]', False),  # one word of many
        ('[1: "said yes"]', False),
        ('[1: "aid "no""]', False),
        ('[2: "alone"]', False),
        ("[1]", False),
        ("a [ b", False),
    ],
)
def test_the_grammar_of_an_answer(text: str, fits: bool) -> None:
    assert matches(answer_grammar(SOURCES), text) is fits


def test_the_grammar_of_a_citation_alone() -> None:
    grammar = citation_grammar(SOURCES)
    assert grammar is not None
    assert matches(grammar, '[3: "alone"]')
    assert not matches(grammar, 'see [3: "alone"]')
    assert citation_grammar({1: " "}) is None
    assert matches(answer_grammar({}), "No sources.")
