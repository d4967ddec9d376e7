"""One answer from an engine: its requests, and the stream as answer events."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from model.answer_format import is_refusal
from model.interface import (
    DEFAULT_WRITING,
    AnswerCitation,
    AnswerEnd,
    AnswerEvent,
    AnswerText,
    ChatMessage,
    ConversationTurn,
    Evidence,
    FinishReason,
    Prompt,
    Sound,
    WritingOptions,
)
from model.prompt import prompts
from model.served.capabilities import PLAIN_ANSWERS, Capabilities, answer_text, grammar_body
from model.served.citations import CitationReader
from model.served.connection import Connection
from model.served.errors import EngineError
from model.served.messages import chat_messages
from model.served.quote_grammar import answer_grammar, citation_grammar
from model.served.served_chat import sampling_body

ANSWER_TOKENS = 400
CITATION_TOKENS = 200
CLIP_TOKENS = 96
ANSWER_S = 300.0
MOST_CLIPS = 2

CITE = "Cite the source of this answer, in that form and nothing else."


class ServedAnswer:
    """Writes one answer from `evidence`, whose media the engine takes."""

    def __init__(
        self,
        chat: Connection,
        capabilities: Capabilities,
        evidence: Sequence[Evidence],
        cancelled: Callable[[], bool],
        options: WritingOptions = DEFAULT_WRITING,
    ) -> None:
        self._chat = chat
        self._options = options
        self._capabilities = capabilities
        self._evidence = evidence
        self._words = {source.n: source.words for source in evidence if source.words.strip()}
        self._cancelled = cancelled
        self._reader = CitationReader(self._words)
        self._began_s = time.perf_counter()
        self._first_token_s = 0.0
        self._tokens = self._prompt_tokens = 0
        self._drafted = self._kept = 0
        self._reason: FinishReason = "stop"

    def events(self, question: str, history: Sequence[ConversationTurn]) -> Iterator[AnswerEvent]:
        """All events, the last one `AnswerEnd`. The oldest turns are left out where the engine's
        context is too short for all; raises EngineError where it still is."""
        sources = self._with_transcripts(question)
        while not self._stopped():
            prompt = prompts.answer_prompt(question, sources, history)
            try:
                yield from self._written(prompt)
                break
            except EngineError as problem:
                if not problem.too_long or not history or self._tokens:
                    raise
                history = history[1:]
        if self._must_cite():
            yield from self._cited(prompt)
        yield self._end()

    def _with_transcripts(self, question: str) -> list[Evidence]:
        """The sources, with what the first clips say to the question; that is shown to the model
        and cannot be quoted, since it is not in the library."""
        sources = list(self._evidence)
        clips = [source for source in sources if isinstance(source.original, Sound)]
        for source in clips[:MOST_CLIPS]:
            if self._stopped() or not isinstance(source.original, Sound):
                break
            prompt = prompts.clip_prompt(question, source.original)
            body = self._body(prompt, CLIP_TOKENS)
            written = answer_text(self._chat.post("/chat/completions", body, self._cancelled))
            heard = prompts.without_instructions(written)
            if heard.strip():
                words = f"{source.words}\n(heard again: {heard.strip()})"
                sources[sources.index(source)] = replace(source, words=words)
        return [
            replace(source, original=None) if isinstance(source.original, Sound) else source
            for source in sources
        ]

    def _written(self, prompt: Prompt) -> Iterator[AnswerText | AnswerCitation]:
        tokens = min(ANSWER_TOKENS, self._options.max_tokens or ANSWER_TOKENS)
        body = self._body(prompt, tokens, answer_grammar(self._words))
        body |= sampling_body(self._options)
        body |= {"stream": True, "stream_options": {"include_usage": True}}
        for event in self._chat.stream("/chat/completions", body, self._stopped):
            yield from self._reader.feed(self._take(event))
            if self._stopped():
                break
        yield from self._reader.flush()

    def _take(self, event: dict[str, Any]) -> str:
        """The text of one event of the stream; its counts are kept."""
        usage, timings = event.get("usage"), event.get("timings")
        if isinstance(usage, dict):
            self._tokens = int(usage.get("completion_tokens") or self._tokens)
            self._prompt_tokens = int(usage.get("prompt_tokens") or 0)
        if isinstance(timings, dict):  # llama.cpp's own
            self._drafted = int(timings.get("draft_n") or 0)
            self._kept = int(timings.get("draft_n_accepted") or 0)
        for choice in event.get("choices") or ():
            if choice.get("finish_reason") == "length":
                self._reason = "length"
            text = (choice.get("delta") or {}).get("content")
            if isinstance(text, str) and text:
                self._first_token_s = self._first_token_s or time.perf_counter()
                self._tokens += 1
                return text
        return ""

    def _must_cite(self) -> bool:
        """An answer must be checkable: one that states something and cites nothing is continued."""
        written = self._reader.text
        return (
            bool(self._words)
            and not self._reader.cited
            and not is_refusal(written)
            and self._reason not in ("cancelled", "time")
        )

    def _cited(self, prompt: Prompt) -> Iterator[AnswerText | AnswerCitation]:
        written = self._reader.text.strip()
        if written:
            prompt = (*prompt, ChatMessage("model", (written,)), ChatMessage("user", (CITE,)))
        body = self._body(prompt, CITATION_TOKENS, citation_grammar(self._words))
        text = answer_text(self._chat.post("/chat/completions", body, self._cancelled))
        for event in self._reader.feed(text) + self._reader.flush():
            if isinstance(event, AnswerCitation) or event.text.startswith("["):
                yield event

    def _body(self, prompt: Prompt, tokens: int, grammar: str | None = None) -> dict[str, Any]:
        body = {
            "model": self._capabilities.name,
            "messages": chat_messages(prompt),
            "max_tokens": tokens,
            "temperature": 0,
        }
        body |= PLAIN_ANSWERS if self._capabilities.plain_answers else {}
        return body | (grammar_body(self._capabilities.grammar, grammar) if grammar else {})

    def _stopped(self) -> bool:
        if self._cancelled():
            self._reason = "cancelled"
        elif time.perf_counter() - self._began_s > ANSWER_S:
            self._reason = "time"
        return self._reason in ("cancelled", "time")

    def _end(self) -> AnswerEnd:
        now_s = time.perf_counter()
        first_s = self._first_token_s or now_s
        writing_s = now_s - first_s
        return AnswerEnd(
            reason=self._reason,
            first_token_ms=(first_s - self._began_s) * 1000,
            tokens=self._tokens,
            tokens_per_s=(self._tokens - 1) / writing_s if self._tokens > 1 and writing_s else 0.0,
            draft_acceptance=self._kept / self._drafted if self._drafted else None,
            prompt_tokens=self._prompt_tokens,
        )
