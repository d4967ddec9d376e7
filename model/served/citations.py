"""The citations in an answer that nothing constrained: found in the stream, checked, made exact."""

from __future__ import annotations

import re
from collections.abc import Mapping

from model.answer_format import BRACKET, mark
from model.interface import AnswerCitation, AnswerText

MOST_CITATION_CHARACTERS = 600
# `[1: "words"]` is asked for; models also write other quotation marks, or none.
_CITATION = re.compile(r'\[\s*(\d+)\s*:\s*(?:["“”„«](.*?)["”“»]|([^"“”„«\]]+))\s*\]', re.DOTALL)
_BARE = re.compile(r"\[\s*\d+(?:\s*[,;]\s*\d+)*\s*\]")
_OPEN = re.compile(r"\[\s*(?:\d[\d\s,;]*(?::.*)?)?", re.DOTALL)
THOUGHT_OPENING, THOUGHT_END = "<think>", "</think>"
_ALIKE = str.maketrans("‹›“”„«»‘’‚–—−\u00a0", '<>"""""\'\'\'--- ')
_TRAILING = " .,;:!?…\"'"


def locate_quote(quote: str, words: str) -> str | None:
    """The run of `words` that `quote` stands for, as it is written there; None where there is none.
    White space, case and the shape of quotation marks and dashes may differ; numbers and words are
    never cut."""
    folded, origins = _folded(words)
    wanted = _folded(quote)[0].strip()
    for text in dict.fromkeys((wanted, wanted.strip(_TRAILING))):
        if not re.search(r"\w", text):
            continue
        for match in re.finditer(re.escape(text), folded):
            start, end = match.span()
            if _whole(folded, start, end):
                return words[origins[start] : origins[end - 1] + 1]
    return None


def _folded(text: str) -> tuple[str, list[int]]:
    """`text` in one case, with plain quotation marks and single spaces; and for each of its
    characters where it stands in `text`."""
    letters: list[str] = []
    origins: list[int] = []
    for index, letter in enumerate(text.translate(_ALIKE)):
        if letter.isspace():
            if letters and letters[-1] == " ":
                continue
            letter = " "
        lower = letter.lower()
        letters.append(lower if len(lower) == 1 else letter)
        origins.append(index)
    return "".join(letters), origins


def _whole(text: str, start: int, end: int) -> bool:
    """Whether no word or number is cut: "3.5" may not be quoted as "3"."""
    before, after = text[max(0, start - 2) : start], text[end : end + 2]
    cut_before = before[-1:].isalnum() and text[start].isalnum()
    cut_after = after[:1].isalnum() and text[end - 1].isalnum()
    in_number_before = text[start].isdigit() and bool(re.fullmatch(r"\d[.,:/]", before))
    in_number_after = text[end - 1].isdigit() and bool(re.fullmatch(r"[.,:/]\d", after))
    return not (cut_before or cut_after or in_number_before or in_number_after)


class CitationReader:
    """Turns written text into events. A citation whose quote stands in its source shows as its
    mark and comes with the source's own words; any other comes as the model wrote it and without a
    mark, for the caller to count."""

    def __init__(self, words: Mapping[int, str]) -> None:
        self.cited = 0
        self.text = ""
        self._words = words
        self._held = ""
        self._begun = False

    def feed(self, text: str) -> list[AnswerText | AnswerCitation]:
        """The events that `text` completes; what may still become a citation is held back."""
        self._held += text
        return self._take(ended=False)

    def flush(self) -> list[AnswerText | AnswerCitation]:
        """The rest, at the end."""
        return self._take(ended=True)

    def _take(self, ended: bool) -> list[AnswerText | AnswerCitation]:
        if not self._begun and not self._skip_thought(ended):
            return []
        events: list[AnswerText | AnswerCitation] = []
        while self._held:
            free, bracket, _ = self._held.partition(BRACKET)
            if not bracket:
                self._show(events, free)
                self._held = ""
                break
            self._show(events, free)
            self._held = self._held[len(free) :]
            if match := _CITATION.match(self._held):
                self._cite(events, int(match[1]), (match[2] or match[3] or "").strip())
                self._held = self._held[match.end() :]
            elif match := _BARE.match(self._held):
                self._held = self._held[match.end() :]
            elif not ended and self._may_become_citation():
                break
            else:
                self._show(events, BRACKET)
                self._held = self._held[1:]
        return events

    def _skip_thought(self, ended: bool) -> bool:
        """Whether the answer itself has begun: some engines send a model's thought before it."""
        held = self._held.lstrip()
        if held.startswith(THOUGHT_OPENING):
            _, _, rest = held.partition(THOUGHT_END)
            self._held = rest.lstrip()
            self._begun = bool(self._held)
            if not self._begun and not ended:
                self._held = held  # its end, or what comes after, is still to come
        else:
            self._begun = ended or not THOUGHT_OPENING.startswith(held)
        return self._begun

    def _may_become_citation(self) -> bool:
        short = len(self._held) < MOST_CITATION_CHARACTERS
        return short and _OPEN.fullmatch(self._held) is not None

    def _show(self, events: list[AnswerText | AnswerCitation], text: str) -> None:
        if text:
            self.text += text
            events.append(AnswerText(text))

    def _cite(self, events: list[AnswerText | AnswerCitation], n: int, quote: str) -> None:
        exact = locate_quote(quote, self._words.get(n, ""))
        if exact is None:
            events.append(AnswerCitation(n, quote))
            return
        self.cited += 1
        events += [AnswerText(mark(n)), AnswerCitation(n, exact)]
