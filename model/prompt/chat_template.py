"""The words around the words: a prompt as the checkpoint's own chat template writes it.

What people and documents say goes in as text and nothing else: control tokens written out in it
lose their power first.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from typing import Any

from model.interface import Image
from model.prompt.prompts import ChatMessage, Part, Prompt

Tokenizer = Any  # a fast tokenizer of transformers, which ships without types

# Private use: no template and no person writes it, so it marks a place in a rendered template.
_MARK = "\ue000"


def render_template(prompt: Prompt, tokenizer: Tokenizer) -> str:
    """The whole conversation as the template writes it, one placeholder for each medium."""
    messages = [
        {
            "role": "assistant" if turn.role == "model" else turn.role,
            "content": _content(turn.parts, tokenizer),
        }
        for turn in prompt
    ]
    return str(
        tokenizer.apply_chat_template(
            messages, tokenize=False, add_generation_prompt=prompt[-1].role == "user"
        )
    )


def locate_passage(prompt: Prompt, passage: str, tokenizer: Tokenizer) -> tuple[str, int, int]:
    """A one-turn text prompt as written, and from where to where (in characters) `passage`, its
    first part, stands in it."""
    (turn,) = prompt
    text = render_template(prompt, tokenizer)
    frame = render_template((ChatMessage(turn.role, (_MARK, *turn.parts[1:])),), tokenizer)
    own = neutralize_control_tokens(passage, tokenizer).strip()
    start = text.index(own, frame.index(_MARK))
    return text, start, start + len(own)


def _content(parts: Sequence[Part], tokenizer: Tokenizer) -> str | list[dict[str, str]]:
    """Neighbouring strings are joined first: templates trim every text they are given, and would
    glue one source to the next."""
    listed: list[dict[str, str]] = []
    for part in parts:
        if isinstance(part, str):
            if listed and listed[-1]["type"] == "text":
                listed[-1]["text"] += neutralize_control_tokens(part, tokenizer)
            else:
                listed.append({"type": "text", "text": neutralize_control_tokens(part, tokenizer)})
        else:
            listed.append({"type": "image" if isinstance(part, Image) else "audio"})
    return listed[0]["text"] if len(listed) == 1 and "text" in listed[0] else listed


def neutralize_control_tokens(text: str, tokenizer: Tokenizer) -> str:
    """Take the power from control tokens written out in somebody's text, such as `<|turn>`: a
    document must not be able to end its turn and speak as another role."""
    return _control(tokenizer).sub(
        lambda found: "‹" + found[0][1:] if found[0][0] == "<" else f"‹{found[0]}›", text
    )


@functools.lru_cache(maxsize=8)
def _control(tokenizer: Tokenizer) -> re.Pattern[str]:
    named = [
        token.content for token in tokenizer.added_tokens_decoder.values() if token.special
    ] or [*tokenizer.all_special_tokens]
    longest_first = sorted((name for name in named if name.strip()), key=len, reverse=True)
    return re.compile("|".join(map(re.escape, longest_first)) or r"(?!)")


@functools.lru_cache(maxsize=8)
def media_token_ids(tokenizer: Tokenizer) -> dict[str, int]:
    names = {
        "image": "<|image|>", "boi": "<|image>", "eoi": "<image|>",
        "audio": "<|audio|>", "boa": "<|audio>", "eoa": "<audio|>",
    }  # fmt: skip
    return {
        name: int(
            tokenizer.convert_tokens_to_ids(getattr(tokenizer, f"{name}_token", None) or usual)
        )
        for name, usual in names.items()
    }
