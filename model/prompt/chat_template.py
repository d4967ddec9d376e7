"""A prompt as text: what the checkpoint's own chat template makes of it.

What people and documents say goes in as text and nothing else: control tokens written out in it are
neutralised first.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from typing import Any

from model.interface import ChatMessage, Image, Part, Prompt

Tokenizer = Any  # a fast tokenizer of transformers, which ships without types

# Private use: no template and no person writes it, so it marks a position in a rendered template.
_MARKER = "\ue000"


def render_template(prompt: Prompt, tokenizer: Tokenizer) -> str:
    """The whole conversation as the template writes it, one placeholder for each medium."""
    messages = [
        {
            "role": "assistant" if message.role == "model" else message.role,
            "content": _content(message.parts, tokenizer),
        }
        for message in prompt
    ]
    return str(
        tokenizer.apply_chat_template(
            messages, tokenize=False, add_generation_prompt=prompt[-1].role == "user"
        )
    )


def locate_passage(prompt: Prompt, passage: str, tokenizer: Tokenizer) -> tuple[str, int, int]:
    """A prompt of one text message as rendered, and from where to where (in characters) `passage`,
    its first part, stands in it."""
    (message,) = prompt
    text = render_template(prompt, tokenizer)
    marked = render_template((ChatMessage(message.role, (_MARKER, *message.parts[1:])),), tokenizer)
    shown = neutralize_control_tokens(passage, tokenizer).strip()
    start = text.index(shown, marked.index(_MARKER))
    return text, start, start + len(shown)


def _content(parts: Sequence[Part], tokenizer: Tokenizer) -> str | list[dict[str, str]]:
    """Neighbouring strings are joined first: templates trim every text they are given, and would
    join one source to the next without a line break."""
    content: list[dict[str, str]] = []
    for part in parts:
        if isinstance(part, str):
            text = neutralize_control_tokens(part, tokenizer)
            if content and content[-1]["type"] == "text":
                content[-1]["text"] += text
            else:
                content.append({"type": "text", "text": text})
        else:
            content.append({"type": "image" if isinstance(part, Image) else "audio"})
    return content[0]["text"] if len(content) == 1 and "text" in content[0] else content


def neutralize_control_tokens(text: str, tokenizer: Tokenizer) -> str:
    """`text` with its control tokens, such as `<|turn>`, written so that the tokenizer takes them
    for text: a document must not be able to end its turn and speak as another role."""
    return _control_tokens(tokenizer).sub(
        lambda match: "‹" + match[0][1:] if match[0][0] == "<" else f"‹{match[0]}›", text
    )


@functools.lru_cache(maxsize=8)
def _control_tokens(tokenizer: Tokenizer) -> re.Pattern[str]:
    names = [
        token.content for token in tokenizer.added_tokens_decoder.values() if token.special
    ] or [*tokenizer.all_special_tokens]
    longest_first = sorted((name for name in names if name.strip()), key=len, reverse=True)
    return re.compile("|".join(map(re.escape, longest_first)) or r"(?!)")


@functools.lru_cache(maxsize=8)
def media_token_ids(tokenizer: Tokenizer) -> dict[str, int]:
    """The ids of the placeholders of media and of their begin and end tokens."""
    usual_names = {
        "image": "<|image|>", "boi": "<|image>", "eoi": "<image|>",
        "audio": "<|audio|>", "boa": "<|audio>", "eoa": "<audio|>",
    }  # fmt: skip
    return {
        name: int(
            tokenizer.convert_tokens_to_ids(getattr(tokenizer, f"{name}_token", None) or usual)
        )
        for name, usual in usual_names.items()
    }
