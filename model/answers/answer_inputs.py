"""The inputs of an answer: as much of a conversation as there is room for."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from model.answers.clip_transcripts import ClipTranscripts
from model.interface import ConversationTurn, Evidence, Image, ModelError, Prompt
from model.prompt import prompts
from model.prompt.inputs import Inputs, MediaFormat, Patches, common_prefix_length
from model.prompt.patch_cache import PatchCache

CutPicture = Callable[[Image, MediaFormat], Patches]


class AnswerInputs:
    """`render` turns a prompt into inputs, and pictures into patches by the function it is given;
    an answer's inputs have at most `most_tokens`."""

    def __init__(
        self,
        render: Callable[[Prompt, CutPicture | None], Inputs],
        transcripts: ClipTranscripts,
        most_tokens: int,
    ) -> None:
        self._render = render
        self._transcripts = transcripts
        self._most_tokens = most_tokens
        self._patches = PatchCache()
        self._empty: Inputs | None = None  # the prompt without question or sources

    def of(
        self, question: str, evidence: Sequence[Evidence], history: Sequence[ConversationTurn]
    ) -> Inputs:
        """The inputs of the whole prompt; the oldest turns are left out where it would be too long.
        Raises ModelError when it still is."""
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
        questions = [*(turn.question for turn in history), question]
        later = [self._transcripts.for_later(asked, evidence) for asked in questions[1:]]
        sources = [self._transcripts.added_to(source, questions[0]) for source in evidence]
        prompt = prompts.answer_prompt(question, sources, history, later)
        row = self._render(prompt, self._patches)
        if len(row) > self._most_tokens:
            raise ModelError(
                f"The question and its sources take {len(row):,} tokens, and there is room for "
                f"{max(0, self._most_tokens):,}; ask about less, or raise context in config.toml."
            )
        return row

    def rules_length(self, row: Inputs) -> int:
        """How many tokens of an answer's inputs come before anything that differs."""
        if self._empty is None:
            self._empty = self._render(prompts.answer_prompt("", ()), None)
        return common_prefix_length(self._empty, row)

    def release_patches(self) -> None:
        self._patches = PatchCache()
