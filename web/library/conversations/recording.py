"""An answer on its way to a person, kept in its conversation however it ends."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

from web.library.conversations.conversations import Conversations
from web.library.schemas.answers import (
    AskEvent,
    CitationJson,
    ConversationNameJson,
    DoneJson,
    ProblemJson,
    SourceJson,
    TokenJson,
)
from web.library.schemas.conversations import TurnJson

CANCELLED = "cancelled"  # the reason of an answer that ended because nobody waits for it


def recorded(
    events: Iterator[AskEvent], conversations: Conversations, name: ConversationNameJson, n: int
) -> Iterator[AskEvent]:
    """The events of an answer, after one that names its conversation. Closed before its end, the
    answer was stopped by a person."""
    answer = _Answer()
    ended = False
    try:
        yield {"event": "conversation", "data": name}
        for event in events:
            answer.add(event)
            ended = ended or event["event"] in ("done", "error")
            if ended:  # kept before anybody hears of the end, and asks for what was kept
                conversations.end_turn(name["id"], n, answer.fill)
            yield event
    finally:
        if not ended:
            conversations.end_turn(name["id"], n, answer.fill)


class _Answer:
    """What has come of an answer so far."""

    def __init__(self) -> None:
        self._text: list[str] = []
        self._sources: list[SourceJson] = []
        self._citations: list[CitationJson] = []
        self._done: DoneJson | None = None
        self._problem: ProblemJson | None = None

    def add(self, event: AskEvent) -> None:
        data = event["data"]
        match event["event"]:
            case "source":
                self._sources.append(cast(SourceJson, data))
            case "token":
                self._text.append(cast(TokenJson, data)["text"])
            case "citation":
                self._citations.append(cast(CitationJson, data))
            case "done":
                self._done = cast(DoneJson, data)
            case "error":
                self._problem = cast(ProblemJson, data)

    def fill(self, turn: TurnJson) -> TurnJson:
        """The turn with what has come of its answer."""
        done = self._done
        finished = done is not None and done["reason"] != CANCELLED
        return {
            **turn,
            "text": (done and done["answer"]) or "".join(self._text),
            "sources": self._sources,
            "citations": done["citations"] if done else self._citations,
            "state": "failed" if self._problem else "done" if finished else "stopped",
            "done": done
            and {
                "coverage": done["coverage"],
                "reason": done["reason"],
                "left_out": done["left_out"],
                "unfounded": done["unfounded"],
            },
            "problem": self._problem,
        }
