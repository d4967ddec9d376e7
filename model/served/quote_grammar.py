"""The grammar of an answer for engines that constrain decoding: quotes that cannot be invented.

Written in GBNF, which llama.cpp reads, and vLLM and SGLang through xgrammar. It says the same as
`model.answers.quote_constraint`: a bracket begins a citation and nothing else, and a quote is a run
of whole words of the source it names.
"""

from __future__ import annotations

from collections.abc import Mapping

from model.answer_format import CITATION_END, QUOTE_END, opening

# A source has a rule or two for each of its words; more would slow every token down.
MOST_WORDS = 400


def answer_grammar(sources: Mapping[int, str]) -> str:
    """Any text, with citations in it."""
    cite, rules = _citations(sources)
    return "\n".join([f"root ::= ([^\\[]{' | ' + cite if cite else ''})*", *rules])


def citation_grammar(sources: Mapping[int, str]) -> str | None:
    """One citation and nothing else; None where no source has words."""
    cite, rules = _citations(sources)
    return "\n".join([f"root ::= {cite}", *rules]) if cite else None


def _citations(sources: Mapping[int, str]) -> tuple[str, list[str]]:
    """The name of the rule of a citation, empty where there can be none; and all rules."""
    rules: list[str] = []
    names: list[str] = []
    for n, text in sources.items():
        words = text.split()[:MOST_WORDS]
        if not words:
            continue
        names.append(f"c{n}")
        starts = " | ".join(f"s{n}-{index}" for index in range(max(1, len(words) - 1)))
        closing = _literal(QUOTE_END + CITATION_END)
        rules.append(f"c{n} ::= {_literal(opening(n))} ({starts}) {closing}")
        last = len(words) - 1
        for index, word in enumerate(words):
            following = f' " " r{n}-{index + 1}'
            if index < last or last == 0:
                rules.append(f"s{n}-{index} ::= {_literal(word)}{following if last else ''}")
            if index:
                rest = f" ({following.strip()})?" if index < last else ""
                rules.append(f"r{n}-{index} ::= {_literal(word)}{rest}")
    if not names:
        return "", []
    return "cite", [f"cite ::= {' | '.join(names)}", *rules]


def _literal(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
