"""The prompt of an answer in numbers: as much of a conversation as there is room for."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from model.answers.clip_transcripts import ClipTranscripts
from model.interface import ConversationTurn, Evidence, Image, ModelError
from model.prompt import prompts
from model.prompt.inputs import Inputs, MediaFormat, Patches, common_prefix_length
from model.prompt.patch_cache import PatchCache

CutPicture = Callable[[Image, MediaFormat], Patches]


class AnswerInputs:
    """`render` turns a prompt into numbers, and pictures by `cut`; a prompt has `most_tokens`."""

    def __init__(
        self,
        render: Callable[[prompts.Prompt, CutPicture | None], Inputs],
        hearing: ClipTranscripts,
        most_tokens: int,
    ) -> None:
        self._render = render
        self._hearing = hearing
        self._most_tokens = most_tokens
        self._cuttings = PatchCache()
        self._empty: Inputs | None = None  # the prompt without question or sources

    def row(
        self, question: str, evidence: Sequence[Evidence], history: Sequence[ConversationTurn]
    ) -> Inputs:
        """The whole prompt; the oldest turns are left out where it would be too long. Raises
        ModelError when it still is."""
        while True:
            try:
                return self._rendered(question, evidence, history)
            except ModelError:
                if not history:
                    raise
                history = history[1:]

    def _rendered(
        self, question: str, evidence: Sequence[Evidence], history: Sequence[ConversationTurn]
    ) -> Inputs:
        asked = [*(past.question for past in history), question]
        heard = [self._hearing.later(one, evidence) for one in asked[1:]]
        sources = [self._hearing.told(asked[0], source) for source in evidence]
        row = self._render(prompts.answer_prompt(question, sources, history, heard), self._cuttings)
        if len(row) > self._most_tokens:
            raise ModelError(
                f"The question and its sources take {len(row):,} tokens, and there is room for "
                f"{max(0, self._most_tokens):,}; ask about less, or raise context in config.toml."
            )
        return row

    def rules(self, row: Inputs) -> int:
        """How many tokens of a prompt come before anything that differs."""
        if self._empty is None:
            self._empty = self._render(prompts.answer_prompt("", ()), None)
        return common_prefix_length(self._empty, row)

    def forget(self) -> None:
        self._cuttings = PatchCache()
