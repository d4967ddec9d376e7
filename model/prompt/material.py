"""Words of files in a prompt, and the prompt in words of the model: each stays what it is.

A document, a picture or a recording may hold markup of our prompt, an answer with citations, or a
line that looks like the next question. In a prompt such words are written so that they read the
same and are no markup. The other way round, a model that repeats its instruction instead of
transcribing has said nothing: that sentence never reaches a person.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from model.answer_format import opening

_TAG = re.compile(r"[<＜]\s*(/?)\s*(?=source\b)", re.IGNORECASE)
_NUMBER = re.escape(opening(0)).replace("0", r"\s*\d+\s*", 1).replace(r"\ ", r"\s*")
_CITATION = re.compile(_NUMBER.replace('"', "[\"“”„«']"))
# What begins a line of an answer's prompt.
_LINE = re.compile(r"(?m)^(?=\s*(?:Question:|Picture of source \d|Heard again in source \d))")
_LINE_ENDS = re.compile("[\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]+\n?")
_SPACE = r"\s+"
LEAST_ECHO_WORDS = 4  # of a sentence that was broken off


def as_material(words: str, instructions: Iterable[str] = ()) -> str:
    """Words of a file as they stand in a prompt: tags of sources, citations and lines of the prompt
    are no markup in them, and none of the `instructions` stands in them as it is given."""
    words = _TAG.sub(r"‹\1", _LINE_ENDS.sub("\n", words))
    words = _CITATION.sub(lambda match: "‹" + match[0][1:], words)
    words = _LINE.sub("· ", words)
    for instruction in instructions:
        sentence = instruction.strip()
        words = words.replace(sentence, sentence.replace(" ", "\u00a0"))
    return words


def as_title(title: str, instructions: Iterable[str] = ()) -> str:
    """The name of a file as it stands in a tag: one line without quotation marks or tags."""
    return as_material(" ".join(title.split()), instructions).replace('"', "'").replace(">", "›")


def without_echo(words: str, instructions: Iterable[str]) -> str:
    """What a model wrote, without the instructions it was given, whole or broken off at the end,
    and the emphasis around them."""
    kept = words
    for instruction in instructions:
        for sentence in re.split(r"(?<=[.:])\s+", instruction.strip()):
            parts = [re.escape(part) for part in sentence.split()]
            if len(parts) < LEAST_ECHO_WORDS:
                continue
            whole = _SPACE.join(parts)
            kept = re.sub(rf"[*_#`>\s]*{whole}[*_`]*", " ", kept, flags=re.IGNORECASE)
            for count in range(len(parts) - 1, LEAST_ECHO_WORDS - 1, -1):
                begun = _SPACE.join(parts[:count])
                kept = re.sub(rf"[*_#`>\s]*\b{begun}\s*$", "", kept, flags=re.IGNORECASE)
    return words if kept == words else " ".join(kept.split())
