"""The conversations of one library: begun, continued, found by their words, renamed, deleted."""

from __future__ import annotations

import json
import secrets
import sqlite3
import time
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

from indexer.types.text.tokens import tokens
from model.interface import ConversationTurn
from web.library.conversations.database import Connection, ConversationDatabase
from web.library.errors import LibraryError
from web.library.schemas.answers import ConversationNameJson
from web.library.schemas.conversations import (
    ConversationJson,
    ConversationsJson,
    ConversationSummaryJson,
    SubjectJson,
    TurnJson,
)

NEW = "new"  # asks for a conversation of its own
MAX_TITLE_CHARS = 200
HISTORY_TURNS = 6  # that the model is given with a question
BROKEN_OFF = "The answer broke off before its end."
FORGOTTEN = "This answer was taken out: a file that it was written from has been forgotten."

SUMMARY = """SELECT c.id, c.title, c.began_at, c.changed_at,
    (SELECT count(*) FROM turns t WHERE t.conversation = c.id) AS questions FROM conversations c"""
# Every word begins a word of its title or of one of its turns.
MATCHES = """NOT EXISTS (SELECT 1 FROM json_each(?) w WHERE instr(c.words, ' ' || w.value) = 0
    AND NOT EXISTS (SELECT 1 FROM turns t
        WHERE t.conversation = c.id AND instr(t.words, ' ' || w.value) > 0))"""


class Conversations:
    """Threads may share it."""

    def __init__(self, file: Path) -> None:
        self._database = ConversationDatabase(file)

    def begin_turn(
        self, conversation: str, question: str, about: Sequence[SubjectJson]
    ) -> tuple[ConversationNameJson, int]:
        """Keeps a question, in a conversation or in a NEW one, as one whose answer broke off: that
        is so unless `end_turn` follows. Returns the conversation and the number of the turn.
        Raises LibraryError."""
        now = time.time()
        turn: TurnJson = {
            "question": question,
            "about": list(about),
            "asked_at": now,
            "text": "",
            "sources": [],
            "citations": [],
            "state": "failed",
            "done": None,
            "problem": {"code": "cut", "sentence": BROKEN_OFF},
        }
        if conversation != NEW and not self._database.exists():
            raise _unknown()
        with self._database.writing() as db:
            if conversation == NEW:
                conversation = secrets.token_hex(8)
                title = " ".join(question.split())[:MAX_TITLE_CHARS]
                db.execute(
                    "INSERT INTO conversations VALUES (?, ?, ?, ?, ?)",
                    (conversation, title, _folded(title), now, now),
                )
            row = _row(db, conversation)
            n = row["questions"] + 1
            db.execute(
                "INSERT INTO turns VALUES (?, ?, ?, ?)",
                (conversation, n, json.dumps(turn), _words(turn)),
            )
            db.execute("UPDATE conversations SET changed_at = ? WHERE id = ?", (now, conversation))
        return {"id": conversation, "title": row["title"]}, n

    def end_turn(self, conversation: str, n: int, change: Callable[[TurnJson], TurnJson]) -> None:
        """Keeps what became of a turn; nothing where the conversation was deleted meanwhile."""
        with self._database.writing() as db:
            row = db.execute(
                "SELECT turn FROM turns WHERE conversation = ? AND n = ?", (conversation, n)
            ).fetchone()
            if row is not None:
                _keep(db, conversation, n, change(json.loads(row["turn"])))

    def history(self, conversation: str) -> list[ConversationTurn]:
        """The last turns with an answer, the first one first. Raises LibraryError."""
        if conversation == NEW:
            return []
        answered = [
            ConversationTurn(turn["question"], turn["text"])
            for turn in self.get(conversation)["turns"]
            if turn["text"] and turn["state"] != "failed"
        ]
        return answered[-HISTORY_TURNS:]

    def page(self, words: str = "", offset: int = 0, limit: int = 50) -> ConversationsJson:
        """Those in which all the words begin a word, the last changed first."""
        if not self._database.exists():
            return {"count": 0, "conversations": []}
        sought = json.dumps(tokens(words))
        with self._database.reading() as db:
            count = db.execute(
                f"SELECT count(*) FROM conversations c WHERE {MATCHES}",  # noqa: S608  # our own
                (sought,),
            ).fetchone()[0]
            rows = db.execute(
                f"{SUMMARY} WHERE {MATCHES} ORDER BY c.changed_at DESC, c.id LIMIT ? OFFSET ?",
                (sought, limit, offset),
            ).fetchall()
        return {"count": count, "conversations": [_summary(row) for row in rows]}

    def get(self, conversation: str) -> ConversationJson:
        """One conversation with its turns, the first one first. Raises LibraryError."""
        if not self._database.exists():
            raise _unknown()
        with self._database.reading() as db:
            row = _row(db, conversation)
            turns = db.execute(
                "SELECT turn FROM turns WHERE conversation = ? ORDER BY n", (conversation,)
            ).fetchall()
        return {**_summary(row), "turns": [json.loads(turn["turn"]) for turn in turns]}

    def rename(self, conversation: str, title: str) -> ConversationSummaryJson:
        """Gives a conversation another title. Raises LibraryError."""
        title = " ".join(title.split())[:MAX_TITLE_CHARS]
        if not title:
            raise LibraryError("title", "A conversation needs a title; write one.")
        if not self._database.exists():
            raise _unknown()
        with self._database.writing() as db:
            _row(db, conversation)
            db.execute(
                "UPDATE conversations SET title = ?, words = ? WHERE id = ?",
                (title, _folded(title), conversation),
            )
            return _summary(_row(db, conversation))

    def delete(self, conversation: str) -> None:
        """Deletes a conversation; no byte of it stays. Raises LibraryError."""
        if not self._database.exists():
            raise _unknown()
        with self._database.writing() as db:
            _row(db, conversation)
            db.execute("DELETE FROM conversations WHERE id = ?", (conversation,))
        self._database.rewrite()

    def items(self) -> set[str]:
        """The ids of all items that answers were written from, or asked about."""
        if not self._database.exists():
            return set()
        with self._database.reading() as db:
            rows = db.execute(
                """SELECT DISTINCT s.value ->> 'id' AS item FROM turns t,
                    json_each(json_array('$.sources', '$.citations', '$.about')) p,
                    json_each(t.turn, p.value) s"""
            )
            return {row["item"] for row in rows}

    def take_out(self, items: Collection[str]) -> None:
        """Takes out what was written from forgotten items: their quotes and snippets, and every
        answer that the model wrote with their words before it. The questions stay."""
        if not items or not self._database.exists():
            return
        with self._database.writing() as db:
            rows = db.execute("SELECT conversation, n, turn FROM turns").fetchall()
            for row in rows:
                turn: TurnJson = json.loads(row["turn"])
                if _mentions(turn, items):
                    _keep(db, row["conversation"], row["n"], _without(turn, items))
        self._database.rewrite()


def _row(db: Connection, conversation: str) -> sqlite3.Row:
    row: sqlite3.Row | None = db.execute(f"{SUMMARY} WHERE c.id = ?", (conversation,)).fetchone()
    if row is None:
        raise _unknown()
    return row


def _unknown() -> LibraryError:
    sentence = "There is no such conversation; `recollect conversations` lists them."
    return LibraryError("not_found", sentence, 404)


def _summary(row: sqlite3.Row) -> ConversationSummaryJson:
    return {
        "id": row["id"],
        "title": row["title"],
        "questions": row["questions"],
        "began_at": row["began_at"],
        "changed_at": row["changed_at"],
    }


def _keep(db: Connection, conversation: str, n: int, turn: TurnJson) -> None:
    db.execute(
        "UPDATE turns SET turn = ?, words = ? WHERE conversation = ? AND n = ?",
        (json.dumps(turn), _words(turn), conversation, n),
    )


def _words(turn: TurnJson) -> str:
    quotes = (f"{citation['title']} {citation['quote']}" for citation in turn["citations"])
    return _folded(" ".join((turn["question"], turn["text"], *quotes)))


def _folded(text: str) -> str:
    return " " + " ".join(tokens(text)) + " "


def _mentions(turn: TurnJson, items: Collection[str]) -> bool:
    return any(
        part["id"] in items for part in (*turn["sources"], *turn["citations"], *turn["about"])
    )


def _without(turn: TurnJson, items: Collection[str]) -> TurnJson:
    # The words of an answer may be those of any source that the model was given.
    return {
        **turn,
        "text": "",
        "about": [subject for subject in turn["about"] if subject["id"] not in items],
        "sources": [source for source in turn["sources"] if source["id"] not in items],
        "citations": [],
        "state": "failed",
        "done": None,
        "problem": {"code": "forgotten", "sentence": FORGOTTEN},
    }
