"""The types of the model: its inputs, its outputs, and the protocol between them.

Everything above `model/` uses the resident model through these types alone. Nothing here
imports torch, so the whole program can be wired, listed and tested without loading a weight.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from model.errors import RecollectError

Float32 = NDArray[np.float32]
Uint8 = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Text:
    """A run of words: a passage, a question, a caption."""

    text: str


@dataclass(frozen=True, slots=True, eq=False)
class Image:
    """An upright sRGB picture; `pixels` is (height_px, width_px, 3) uint8."""

    pixels: Uint8

    def __post_init__(self) -> None:
        if self.pixels.ndim != 3 or self.pixels.shape[2] != 3 or 0 in self.pixels.shape:
            raise ValueError(f"an image is (height, width, 3) pixels, not {self.pixels.shape}")


@dataclass(frozen=True, slots=True, eq=False)
class Sound:
    """A mono recording; `samples` is (n,) float32 in [-1, 1], `rate_hz` samples a second."""

    samples: Float32
    rate_hz: int

    def __post_init__(self) -> None:
        if self.samples.ndim != 1 or self.samples.size == 0:
            raise ValueError(f"a sound is one row of samples, not {self.samples.shape}")

    @property
    def duration_s(self) -> float:
        return self.samples.size / self.rate_hz

    def between(self, start_s: float, end_s: float) -> Sound:
        """A part of it, from one of its seconds to another. Raises ValueError where it is none."""
        first, end = (round(at_s * self.rate_hz) for at_s in (start_s, end_s))
        return Sound(self.samples[first:end], self.rate_hz)


Content = Text | Image | Sound
Role = Literal["item", "query"]
Part = str | Image | Sound


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """One message of a conversation; the roles are called as the model calls them."""

    role: Literal["system", "user", "model"]
    parts: tuple[Part, ...]


Prompt = tuple[ChatMessage, ...]


@dataclass(frozen=True, slots=True)
class WritingOptions:
    """How a text is written. A `temperature` of 0 takes the most likely token each time; above it
    tokens are drawn from those that together reach `top_p`, repeatably with a `seed`. The text ends
    before the first of the `stop` strings, and after `max_tokens` at the latest (None: as many as
    there is room for)."""

    temperature: float = 0.0
    top_p: float = 1.0
    seed: int | None = None
    stop: tuple[str, ...] = ()
    max_tokens: int | None = None

    @property
    def repeatable(self) -> bool:
        """Whether the same tokens are to be drawn again."""
        return self.temperature > 0 and self.seed is not None


DEFAULT_WRITING = WritingOptions()


@dataclass(frozen=True, slots=True, eq=False)
class Vectors:
    """Where a content lies. `gist` is (D,) unit float32, one space for all modalities; None for
    texts of the library where the model gives them a body alone. `body` is (D,) unit float32 for
    texts and None for pictures and sounds, whose words are embedded apart."""

    gist: Float32 | None
    body: Float32 | None


@dataclass(frozen=True, slots=True, eq=False)
class Description:
    """What one prefill of a picture or sound gave: its `gist` (D,), the caption or transcript in
    `words` (may be empty: silence has none), and the `body` (D,) of those words."""

    words: str
    gist: Float32
    body: Float32 | None


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """One numbered source of an answer. `words` is what may be quoted from it, verbatim: the
    passage, the caption or the transcript. `original` is the picture or clip itself, to be looked
    at or listened to again, or None for plain text. `title` is shown to the model as a label."""

    n: int
    title: str
    words: str
    original: Image | Sound | None = None


@dataclass(frozen=True, slots=True)
class ConversationTurn:
    """One earlier turn of a conversation, as shown (citation marks included, quotes not)."""

    question: str
    answer: str


@dataclass(frozen=True, slots=True)
class AnswerText:
    """Some more visible text of the answer; a citation shows in it as `[n]`."""

    text: str


@dataclass(frozen=True, slots=True)
class AnswerCitation:
    """The model finished citing source `n` with the verbatim `quote`."""

    n: int
    quote: str


FinishReason = Literal["stop", "length", "time", "repetition", "cancelled"]


@dataclass(frozen=True, slots=True)
class AnswerEnd:
    """The last event of an answer, with how fast it came. `draft_acceptance` is the share of
    drafted tokens that were kept, or None where nothing was drafted; `prompt_tokens` is the length
    of what the model was given, 0 where that is not known."""

    reason: FinishReason
    first_token_ms: float
    tokens: int
    tokens_per_s: float
    draft_acceptance: float | None
    prompt_tokens: int = 0


ChatEvent = AnswerText | AnswerEnd
AnswerEvent = AnswerText | AnswerCitation | AnswerEnd


@dataclass(frozen=True, slots=True)
class ModelCard:
    """What a person wants to know of the model in use. `reason` says in words why this device
    and dtype; `demonstration` is true for the small model that ships with the program; `sources`
    is among how many sources at once it finds its way, `clip_s` how long a sound may be to be heard
    well. `judges` says that `judge` can be relied on, `writes` that it answers and chats at all.
    `reads_pictures` and `hears_sounds` say who read the words of a picture and who heard those of a
    sound, where that is not this model itself. With `one_scale` texts, pictures and sounds are
    equally near to a question that is answered equally well in them. Of a model that another
    program serves, `engine` is its address, `remote_hosts` are the other machines that questions go
    to, and `limits` says in sentences what it cannot do. `least_cosine` is from where two vectors
    have something to do with each other, None where the search's own limit holds. `text_gists` says
    whether texts of the library have a gist, too."""

    name: str
    device: str
    dtype: str
    reason: str
    resident_bytes: int
    drafter: bool
    demonstration: bool
    sources: int = 5
    clip_s: float = 15.0
    judges: bool = True
    writes: bool = True
    reads_pictures: str = ""
    hears_sounds: str = ""
    one_scale: bool = False
    engine: str | None = None
    remote_hosts: tuple[str, ...] = ()
    limits: tuple[str, ...] = ()
    least_cosine: float | None = None
    text_gists: bool = True


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """Everything that decides what a vector means. Vectors of two fingerprints never meet in one
    query; `key` names the tables that hold them."""

    checkpoint: str  # hash of the weights' index, configuration and tokenizer
    layers: str  # which states are read for gist and body
    prompts: str  # PROMPT_VERSION
    matrices: str  # version of centring and whitening
    dim: int  # D, of both spaces

    @property
    def key(self) -> str:
        parts = "|".join([self.checkpoint, self.layers, self.prompts, self.matrices, str(self.dim)])
        return hashlib.sha256(parts.encode()).hexdigest()[:12]


class Model(Protocol):
    """The resident model. Calls block; `runtime.Runtime` decides whose turn it is."""

    @property
    def card(self) -> ModelCard: ...

    @property
    def fingerprint(self) -> Fingerprint: ...

    def embed(self, contents: Sequence[Content], role: Role = "item") -> list[Vectors]:
        """One `Vectors` for each content, in order; equal to embedding them one at a time. A query
        always has a gist, since pictures and sounds are compared with it."""
        ...

    def describe(self, content: Image | Sound) -> Description:
        """Caption of a picture (or the words on a page), transcript of a sound (at most 15 s)."""
        ...

    def judge(self, question: str, candidates: Sequence[Evidence]) -> list[float]:
        """How likely each candidate matches the question, in [0, 1]: multiple choice, letters
        swapped and averaged, one prefill each and no decoding."""
        ...

    def answer(
        self,
        question: str,
        evidence: Sequence[Evidence],
        history: Sequence[ConversationTurn] = (),
        cancelled: Callable[[], bool] = lambda: False,
        options: WritingOptions = DEFAULT_WRITING,
    ) -> Iterator[AnswerEvent]:
        """Stream an answer that cites `evidence`; ends in exactly one `AnswerEnd`. Every quote that
        has a mark in the text is a run of its source's `words`; where decoding cannot be
        constrained others may come without a mark, to be counted. `cancelled` is asked between
        tokens."""
        ...

    def chat(
        self,
        prompt: Prompt,
        options: WritingOptions = DEFAULT_WRITING,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> Iterator[ChatEvent]:
        """Stream what the model says next in a conversation, whose last message is the user's;
        nothing is cited. Ends in exactly one `AnswerEnd`."""
        ...

    def count_tokens(self, texts: Sequence[str]) -> int:
        """How many tokens these texts are together, as far as that can be known; else 0."""
        ...


class ModelState(Protocol):
    """Whether a model can be used now. `problem` says why it could not be when it was last tried;
    `calls` counts the contents and questions it was given."""

    @property
    def loaded(self) -> bool: ...

    @property
    def problem(self) -> str | None: ...

    @property
    def refuses(self) -> bool:
        """Whether whoever asks now is told at once why it cannot be used."""
        ...

    @property
    def calls(self) -> int: ...


class ModelRuntime(Protocol):
    """One model and whose turn it is: `people` for whoever waits in front of a screen, `files` for
    the background. People go first."""

    @property
    def people(self) -> Model: ...

    @property
    def files(self) -> Model: ...

    @property
    def card(self) -> ModelCard: ...

    @property
    def lifecycle(self) -> ModelState: ...

    def hold_background(self) -> AbstractContextManager[None]:
        """For a person who may call the model more than once: the background waits meanwhile."""
        ...

    def close(self) -> None:
        """End what is under way and refuse what waits."""
        ...


class ModelError(RecollectError):
    """The model cannot be loaded or used; the sentence says why and what to do about it."""

    code, status = "model", 503


class ModelMemoryError(ModelError):
    """There was not the memory for one content or question; others may still be answered."""

    def __init__(self) -> None:
        super().__init__(
            "There was not enough free memory for this one; close other programs, then try again."
        )
