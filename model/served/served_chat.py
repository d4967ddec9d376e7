"""What an engine says next in a conversation, without sources."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

from model.interface import AnswerEnd, AnswerText, ChatEvent, FinishReason, Prompt, WritingOptions
from model.served.capabilities import PLAIN_ANSWERS, Capabilities
from model.served.connection import Connection
from model.served.messages import chat_messages

CHAT_TOKENS = 2_000
CHAT_S = 600.0


def sampling_body(options: WritingOptions) -> dict[str, Any]:
    """How tokens are drawn, as a chat request says it."""
    body: dict[str, Any] = {"temperature": options.temperature}
    if options.temperature > 0:
        body["top_p"] = options.top_p
    return body if options.seed is None else {**body, "seed": options.seed}


class ServedChat:
    """One request to the engine, and its stream as events."""

    def __init__(
        self,
        chat: Connection,
        capabilities: Capabilities,
        options: WritingOptions,
        cancelled: Callable[[], bool],
    ) -> None:
        self._chat = chat
        self._capabilities = capabilities
        self._options = options
        self._cancelled = cancelled
        self._reason: FinishReason = "stop"
        self._began_s = time.perf_counter()
        self._tokens = self._prompt_tokens = 0

    def events(self, prompt: Prompt) -> Iterator[ChatEvent]:
        """All events, the last one `AnswerEnd`. Raises EngineError."""
        first_s = 0.0
        for event in self._chat.stream("/chat/completions", self._body(prompt), self._stopped):
            if text := self._take(event):
                first_s = first_s or time.perf_counter()
                yield AnswerText(text)
            if self._stopped():
                break
        now_s = time.perf_counter()
        first_s = first_s or now_s
        writing_s = now_s - first_s
        yield AnswerEnd(
            reason=self._reason,
            first_token_ms=(first_s - self._began_s) * 1000,
            tokens=self._tokens,
            tokens_per_s=(self._tokens - 1) / writing_s if self._tokens > 1 and writing_s else 0.0,
            draft_acceptance=None,
            prompt_tokens=self._prompt_tokens,
        )

    def _body(self, prompt: Prompt) -> dict[str, Any]:
        body = {
            "model": self._capabilities.name,
            "messages": chat_messages(prompt),
            "max_tokens": self._options.max_tokens or CHAT_TOKENS,
            "stream": True,
            "stream_options": {"include_usage": True},
        }
        body |= sampling_body(self._options)
        body |= {"stop": [*self._options.stop]} if self._options.stop else {}
        return body | (PLAIN_ANSWERS if self._capabilities.plain_answers else {})

    def _take(self, event: dict[str, Any]) -> str:
        """The text of one event of the stream; its counts are kept."""
        usage = event.get("usage")
        if isinstance(usage, dict):
            self._tokens = int(usage.get("completion_tokens") or self._tokens)
            self._prompt_tokens = int(usage.get("prompt_tokens") or 0)
        for choice in event.get("choices") or ():
            if choice.get("finish_reason") == "length":
                self._reason = "length"
            text = (choice.get("delta") or {}).get("content")
            if isinstance(text, str) and text:
                self._tokens += 1
                return text
        return ""

    def _stopped(self) -> bool:
        if self._cancelled():
            self._reason = "cancelled"
        elif time.perf_counter() - self._began_s > CHAT_S:
            self._reason = "time"
        return self._reason in ("cancelled", "time")
