"""Which mails somebody has sent: by the first line of a message, as it is found by its words."""

from __future__ import annotations

import json
import re
from sqlite3 import Connection

from indexer.catalog.words.query import in_a_row
from indexer.types.text.tokens import tokens

# A message is a page that begins with its headers; one that a text only quotes does not.
_HEADERS = re.compile(r"From: (?P<sender>[^\n]+)\n+(?:[^\n]*\n+){0,3}?(?:To|Cc|Date): ")


def sent_by(db: Connection, sender: str) -> set[str]:
    """The contents with a message of which the sender's name or address has these words in a row,
    and what is attached to them."""
    wanted = tokens(sender)
    if not wanted:
        return set()
    rows = db.execute(
        """SELECT p.content, p.text FROM passage_words w CROSS JOIN passages p ON p.id = w.rowid
        WHERE passage_words MATCH ? AND p.page IS NOT NULL AND NOT EXISTS (
            SELECT 1 FROM passages b WHERE b.generation = p.generation
                AND b.ordinal = p.ordinal - 1 AND b.page = p.page)""",
        (f'folded : ("from" AND {in_a_row(wanted)})',),
    )
    mails: set[str] = set()
    for content, text in rows:
        match = _HEADERS.match(text)
        if match is not None and _holds(tokens(match["sender"]), wanted):
            mails.add(content)
    attached = db.execute(
        """SELECT content FROM members WHERE content IS NOT NULL
        AND container IN (SELECT value FROM json_each(?))""",
        (json.dumps(list(mails)),),
    )
    return mails | {content for (content,) in attached}


def _holds(words: list[str], wanted: list[str]) -> bool:
    length = len(wanted)
    return any(words[i : i + length] == wanted for i in range(len(words) - length + 1))
