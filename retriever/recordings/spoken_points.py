"""Decisions, action items and open questions by how they are worded, in English and German.

A point is a sentence that was said: nothing is made up, and what is worded otherwise is not found.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from indexer.types.recordings.minutes import Point, PointKind, SpokenSentence

_NAME = r"(?P<who>[A-ZÄÖÜ][\w’'-]+)"
_NO_NAMES = frozenset(
    "I We You He She It They This That There The A An And But So Then What Who When Where Which How"
    " Yes No Ich Wir Du Sie Er Es Das Die Der Dann Und Aber Ja Nein Was Wer Wann Wo Wie Today"
    " Tomorrow Heute Morgen Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
)
_DECISION = re.compile(
    r"\b(we(’ve|'ve| have)? (decided|agreed)|it (was|is|has been) (decided|agreed)|"
    r"(the|our) decision is|let(’s|'s| us) (go with|take|use|keep)|we(’ll|'ll| will) (go with|take|"
    r"use|keep|stick (to|with))|wir haben (beschlossen|entschieden|uns (geeinigt|entschieden))|"
    r"es (wurde|ist) (beschlossen|entschieden)|wir (nehmen|bleiben bei|machen es so))\b",
    re.IGNORECASE,
)
_VERB = r"(?P<what>(?!be\b|sein\b)\w.*)"
_ACTIONS = tuple(
    re.compile(pattern)
    for pattern in (
        rf"\b(?P<self>I(?:’ll|'ll| will| am going to|’m going to|'m going to) ){_VERB}",
        rf"\b(?P<self>[Ii]ch (?:werde|schicke|mache|kümmere mich|übernehme|erledige|rufe) ){_VERB}",
        rf"^{_NAME}, (?:please|can you|could you|will you|kannst du|bitte) {_VERB}",
        rf"\b{_NAME} (?:will|is going to|has to|should|must) {_VERB}",
        rf"\b{_NAME} (?:wird|soll|muss|übernimmt|kümmert sich um) {_VERB}",
        rf"\b(?:[Cc]an|[Cc]ould|[Ww]ill) you (?:please )?(?P<other>){_VERB}",
        rf"^(?:Please|Bitte) (?P<other>){_VERB}",
        rf"^(?:Action item|To ?do|Aufgabe): ?(?:{_NAME}[:,] ?)?{_VERB}",
    )
)
_DAY = (
    r"(?:next |nächsten? )?(?:(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day|today|tomorrow|tonight|"
    r"noon|the end of (?:the |this |next )?\w+|next (?:week|month)|\d{1,2}(?:\.|st|nd|rd|th)? ?"
    r"(?:of )?[A-Z]\w+|[A-Z]\w+ \d{1,2}(?:st|nd|rd|th)?|\w+tag|Mittwoch|morgen|heute|Ende \w+)"
)
_DUE = re.compile(rf"\s*,?\b(?:by|until|before|on|due|bis(?: zum)?|vor|am|zum) (?P<due>{_DAY})\b")
_OPEN = re.compile(
    r"\b(still open|open question|(do not|don(’|')t) know( yet)?|not (sure|clear)( yet)?|"
    r"(need|have) to find out|to be (clarified|decided)|noch (offen|unklar)|"
    r"wissen wir (noch )?nicht|weiß (ich|man) (noch )?nicht|müssen wir (noch )?klären)\b",
    re.IGNORECASE,
)
ANSWER_S = 12.0  # after a question, in which somebody may say that nobody knows


def spoken_points(sentences: Sequence[SpokenSentence], speakers: Sequence[int]) -> list[Point]:
    """The points of a recording, in order; `speakers` has the one of each sentence."""
    points: list[Point] = []
    for number, (sentence, speaker) in enumerate(zip(sentences, speakers, strict=True)):
        if _DECISION.search(sentence.text):
            points.append(_point(PointKind.DECISION, sentence, speaker))
        elif (action := _action(sentence, speaker, speakers[number + 1 :])) is not None:
            points.append(action)
        elif _is_open(number, sentences):
            points.append(_point(PointKind.QUESTION, sentence, speaker))
    return points


def _point(kind: PointKind, sentence: SpokenSentence, speaker: int) -> Point:
    return Point(kind, sentence.text, sentence.start_s, sentence.end_s, speaker)


def _action(sentence: SpokenSentence, speaker: int, following: Sequence[int]) -> Point | None:
    for pattern in _ACTIONS:
        match = pattern.search(sentence.text)
        if match is None:
            continue
        groups = match.groupdict()
        who = groups.get("who")
        if who in _NO_NAMES:
            continue
        doer: int | None = None
        if groups.get("self"):
            doer = speaker
        elif "other" in groups:  # whoever speaks next is asked
            doer = next((other for other in following if other != speaker), None)
        due = _DUE.search(match["what"])
        what = match["what"][: due.start()] if due else match["what"]
        return Point(
            PointKind.ACTION,
            sentence.text,
            sentence.start_s,
            sentence.end_s,
            doer,
            who,
            what.strip(" .!?,") or None,
            due["due"] if due else None,
        )
    return None


def _is_open(number: int, sentences: Sequence[SpokenSentence]) -> bool:
    """A question that nobody answers, or a sentence that says so itself."""
    sentence = sentences[number]
    if not sentence.text.endswith("?"):
        before = sentences[number - 1].text if number else ""
        return bool(_OPEN.search(sentence.text)) and not before.endswith("?")
    after = [each for each in sentences[number + 1 :] if each.start_s - sentence.end_s < ANSWER_S]
    return not after or _OPEN.search(after[0].text) is not None
