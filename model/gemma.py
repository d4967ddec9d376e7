"""The resident model: Gemma 4 Unified behind `interface.Model`.

One thread at a time may use it; `runtime.Runtime` sees to that.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, TypeVar

import torch
from transformers import AutoTokenizer, GenerationConfig

from model.answers.answer_inputs import AnswerInputs, CutPicture
from model.answers.answer_stream import CITATION_TOKENS, AnswerStream
from model.answers.clip_transcripts import ClipTranscripts
from model.decoding import vectors
from model.decoding.decoder import Decoder, part_tokens
from model.decoding.generation import Generation, GenerationLimits
from model.decoding.prefix_cache import PrefixCache
from model.decoding.repetition import trim_repetition
from model.decoding.token_bytes import TokenBytes
from model.interface import (
    AnswerEnd,
    AnswerEvent,
    Content,
    ConversationTurn,
    Description,
    Evidence,
    Fingerprint,
    Image,
    ModelCard,
    ModelError,
    Role,
    Sound,
    Text,
    Vectors,
)
from model.prompt import inputs, prompts
from model.prompt.patch_cache import PatchCache
from model.weights import memory_plan
from model.weights.checkpoint import Checkpoint
from model.weights.loading import load_model
from model.weights.placement import Placement

SomeContent = TypeVar("SomeContent", Text, Image, Sound, Image | Sound, Content)

# A passage is some 120 words; longer text adds cost and blurs its vector.
MOST_CHARACTERS = 8_000
# Understanding of sound is reported to collapse beyond this.
MOST_SOUND_S = 15.0
MOST_CLIPS = 2

CAPTION_LIMITS = GenerationLimits(tokens=128, time_s=300)
ANSWER_LIMITS = GenerationLimits(tokens=400, time_s=300)
TRANSCRIPT_TOKENS_A_SECOND = 8


class Gemma:
    """A loaded checkpoint. `yield_turn` is called between the tokens of a caption or transcript, so
    that others can be served. Raises ModelError when it cannot be loaded."""

    def __init__(
        self,
        checkpoint: Checkpoint,
        placement: Placement | None = None,
        yield_turn: Callable[[], None] = lambda: None,
    ) -> None:
        self._checkpoint = checkpoint
        self._yield_turn = yield_turn
        self._placement = memory_plan.require_plan(checkpoint, placement).placement
        self._model, drafter = load_model(checkpoint, self._placement)
        self._tokenizer: Any = AutoTokenizer.from_pretrained(
            checkpoint.directory, local_files_only=True, trust_remote_code=False
        )
        self._media = inputs.MediaFormat.of(checkpoint.directory)
        self._vocabulary = TokenBytes(self._tokenizer)
        settings = GenerationConfig.from_pretrained(checkpoint.directory)
        config = self._model.config
        media_ids = [config.image_token_id, config.audio_token_id, config.video_token_id]
        media_ids += [config.boi_token_id, config.eoi_token_id]
        media_ids += [config.boa_token_id, config.eoa_token_index]
        stop_ids = settings.eos_token_id
        self._decoder = Decoder(
            self._model,
            drafter,
            stop_ids=stop_ids if isinstance(stop_ids, list) else [stop_ids],
            suppressed={*(settings.suppress_tokens or ()), *(i for i in media_ids if i)},
            part_tokens=part_tokens(
                config.get_text_config(), 4 if self._placement.dtype == "float32" else 2,
                checkpoint.context_tokens, memory_plan.free_memory(self._placement.device)[0],
            ),
        )  # fmt: skip
        self._text = self._model.model.language_model
        self._prefixes = PrefixCache(self._decoder, checkpoint.context_tokens)
        self._transcripts = ClipTranscripts(
            self._decoder, self._vocabulary, self._prefixes, self._render
        )
        room = checkpoint.context_tokens - ANSWER_LIMITS.tokens - CITATION_TOKENS
        self._answer_inputs = AnswerInputs(self._render, self._transcripts, room)
        self.calls = 0
        every = [*self._model.parameters(), *self._model.buffers()]
        every += [*drafter.parameters(), *drafter.buffers()] if drafter is not None else []
        self._card = replace(
            checkpoint.unloaded,
            device=self._placement.device,
            dtype=self._placement.dtype,
            reason=self._placement.reason,
            resident_bytes=sum(one.numel() * one.element_size() for one in every),
        )

    @property
    def card(self) -> ModelCard:
        return self._card

    @property
    def fingerprint(self) -> Fingerprint:
        return self._checkpoint.fingerprint

    def embed(self, contents: Sequence[Content], role: Role = "item") -> list[Vectors]:
        """One `Vectors` for each content, in order. Items and queries are put into the same space
        by the same prompt; `role` is there for models that tell them apart."""
        self.calls += len(contents)
        contents = [_fitted(content) for content in contents]
        asked = [prompts.gist_prompt(content) for content in contents]
        rows = [self._render(prompt) for prompt in asked]
        made: dict[int, Vectors] = {}
        for places in inputs.length_batches([len(row) for row in rows]):
            gists, bodies = self._states([rows[at] for at in places])
            for nth, at in enumerate(places):
                content, body = contents[at], None
                if isinstance(content, Text):
                    own = inputs.passage_span(asked[at], content.text, self._tokenizer)
                    body = vectors.body_vector(bodies[nth, own])
                gist = vectors.gist_vector(gists[nth, len(rows[at]) - 1], content)
                made[at] = Vectors(gist, body)
        return [made[at] for at in range(len(contents))]

    def describe(self, content: Image | Sound) -> Description:
        """One prefill of the medium, from which the gist and the words branch off."""
        self.calls += 1
        shown = _fitted(content)
        cut = PatchCache()
        gist_row = self._render(prompts.gist_prompt(shown), cut)
        words_row = self._render(prompts.description_prompt(shown), cut)
        shared = inputs.common_prefix_length(gist_row, words_row)
        head, words_tail = inputs.split_inputs(words_row, shared)
        gist_tail = inputs.split_inputs(gist_row, shared)[1]
        context, state = self._decoder.branch(head, words_tail, gist_tail)
        gist = vectors.gist_vector(state, shown)
        limits = CAPTION_LIMITS
        if isinstance(shown, Sound):
            tokens = 16 + int(shown.duration_s * TRANSCRIPT_TOKENS_A_SECOND)
            limits = replace(CAPTION_LIMITS, tokens=tokens)
        writing = Generation(self._decoder, context, limits, None, self._pause)
        words = self._vocabulary.text(trim_repetition(list(writing)))
        self._yield_turn()
        body = self._body(words) if words else None
        return Description(words, gist, body)

    def judge(self, question: str, candidates: Sequence[Evidence]) -> list[float]:
        """The chance of the letter that means "it answers", in both orders, averaged."""
        self.calls += len(candidates)
        letters = [self._letter("A"), self._letter("B")]
        rows = [
            self._render(prompts.relevance_prompt(question, candidate, swapped))
            for candidate in candidates
            for swapped in (False, True)
        ]
        likely = [0.0] * len(rows)
        for places in inputs.length_batches([len(row) for row in rows]):
            last = self._last_states([rows[at] for at in places])
            with torch.inference_mode():
                chances = self._model.lm_head(last)[:, letters].float()
            cap = self._model.config.get_text_config().final_logit_softcapping
            chances = torch.tanh(chances / cap) * cap if cap else chances
            for at, pair in zip(places, chances.softmax(dim=-1).tolist(), strict=True):
                likely[at] = pair[at % 2]  # swapped: the match is B
        return [(likely[at] + likely[at + 1]) / 2 for at in range(0, len(rows), 2)]

    def answer(
        self,
        question: str,
        evidence: Sequence[Evidence],
        history: Sequence[ConversationTurn] = (),
        cancelled: Callable[[], bool] = lambda: False,
    ) -> Iterator[AnswerEvent]:
        """Listen to the clips again with the question in mind, then write from everything at hand.
        What was heard is shown to the model but not quotable: it stands nowhere in the library."""
        self.calls += 1
        begun = time.perf_counter()
        shown = [_shortened(source) for source in evidence]
        clips = [one.original for one in shown if isinstance(one.original, Sound)]
        for clip in clips[:MOST_CLIPS]:
            if cancelled():
                yield AnswerEnd("cancelled", 0.0, 0, 0.0, None)
                return
            self._transcripts.transcribe(question, clip, cancelled)
        row = self._answer_inputs.of(question, shown, history)
        context, rest = self._prefixes.take(row, self._answer_inputs.rules_length(row))
        for _ in self._decoder.prefill_parts(rest, context):
            if cancelled():
                self._prefixes.keep(context)
                yield AnswerEnd("cancelled", 0.0, 0, 0.0, None)
                return
        told = AnswerStream(self._decoder, self._vocabulary, evidence, ANSWER_LIMITS, cancelled)
        try:
            yield from told.write(context, begun)
        except GeneratorExit:  # nobody listens any more; the next question may come all the same
            self._prefixes.keep(context)
            raise
        self._prefixes.keep(context)

    def release_caches(self) -> None:
        """Let go of what was kept to make the next turn quick."""
        self._prefixes.clear()
        self._answer_inputs.release_patches()

    def _pause(self) -> bool:
        self._yield_turn()
        return False

    def _body(self, words: str) -> Any:
        prompt = prompts.gist_prompt(Text(words))
        own = inputs.passage_span(prompt, words, self._tokenizer)
        return vectors.body_vector(self._states([self._render(prompt)])[1][0, own])

    def _render(
        self,
        prompt: prompts.Prompt,
        cut: CutPicture | None = None,
    ) -> inputs.Inputs:
        row = inputs.render_prompt(prompt, self._tokenizer, self._media, cut)
        most = self._checkpoint.context_tokens
        if len(row) > most:
            raise ModelError(
                f"The question and its sources are {len(row):,} tokens long, and memory is planned "
                f"for {most:,}; ask about less, or set context = {len(row)} in config.toml."
            )
        return row

    def _letter(self, letter: str) -> int:
        return int(self._tokenizer(letter, add_special_tokens=False)["input_ids"][-1])

    @contextmanager
    def _reading(self) -> Iterator[dict[str, torch.Tensor]]:
        """The states that vectors are made of, as the forward inside passes them: `gist` before
        the last layer's MLP, `body` behind the middle layer, each (B, T, D)."""
        seen: dict[str, torch.Tensor] = {}
        layers = self._text.layers
        middle = layers[vectors.body_layer(len(layers)) - 1]
        hooks = [
            layers[-1].pre_feedforward_layernorm.register_forward_pre_hook(
                lambda _, given: seen.__setitem__("gist", given[0])
            ),
            middle.register_forward_hook(
                lambda _, __, made: seen.__setitem__("body", made.clone())
            ),
        ]
        try:
            yield seen
        finally:
            for hook in hooks:
                hook.remove()

    def _states(self, rows: Sequence[inputs.Inputs]) -> tuple[torch.Tensor, torch.Tensor]:
        with self._reading() as seen:
            self._forward(rows)
        return seen["gist"], seen["body"]

    def _last_states(self, rows: Sequence[inputs.Inputs]) -> torch.Tensor:
        states = self._forward(rows)
        ends = torch.tensor([len(row) - 1 for row in rows], device=states.device)
        return states[torch.arange(len(rows), device=states.device), ends]

    @torch.inference_mode()
    def _forward(self, rows: Sequence[inputs.Inputs]) -> torch.Tensor:
        tensors = inputs.collate(rows)
        tensors = {name: one.to(self._model.device) for name, one in tensors.items()}
        out = self._model.model(**tensors, use_cache=False)
        states: torch.Tensor = out.last_hidden_state
        return states


def _fitted(content: SomeContent) -> SomeContent:
    """No longer than the model understands."""
    if isinstance(content, Text) and len(content.text) > MOST_CHARACTERS:
        return replace(content, text=content.text[:MOST_CHARACTERS])
    if isinstance(content, Sound) and content.duration_s > MOST_SOUND_S:
        return replace(content, samples=content.samples[: int(MOST_SOUND_S * content.rate_hz)])
    return content


def _shortened(source: Evidence) -> Evidence:
    """The source with a clip no longer than the model understands."""
    if not isinstance(source.original, Sound):
        return source
    return replace(source, original=_fitted(source.original))
