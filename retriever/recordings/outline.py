"""What a recording is about: its title, and sections cut where the words change."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence

from indexer.types.recordings.minutes import Section, SpokenSentence
from indexer.types.text.tokens import tokens

SHORTEST_S, LONGEST_S = 30.0, 180.0  # of a section
AROUND = 5  # sentences on both sides of a cut whose words are compared
TITLE_CHARS = 80
_TOPIC = re.compile(
    r"\b(?:talk(?:ing)? about|speak about|discuss|(?:topic|subject) (?:today )?is|"
    r"geht es (?:heute )?um|sprechen (?:wir )?(?:heute )?über|Thema ist) (?:the )?([^.?!]{3,60})",
    re.IGNORECASE,
)


def topic_of(sentences: Sequence[SpokenSentence]) -> str | None:
    """What somebody says that it is about."""
    match = next((m for each in sentences[:30] if (m := _TOPIC.search(each.text))), None)
    return None if match is None else match[1][:1].upper() + match[1][1:].strip(" ,")


def outline(sentences: Sequence[SpokenSentence]) -> list[Section]:
    """The sections, in order; each is called as its sentence with the rarest words."""
    words = [set(tokens(each.text)) for each in sentences]
    counts = Counter(word for each in words for word in each)
    starts = [0]
    for number in range(1, len(sentences)):
        length_s = sentences[number].start_s - sentences[starts[-1]].start_s
        left_s = sentences[-1].end_s - sentences[number].start_s
        if length_s < SHORTEST_S or left_s < SHORTEST_S:
            continue
        if length_s > LONGEST_S or _is_change(words, counts, number):
            starts.append(number)
    sections = []
    for start, end in zip(starts, [*starts[1:], len(sentences)], strict=True):
        titles = range(start, end)
        best = max(titles, key=lambda n: (_weight(words[n], counts, len(words)), -n), default=start)
        title = sentences[best].text
        if len(title) > TITLE_CHARS:
            title = title[:TITLE_CHARS].rsplit(" ", 1)[0] + " …"
        sections.append(Section(title, sentences[start].start_s))
    return sections


def _is_change(words: Sequence[set[str]], counts: Counter[str], number: int) -> bool:
    """Whether the sentences on both sides have no word in common but frequent ones."""
    before = set().union(*words[max(0, number - AROUND) : number])
    after = set().union(*words[number : number + AROUND])
    frequent = max(3, len(words) // 3)
    return not any(counts[word] <= frequent and len(word) > 3 for word in before & after)


def _weight(words: set[str], counts: Counter[str], total: int) -> float:
    """How much a sentence says of its section: words that come again, but not everywhere."""
    repeated = [word for word in words if counts[word] > 1 and len(word) > 3]
    return sum(math.log(1 + total / counts[word]) for word in repeated)
