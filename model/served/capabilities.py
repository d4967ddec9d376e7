"""What an engine can do, found out by asking it: each question costs a token or two."""

from __future__ import annotations

import json
import logging
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from model.interface import ChatMessage, Evidence, Image, ModelError, Part, Sound
from model.prompt.fitting import fitted
from model.served.address import EngineAddress
from model.served.connection import Connection
from model.served.errors import EngineError
from model.served.messages import RATE_HZ, chat_messages
from model.served.text_vectors import TextVectors

GrammarField = Literal["", "grammar", "structured_outputs", "ebnf"]
# llama.cpp, vLLM and SGLang; an engine that does not know a field mostly ignores it.
_GRAMMAR_FIELDS: tuple[GrammarField, ...] = ("grammar", "structured_outputs", "ebnf")
QUESTION = "Say yes."
_GRAMMAR_WORD = "qzxvk"  # no model would say it unasked
# Asks reasoning models for the answer alone; some engines refuse fields that they do not know.
PLAIN_ANSWERS = {"chat_template_kwargs": {"enable_thinking": False}}

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Capabilities:
    """`name` is what the engine calls its model, `identity` what else it says of it; `dim` is the
    length of its vectors, 0 where it gives none, and `least_cosine` from where two texts have
    something to do with each other. `grammar` is the field that constrains decoding."""

    name: str
    identity: str = ""
    pictures: bool = False
    sounds: bool = False
    logprobs: bool = False
    plain_answers: bool = False
    grammar: GrammarField = ""
    embedding_name: str = ""
    dim: int = 0
    least_cosine: float = 0.0

    def description(self, address: EngineAddress) -> str:
        """What it is and can do, in a sentence."""
        able = [
            "answers",
            *(["takes pictures"] if self.pictures else []),
            *(["takes sound"] if self.sounds else []),
            *([f"gives vectors of {self.dim} numbers"] if self.dim else []),
            *(["tells probabilities"] if self.logprobs else []),
            *(["keeps quotes to a grammar"] if self.grammar else []),
        ]
        listed = f"{', '.join(able[:-1])} and {able[-1]}" if len(able) > 1 else able[0]
        return f"{self.name}, served by {address.url}, {listed}."

    @property
    def sentences(self) -> tuple[str, ...]:
        """What it cannot do, and what that means, each with its cure."""
        sentences = []
        if not self.dim:
            sentences.append(
                "It gives no vectors, so only words are searched; name an engine that does with "
                "embeddings_url in the [model] section of config.toml."
            )
        if not self.pictures:
            sentences.append(
                "It takes no pictures, so photos and scans are found by name only; use a model "
                "that sees, with its projector loaded."
            )
        if not self.sounds:
            sentences.append(
                "It takes no sound, so recordings are found by name only; use a model and an "
                "engine that hear."
            )
        return tuple(sentences)

    def shown(self, source: Evidence) -> Evidence:
        """The source with its picture, or the beginning of its clip, where the engine takes it."""
        if isinstance(source.original, Sound):
            return replace(source, original=fitted(source.original) if self.sounds else None)
        if isinstance(source.original, Image) and not self.pictures:
            return replace(source, original=None)
        return source


def find_capabilities(
    address: EngineAddress, chat: Connection, vectors: TextVectors | None = None
) -> Capabilities:
    """Asks the engine. Raises ModelError where it is not there or has no such model."""
    name, identity = served_model(chat, address.name)
    plain_answers, text_tokens = _asked_plainly(chat, name)
    extra = PLAIN_ANSWERS if plain_answers else {}
    dim, least_cosine, embedding_name = 0, 0.0, ""
    if vectors is not None:
        embedding_name = vectors.find_name(name)
        dim, least_cosine = vectors.measure()
    return Capabilities(
        name=name,
        identity=identity,
        pictures=_takes(chat, name, Image(np.full((48, 48, 3), 200, dtype=np.uint8)), text_tokens),
        sounds=_takes(chat, name, Sound(_tone(), RATE_HZ), text_tokens),
        logprobs=_gives_logprobs(chat, name),
        plain_answers=plain_answers,
        grammar=_grammar_field(chat, name, extra),
        embedding_name=embedding_name if dim else "",
        dim=dim,
        least_cosine=least_cosine,
    )


def served_model(connection: Connection, wanted: str) -> tuple[str, str]:
    """The name of the model to ask for, and what the engine says of its weights. Raises ModelError
    where it has no such model."""
    try:
        listed = connection.get("/models").get("data")
    except EngineError as problem:
        if not (problem.unsupported and wanted):
            raise
        return wanted, ""  # some gateways list nothing
    models = [model for model in listed or () if isinstance(model, dict) and model.get("id")]
    names = [str(model["id"]) for model in models]
    if wanted and wanted in names:
        name = wanted
    elif wanted and f"{wanted}:latest" in names:
        name = f"{wanted}:latest"
    elif wanted or not names:
        have = f"it has {', '.join(names[:8])}" if names else "it has none"
        asked = f"the model {wanted}" if wanted else "a model"
        raise ModelError(
            f"The engine at {connection.url} has not got {asked}, {have}; load one there, or set "
            "name = in the [model] section of config.toml."
        )
    else:
        name = names[0]
    facts = models[names.index(name)].get("meta")
    known = ("n_params", "size", "n_embd", "n_vocab", "ftype")
    known_facts = {key: facts.get(key) for key in known} if isinstance(facts, dict) else {}
    return name, json.dumps(known_facts, sort_keys=True) if known_facts else ""


def probe(name: str, parts: tuple[Part, ...], tokens: int = 1, **more: object) -> dict[str, Any]:
    """The body of a request that costs next to nothing."""
    messages = chat_messages((ChatMessage("user", parts),))
    body = {"model": name, "messages": messages, "max_tokens": tokens, "temperature": 0}
    return body | more


def _asked_plainly(chat: Connection, name: str) -> tuple[bool, int]:
    """Whether the engine may be asked for the answer alone, and how many tokens the question is.
    Raises EngineError where it does not chat."""
    try:
        answer = chat.post("/chat/completions", probe(name, (QUESTION,), 1, **PLAIN_ANSWERS))
    except EngineError as problem:
        if not problem.unsupported:
            raise
        answer = chat.post("/chat/completions", probe(name, (QUESTION,)))
        return False, _prompt_tokens(answer)
    return True, _prompt_tokens(answer)


def _takes(chat: Connection, name: str, medium: Image | Sound, text_tokens: int) -> bool:
    """Whether the medium reaches the model: engines that do not take it refuse, or leave it out
    without a word, which their count of tokens shows."""
    try:
        answer = chat.post("/chat/completions", probe(name, (medium, QUESTION)))
    except EngineError as problem:
        if not problem.unsupported:
            raise
        log.debug("the engine takes no %s: %s", type(medium).__name__, problem.message)
        return False
    tokens = _prompt_tokens(answer)
    return not tokens or not text_tokens or tokens > text_tokens + 4


def _prompt_tokens(answer: dict[str, Any]) -> int:
    usage = answer.get("usage")
    return int(usage.get("prompt_tokens") or 0) if isinstance(usage, dict) else 0


def _gives_logprobs(chat: Connection, name: str) -> bool:
    try:
        answer = chat.post(
            "/chat/completions", probe(name, (QUESTION,), logprobs=True, top_logprobs=2)
        )
    except EngineError as problem:
        if not problem.unsupported:
            raise
        return False
    return bool(letter_logprobs(answer))


def letter_logprobs(answer: dict[str, Any]) -> list[dict[str, Any]]:
    """The likeliest first tokens of an answer, each with its `logprob`; empty without them."""
    try:
        first = answer["choices"][0]["logprobs"]["content"][0]
    except (KeyError, IndexError, TypeError):
        return []
    return [each for each in first.get("top_logprobs") or () if "logprob" in each]


def _grammar_field(chat: Connection, name: str, extra: dict[str, Any]) -> GrammarField:
    for field in _GRAMMAR_FIELDS:
        constraint = grammar_body(field, f'root ::= "{_GRAMMAR_WORD}"')
        try:
            answer = chat.post(
                "/chat/completions", probe(name, (QUESTION,), 8, **constraint, **extra)
            )
        except EngineError as problem:
            if not problem.unsupported:
                raise
            continue
        if answer_text(answer).strip() == _GRAMMAR_WORD:
            return field
    return ""


def grammar_body(field: GrammarField, grammar: str) -> dict[str, Any]:
    """The part of a request that constrains its answer."""
    if not field:
        return {}
    return {field: {"grammar": grammar} if field == "structured_outputs" else grammar}


def answer_text(answer: dict[str, Any]) -> str:
    """The text of a whole answer; empty where it has none."""
    try:
        content = answer["choices"][0]["message"]["content"]
    except (KeyError, IndexError, TypeError):
        return ""
    return content if isinstance(content, str) else ""


def _tone() -> np.ndarray[Any, np.dtype[np.float32]]:
    seconds = np.arange(RATE_HZ // 2) / RATE_HZ
    return (0.1 * np.sin(2 * np.pi * 440 * seconds)).astype(np.float32)


class RememberedCapabilities:
    """What was found out last, kept in a file: while an engine is away, its vectors still count as
    its own. Without a file nothing outlives the process."""

    def __init__(self, file: Path | None, address: EngineAddress) -> None:
        self._file = file
        self._key = " ".join(
            [address.url, address.name, address.embeddings_url, address.embeddings_name]
        )

    def load(self) -> Capabilities | None:
        """None where nothing is known of this address."""
        if self._file is None:
            return None
        try:
            content = json.loads(self._file.read_text())
            if content["address"] != self._key:
                return None
            return Capabilities(**{
                field.name: content["capabilities"][field.name] for field in fields(Capabilities)
            })  # fmt: skip
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def save(self, capabilities: Capabilities) -> None:
        """A file that cannot be written is done without."""
        if self._file is None or self.load() == capabilities:
            return
        content = {"address": self._key, "capabilities": asdict(capabilities)}
        new = self._file.with_suffix(".new")
        try:
            new.write_text(json.dumps(content))
            new.replace(self._file)
        except OSError as problem:
            log.debug("what the engine can do was not written down: %s", problem)
