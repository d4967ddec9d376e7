"""Who reads or writes citations, marks and the refusal holds to the one module that defines them:
the prompt's rules, the training material and the browser."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from model import answer_format
from model.prompt import prompts
from training import citing

BROWSER_MODULE = Path(__file__).parents[1] / "web" / "static" / "ask" / "answer-format.js"


def _javascript_pattern(name: str) -> re.Pattern[str]:
    """A regular expression literal of the browser's code, which Python reads alike."""
    literal = re.search(rf"const {name} = /(.+)/\w*;", BROWSER_MODULE.read_text())
    assert literal is not None
    return re.compile(literal[1])


def test_the_rules_show_a_citation_and_the_refusal() -> None:
    assert answer_format.citation(1, "words copied from source 1") in prompts.ANSWER_RULES
    assert answer_format.REFUSAL in prompts.ANSWER_RULES


@pytest.mark.parametrize("n", [1, 2, 9])
def test_training_reads_the_number_of_a_citation(n: int) -> None:
    assert citing.cited(f"It is so {answer_format.citation(n, 'a quote')}.") == n
    assert citing.cited(answer_format.REFUSAL) == 0


@pytest.mark.parametrize("n", [1, 9, 12])
def test_the_browser_finds_the_marks(n: int) -> None:
    marks = _javascript_pattern("MARK")
    answer = f"It is so {answer_format.mark(n)}."
    match = marks.search(answer)
    assert match is not None
    assert (match[0], match[1]) == (answer_format.mark(n), str(n))
    assert marks.sub("", answer) == answer_format.without_marks(answer)


def test_the_browser_knows_the_refusal() -> None:
    refusal = _javascript_pattern("REFUSAL")
    assert refusal.search(answer_format.REFUSAL)
    assert answer_format.is_refusal(answer_format.REFUSAL)
    assert not refusal.search("It stands in your library.")
    assert not answer_format.is_refusal("It stands in your library.")
