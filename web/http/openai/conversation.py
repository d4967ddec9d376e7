"""A conversation as clients of OpenAI's API send it: for the library a question and the turns
before it, for the model alone a prompt."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Sequence
from typing import Literal

from model.interface import ChatMessage, ConversationTurn, Image, Part, Prompt, Sound
from web.http.openai.bodies import AudioPart, ImagePart, Message, TextPart
from web.http.openai.citations import without_source_list
from web.library.bare_model import BareModel
from web.library.errors import LibraryError

MAX_TURNS = 50
MAX_MEDIA = 8

_DATA_URL = re.compile(r"data:([\w.+-]+/[\w.+-]+)?(?:;[\w.+=-]+)*;base64,", re.ASCII)


def require_question(messages: Sequence[Message]) -> None:
    """Raises LibraryError where nobody asks anything, or more media are sent than are looked at."""
    if messages[-1].role != "user":
        raise LibraryError("messages", "The last message has to be the user’s; send a question.")
    if not _text(messages[-1]).strip() and not any(_media(messages[-1])):
        raise LibraryError("messages", "The last message is empty; send a question.")
    if sum(1 for message in messages for _ in _media(message)) > MAX_MEDIA:
        raise LibraryError("messages", f"At most {MAX_MEDIA} pictures and sounds can be sent.")


def question_of(messages: Sequence[Message], model: BareModel) -> str:
    """The question in the last message. What its pictures show and its sounds say is added in
    words: the library is searched by them, and the model reads them."""
    question = _text(messages[-1]).strip()
    for part in _media(messages[-1]):
        medium = _decoded(part, model)
        kind = "Picture" if isinstance(medium, Image) else "Recording"
        if words := model.describe(medium).strip():
            question += f"\n({kind} sent with the question: {words})"
    return question.strip() or "What is this?"


def turns_of(messages: Sequence[Message]) -> list[ConversationTurn]:
    """The questions before the last one that were answered. What a client says as the system is
    left out: how the library answers is not for it to say."""
    turns: list[ConversationTurn] = []
    asked = ""
    for message in messages[:-1]:
        if message.role == "user":
            asked = f"{asked}\n{_text(message)}".strip()
        elif message.role == "assistant" and asked:
            turns.append(ConversationTurn(asked, without_source_list(_text(message))))
            asked = ""
    return turns[-MAX_TURNS:]


def prompt_of(messages: Sequence[Message], model: BareModel) -> Prompt:
    """The whole conversation, media decoded. Media stand first in their message, as the model was
    trained; messages of one role in a row become one, which chat templates ask for."""
    prompt: list[ChatMessage] = []
    for message in messages:
        role = _ROLES[message.role]
        media: list[Part] = [_decoded(part, model) for part in _media(message)]
        parts: tuple[Part, ...] = (*media, _text(message))
        if prompt and prompt[-1].role == role:
            parts = (*prompt.pop().parts, "\n", *parts)
        prompt.append(ChatMessage(role, parts))
    return tuple(prompt)


_ROLES: dict[str, Literal["system", "user", "model"]] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "assistant": "model",
}


def _text(message: Message) -> str:
    if isinstance(message.content, list):
        return "\n".join(part.text for part in message.content if isinstance(part, TextPart))
    return message.content or ""


def _media(message: Message) -> Iterator[ImagePart | AudioPart]:
    if isinstance(message.content, list):
        yield from (part for part in message.content if not isinstance(part, TextPart))


def _decoded(part: ImagePart | AudioPart, model: BareModel) -> Image | Sound:
    """Raises LibraryError where it is no picture or sound that can be read."""
    if isinstance(part, AudioPart):
        kind = {"mp3": "audio/mpeg"}.get(
            part.input_audio.format, f"audio/{part.input_audio.format}"
        )
        return model.decode(_bytes(part.input_audio.data), kind)
    address = part.image_url if isinstance(part.image_url, str) else part.image_url.url
    match = _DATA_URL.match(address)
    if match is None:
        sentence = "Recollect fetches nothing; send the picture itself, as a base64 data URL."
        raise LibraryError("image_url", sentence)
    return model.decode(_bytes(address[match.end() :]), match[1] or "")


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as problem:
        raise LibraryError("base64", "A picture or sound is not valid base64.") from problem
