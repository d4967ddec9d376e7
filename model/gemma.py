"""The resident model: Gemma 4 Unified behind `interface.Model`.

One thread at a time may use it; `runtime.Runtime` sees to that.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import torch
from transformers import AutoTokenizer, GenerationConfig

from model.answers.answer_inputs import AnswerInputs, CutPicture
from model.answers.answer_stream import CITATION_TOKENS, AnswerStream
from model.answers.clip_transcripts import ClipTranscripts
from model.answers.stopped_answer import until_stop
from model.decoding import vectors
from model.decoding.decoder import Decoder, part_tokens
from model.decoding.generation import Generation, GenerationLimits
from model.decoding.prefix_cache import PrefixCache
from model.decoding.repetition import trim_repetition
from model.decoding.text_stream import TextStream, limited
from model.decoding.token_bytes import TokenBytes
from model.interface import (
    DEFAULT_WRITING,
    AnswerEnd,
    AnswerEvent,
    ChatEvent,
    Content,
    ConversationTurn,
    Description,
    Evidence,
    Fingerprint,
    Image,
    ModelCard,
    ModelError,
    Prompt,
    Role,
    Sound,
    Text,
    Vectors,
    WritingOptions,
)
from model.prompt import inputs, prompts
from model.prompt.fitting import fitted, fitted_message, fitted_source
from model.prompt.patch_cache import PatchCache
from model.weights import memory_plan
from model.weights.checkpoint import Checkpoint
from model.weights.loading import load_model
from model.weights.placement import Placement

MOST_CLIPS = 2

CAPTION_LIMITS = GenerationLimits(tokens=128, time_s=300)
ANSWER_LIMITS = GenerationLimits(tokens=400, time_s=300)
CHAT_LIMITS = GenerationLimits(tokens=2_000, time_s=600)
TRANSCRIPT_TOKENS_A_SECOND = 8


class Gemma:
    """A loaded checkpoint. `yield_turn` is called between the tokens of a caption or transcript, so
    that other callers can be served. Raises ModelError when it cannot be loaded."""

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
        self._body_model = vectors.body_model(self._model.model)
        self._prefixes = PrefixCache(self._decoder, checkpoint.context_tokens)
        self._transcripts = ClipTranscripts(
            self._decoder, self._vocabulary, self._prefixes, self._render
        )
        most_tokens = checkpoint.context_tokens - ANSWER_LIMITS.tokens - CITATION_TOKENS
        self._answer_inputs = AnswerInputs(self._render, self._transcripts, most_tokens)
        self.calls = 0
        tensors = [*self._model.parameters(), *self._model.buffers()]
        tensors += [*drafter.parameters(), *drafter.buffers()] if drafter is not None else []
        self._card = replace(
            checkpoint.unloaded,
            device=self._placement.device,
            dtype=self._placement.dtype,
            reason=self._placement.reason,
            resident_bytes=sum(tensor.numel() * tensor.element_size() for tensor in tensors),
        )

    @property
    def card(self) -> ModelCard:
        return self._card

    @property
    def fingerprint(self) -> Fingerprint:
        return self._checkpoint.fingerprint

    def embed(self, contents: Sequence[Content], role: Role = "item") -> list[Vectors]:
        """One `Vectors` for each content, in order. Items and queries are put into the same space
        by the same prompt; items that need a body alone are read by the layers below it alone. A
        text without tokens of its own has no body, and therefore a gist."""
        self.calls += len(contents)
        contents = [fitted(content) for content in contents]
        rows = [self._render(prompts.gist_prompt(content)) for content in contents]
        spans = [self._span(content) for content in contents]
        alone = role == "item" and not self._checkpoint.text_gists
        bodies = [index for index, span in enumerate(spans) if alone and span.start < span.stop]
        both = sorted({*range(len(contents))}.difference(bodies))
        embedded: dict[int, Vectors] = {}
        for chosen in (bodies, both):
            for batch in inputs.length_batches([len(rows[index]) for index in chosen]):
                indices = [chosen[number] for number in batch]
                batch_rows = [rows[index] for index in indices]
                if chosen is bodies:
                    gists, states = None, self._body_states(batch_rows)
                else:
                    gists, states = self._states(batch_rows)
                for place, index in enumerate(indices):
                    gist = None
                    if gists is not None:
                        last = gists[place, len(rows[index]) - 1]
                        gist = vectors.gist_vector(last, contents[index])
                    body = vectors.body_vector(states[place, spans[index]])
                    embedded[index] = Vectors(gist, body)
        return [embedded[index] for index in range(len(contents))]

    def describe(self, content: Image | Sound) -> Description:
        """One prefill of the medium; the gist and the words are two branches of it."""
        self.calls += 1
        medium = fitted(content)
        patches = PatchCache()
        gist_row = self._render(prompts.gist_prompt(medium), patches)
        words_row = self._render(prompts.description_prompt(medium), patches)
        shared = inputs.common_prefix_length(gist_row, words_row)
        head, words_tail = inputs.split_inputs(words_row, shared)
        gist_tail = inputs.split_inputs(gist_row, shared)[1]
        context, state = self._decoder.branch(head, words_tail, gist_tail)
        gist = vectors.gist_vector(state, medium)
        limits = CAPTION_LIMITS
        if isinstance(medium, Sound):
            tokens = 16 + int(medium.duration_s * TRANSCRIPT_TOKENS_A_SECOND)
            limits = replace(CAPTION_LIMITS, tokens=tokens)
        generation = Generation(self._decoder, context, limits, None, self._pause)
        written = self._vocabulary.text(trim_repetition(list(generation)))
        words = prompts.without_instructions(written)
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
        chances = [0.0] * len(rows)
        for batch in inputs.length_batches([len(row) for row in rows]):
            states = self._last_states([rows[index] for index in batch])
            with torch.inference_mode():
                logits = self._model.lm_head(states)[:, letters].float()
            cap = self._model.config.get_text_config().final_logit_softcapping
            logits = torch.tanh(logits / cap) * cap if cap else logits
            for index, pair in zip(batch, logits.softmax(dim=-1).tolist(), strict=True):
                chances[index] = pair[index % 2]  # swapped: the match is B
        return [(chances[index] + chances[index + 1]) / 2 for index in range(0, len(rows), 2)]

    def answer(
        self,
        question: str,
        evidence: Sequence[Evidence],
        history: Sequence[ConversationTurn] = (),
        cancelled: Callable[[], bool] = lambda: False,
        options: WritingOptions = DEFAULT_WRITING,
    ) -> Iterator[AnswerEvent]:
        """Transcribe the clips again with the question in the prompt, then write from all sources.
        These transcripts are shown to the model but not quotable: they are not in the library."""
        self.calls += 1
        yield from until_stop(
            lambda stopped: self._answer(question, evidence, history, stopped, options),
            options.stop,
            cancelled,
        )

    def chat(
        self,
        prompt: Prompt,
        options: WritingOptions = DEFAULT_WRITING,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> Iterator[ChatEvent]:
        """Write what comes next in the conversation. Raises ModelError where it is too long."""
        self.calls += 1
        begun = time.perf_counter()
        row = self._render(tuple(fitted_message(message) for message in prompt))
        limits = limited(CHAT_LIMITS, options, self._checkpoint.context_tokens - len(row))
        context, rest = self._prefixes.take(row)
        for _ in self._decoder.prefill_parts(rest, context):
            if cancelled():
                self._prefixes.keep(context)
                yield AnswerEnd("cancelled", 0.0, 0, 0.0, None, len(row))
                return
        stream = TextStream(self._decoder, self._vocabulary, options, limits, cancelled)
        try:
            yield from stream.write(context, begun, len(row))
        finally:
            self._prefixes.keep(context)

    def count_tokens(self, texts: Sequence[str]) -> int:
        """How many tokens these texts are together, without those of a prompt."""
        rows = self._tokenizer([*texts], add_special_tokens=False)["input_ids"] if texts else []
        return sum(len(row) for row in rows)

    def _answer(
        self,
        question: str,
        evidence: Sequence[Evidence],
        history: Sequence[ConversationTurn],
        cancelled: Callable[[], bool],
        options: WritingOptions,
    ) -> Iterator[AnswerEvent]:
        begun = time.perf_counter()
        shown = [fitted_source(source) for source in evidence]
        clips = [source.original for source in shown if isinstance(source.original, Sound)]
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
        limits = limited(ANSWER_LIMITS, options, ANSWER_LIMITS.tokens)
        stream = AnswerStream(
            self._decoder, self._vocabulary, evidence, limits, cancelled, options, len(row)
        )
        try:
            yield from stream.write(context, begun)
        except GeneratorExit:  # the reader has gone; the next question may still come
            self._prefixes.keep(context)
            raise
        self._prefixes.keep(context)

    def release_caches(self) -> None:
        """Free what was kept to make the next turn faster."""
        self._prefixes.clear()
        self._answer_inputs.release_patches()

    def _pause(self) -> bool:
        self._yield_turn()
        return False

    def _body(self, words: str) -> Any:
        row = self._render(prompts.gist_prompt(Text(words)))
        return vectors.body_vector(self._body_states([row])[0, self._span(Text(words))])

    def _span(self, content: Content) -> slice:
        """Where a text's own tokens stand in its prompt; empty for pictures and sounds."""
        if not isinstance(content, Text):
            return slice(0, 0)
        return inputs.passage_span(prompts.gist_prompt(content), content.text, self._tokenizer)

    def _render(
        self,
        prompt: Prompt,
        cut: CutPicture | None = None,
    ) -> inputs.Inputs:
        row = inputs.render_prompt(prompt, self._tokenizer, self._media, cut)
        most_tokens = self._checkpoint.context_tokens
        if len(row) > most_tokens:
            raise ModelError(
                f"The question and its sources are {len(row):,} tokens long, and memory is planned "
                f"for {most_tokens:,}; ask about less, or set context = {len(row)} in config.toml."
            )
        return row

    def _letter(self, letter: str) -> int:
        return int(self._tokenizer(letter, add_special_tokens=False)["input_ids"][-1])

    def _states(self, rows: Sequence[inputs.Inputs]) -> tuple[torch.Tensor, torch.Tensor]:
        with vectors.captured_states(self._text.layers) as captured:
            self._forward(self._model.model, rows)
        return captured["gist"], captured["body"]

    def _body_states(self, rows: Sequence[inputs.Inputs]) -> torch.Tensor:
        return self._forward(self._body_model, rows)

    def _last_states(self, rows: Sequence[inputs.Inputs]) -> torch.Tensor:
        states = self._forward(self._model.model, rows)
        ends = torch.tensor([len(row) - 1 for row in rows], device=states.device)
        return states[torch.arange(len(rows), device=states.device), ends]

    @torch.inference_mode()
    def _forward(self, model: Any, rows: Sequence[inputs.Inputs]) -> torch.Tensor:
        tensors = inputs.collate(rows)
        tensors = {name: tensor.to(self._model.device) for name, tensor in tensors.items()}
        states: torch.Tensor = model(**tensors, use_cache=False).last_hidden_state
        return states
