"""What a client of OpenAI's API may send. What would change an answer and cannot be done here is
refused; what changes none is taken and left aside."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from model.interface import WritingOptions

MAX_MESSAGES = 400
MAX_PARTS = 100
MAX_TEXT_CHARS = 200_000
MAX_TEXTS = 256
MAX_TOOLS = 1_000
MAX_TOKENS = 100_000

Longer = Annotated[str, Field(max_length=MAX_TEXT_CHARS)]
Stop = Annotated[str, Field(min_length=1, max_length=200)]
# Something that changes no answer here, of whatever form.
Ignored = Any


class Body(BaseModel):
    """JSON with these fields and no others."""

    model_config = ConfigDict(extra="forbid", strict=True)


class ImageUrl(Body):
    url: str
    detail: Ignored = None


class InputAudio(Body):
    data: str  # base64
    format: Annotated[str, Field(max_length=20)]


class TextPart(Body):
    type: Literal["text", "input_text", "output_text"]
    text: Longer
    annotations: Ignored = None
    logprobs: Ignored = None


class ImagePart(Body):
    """A picture, in chat completions as an object and in responses as its address."""

    type: Literal["image_url", "input_image"]
    image_url: ImageUrl | str
    detail: Ignored = None


class AudioPart(Body):
    type: Literal["input_audio"]
    input_audio: InputAudio


MessagePart = Annotated[TextPart | ImagePart | AudioPart, Field(discriminator="type")]
Content = Longer | Annotated[list[MessagePart], Field(max_length=MAX_PARTS)]


class Message(Body):
    """One message; of an earlier answer also what the answer had besides its text."""

    type: Literal["message"] = "message"
    role: Literal["system", "developer", "user", "assistant"]
    content: Content | None = None
    id: Ignored = None
    name: Ignored = None
    status: Ignored = None
    phase: Ignored = None
    refusal: Ignored = None
    annotations: Ignored = None
    audio: None = None
    tool_calls: Annotated[list[Any], Field(max_length=0)] | None = None
    function_call: None = None


Messages = Annotated[list[Message], Field(min_length=1, max_length=MAX_MESSAGES)]
# Chat front ends offer theirs with every question. A model may answer without any: this one does,
# so what is refused is to have one called for certain.
OfferedTools = Annotated[list[Any], Field(max_length=MAX_TOOLS)] | None
Temperature = Annotated[float | None, Field(ge=0, le=2)]
TopP = Annotated[float | None, Field(gt=0, le=1)]
TokenLimit = Annotated[int | None, Field(ge=1, le=MAX_TOKENS)]


class TextFormat(Body):
    type: Literal["text"] = "text"


class StreamOptions(Body):
    include_usage: bool = False
    include_obfuscation: Ignored = None


class AnswerBody(Body):
    """What both ways to ask have in common."""

    model: Annotated[str, Field(max_length=200)]
    stream: bool = False
    temperature: Temperature = None
    top_p: TopP = None
    tools: OfferedTools = None
    tool_choice: Literal["none", "auto"] | None = None
    parallel_tool_calls: Ignored = None
    metadata: Ignored = None
    prompt_cache_key: Ignored = None
    safety_identifier: Ignored = None
    service_tier: Ignored = None
    store: Ignored = None  # nothing is kept, whatever is asked
    user: Ignored = None


class ChatBody(AnswerBody):
    """The body of /v1/chat/completions."""

    messages: Messages
    stream_options: StreamOptions | None = None
    max_tokens: TokenLimit = None
    max_completion_tokens: TokenLimit = None
    stop: Stop | Annotated[list[Stop], Field(max_length=16)] | None = None
    seed: Annotated[int | None, Field(ge=0, le=2**63 - 1)] = None
    n: Literal[1] | None = None
    frequency_penalty: Annotated[float | None, Field(ge=0, le=0)] = None
    presence_penalty: Annotated[float | None, Field(ge=0, le=0)] = None
    logit_bias: Annotated[dict[str, Any], Field(max_length=0)] | None = None
    logprobs: Literal[False] | None = None
    modalities: list[Literal["text"]] | None = None
    response_format: TextFormat | None = None

    @property
    def options(self) -> WritingOptions:
        stop = (self.stop,) if isinstance(self.stop, str) else tuple(self.stop or ())
        most = self.max_completion_tokens or self.max_tokens
        return writing_options(self, most, stop, self.seed)


class TextSettings(Body):
    format: TextFormat | None = None
    verbosity: Ignored = None


class ResponseBody(AnswerBody):
    """The body of /v1/responses."""

    input: Longer | Messages
    instructions: Longer | None = None
    max_output_tokens: TokenLimit = None
    previous_response_id: None = None  # nothing is kept: the whole conversation is sent
    conversation: None = None
    background: Literal[False] | None = None
    include: Annotated[list[Any], Field(max_length=0)] | None = None
    stream_options: StreamOptions | None = None
    text: TextSettings | None = None
    truncation: Literal["disabled", "auto"] | None = None

    @property
    def messages(self) -> list[Message]:
        given = self.input
        asked = [Message(role="user", content=given)] if isinstance(given, str) else given
        if self.instructions is None:
            return asked
        return [Message(role="system", content=self.instructions), *asked]

    @property
    def options(self) -> WritingOptions:
        return writing_options(self, self.max_output_tokens, (), None)


class EmbeddingBody(Body):
    """The body of /v1/embeddings."""

    model: Annotated[str, Field(max_length=200)]
    input: Longer | Annotated[list[Longer], Field(min_length=1, max_length=MAX_TEXTS)]
    encoding_format: Literal["float", "base64"] = "float"
    dimensions: Annotated[int | None, Field(ge=1)] = None
    user: Ignored = None


def writing_options(
    body: AnswerBody, most: int | None, stop: tuple[str, ...], seed: int | None
) -> WritingOptions:
    """How the text is to be drawn; where nothing is said, the most likely token each time."""
    return WritingOptions(
        temperature=body.temperature or 0.0,
        top_p=1.0 if body.top_p is None else body.top_p,
        seed=seed,
        stop=stop,
        max_tokens=most,
    )
