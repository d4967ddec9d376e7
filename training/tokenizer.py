"""The demonstration model's own tokenizer: a small byte-fallback BPE in the published dialect.

It has the control tokens of the real checkpoint, so that the same template, processors and decode
loop serve both. Digits stand alone, so that any number can be copied. Each fixed sentence that the
program says to the model is one token: the instruction costs one position instead of seventy,
which is what makes a model of this size trainable on a processor. Change a sentence in
`model/prompt/prompts.py`, and pocket has to be made again.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tokenizers import (
    AddedToken,
    Regex,
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    trainers,
)

from model.prompt import prompts

VOCABULARY = 3072  # tokens at most, all kinds together

# The control tokens of the real checkpoint, in its spelling. The first four have its numbers too.
CONTROL = (
    "<pad>", "<eos>", "<bos>", "<unk>", "<mask>",
    "<|turn>", "<turn|>", "<|channel>", "<channel|>", "<|think|>",
    "<|image>", "<|image|>", "<image|>", "<|audio>", "<|audio|>", "<audio|>", "<|video|>",
    "<|tool>", "<tool|>", "<|tool_call>", "<tool_call|>", "<|tool_response>", "<tool_response|>",
)  # fmt: skip

# Under which attribute transformers' processors look for which control token.
NAMED = {
    "image_token": "<|image|>", "boi_token": "<|image>", "eoi_token": "<image|>",
    "audio_token": "<|audio|>", "boa_token": "<|audio>", "eoa_token": "<audio|>",
    "sot_token": "<|turn>", "eot_token": "<turn|>",
    "soc_token": "<|channel>", "eoc_token": "<channel|>", "think_token": "<|think|>",
    "stc_token": "<|tool_call>", "etc_token": "<tool_call|>",
    "std_token": "<|tool>", "etd_token": "<tool|>",
    "str_token": "<|tool_response>", "etr_token": "<tool_response|>",
}  # fmt: skip

# What the program says to the model, sentence by sentence.
SENTENCES = (
    prompts.GIST.strip(),
    prompts.CAPTION.strip(),
    prompts.TRANSCRIPT.strip(),
    prompts.ANSWER_RULES,
    "Write down what is said about it, word for word.",
    "A. It answers the question.",
    "A. It does not.",
    "B. It answers the question.",
    "B. It does not.",
    "Answer with one letter.",
    "<source ",
    "</source>\n",
)

# A word with the space before it, a digit, a mark with the space before it, a lone space or break.
_PIECES = r"▁?\p{L}+|\p{N}|▁?[^\p{L}\p{N}▁\s]|▁|\s"

TEMPLATE = """\
{{- bos_token -}}
{%- for message in messages -%}
{%- set role = 'model' if message['role'] == 'assistant' else message['role'] -%}
{{- '<|turn>' + role + '\\n' -}}
{%- if message['content'] is string -%}
{{- message['content'] | trim -}}
{%- else -%}
{%- for item in message['content'] -%}
{%- if item['type'] == 'text' -%}{{- item['text'] | trim -}}
{%- elif item['type'] == 'image' -%}{{- '<|image|>' -}}
{%- elif item['type'] == 'audio' -%}{{- '<|audio|>' -}}
{%- elif item['type'] == 'video' -%}{{- '<|video|>' -}}
{%- endif -%}
{%- endfor -%}
{%- endif -%}
{{- '<turn|>\\n' -}}
{%- endfor -%}
{%- if add_generation_prompt -%}{{- '<|turn>model\\n' -}}{%- endif -%}
"""


def train(texts: Iterable[str], vocabulary: int = VOCABULARY) -> Any:
    """A tokenizer of at most `vocabulary` tokens, its merges learned from `texts`. Any text
    survives a round trip: what has no token falls back to bytes."""
    from transformers import PreTrainedTokenizerFast

    merges_of = Tokenizer(models.BPE())
    _dress(merges_of)
    fixed = [*CONTROL, *(f"<0x{byte:02X}>" for byte in range(256))]
    merges_of.train_from_iterator(
        texts,
        trainers.BpeTrainer(
            vocab_size=vocabulary - len(fixed) - len(SENTENCES),
            min_frequency=3,
            initial_alphabet=[*map(chr, range(33, 127)), "▁", "\n"],
            limit_alphabet=160,
            show_progress=False,
        ),
    )
    learned = merges_of.get_vocab()
    pieces = sorted(learned, key=lambda piece: learned[piece])
    vocabulary_of = {token: number for number, token in enumerate([*fixed, *pieces])}
    merges = [(left, right) for left, right in _merges(merges_of)]
    pad, eos, bos, unknown, mask = CONTROL[:5]
    tokenizer = Tokenizer(
        models.BPE(vocabulary_of, merges, byte_fallback=True, unk_token=unknown, fuse_unk=True)
    )
    _dress(tokenizer)
    tokenizer.add_special_tokens([AddedToken(token, special=True) for token in CONTROL])
    tokenizer.add_tokens([AddedToken(sentence, normalized=False) for sentence in SENTENCES])
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token=bos, eos_token=eos, pad_token=pad, unk_token=unknown,
        mask_token=mask, extra_special_tokens=dict(NAMED), chat_template=TEMPLATE,
        model_max_length=8192, padding_side="left", clean_up_tokenization_spaces=False,
    )  # fmt: skip


def save(tokenizer: Any, directory: Path) -> None:
    """Write tokenizer.json, tokenizer_config.json and chat_template.jinja."""
    directory.mkdir(parents=True, exist_ok=True)
    tokenizer.save_pretrained(str(directory))


def load(directory: Path) -> Any:
    """The tokenizer of a checkpoint directory."""
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(str(directory))


def _dress(tokenizer: Tokenizer) -> None:
    tokenizer.normalizer = normalizers.Replace(" ", "▁")
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(_PIECES), behavior="isolated")
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()]
    )


def _merges(tokenizer: Tokenizer) -> list[list[str]]:
    import json

    return list(json.loads(tokenizer.to_str())["model"]["merges"])
