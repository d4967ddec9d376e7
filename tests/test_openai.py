"""OpenAI's API, driven by its own client against the real program with the model that ships."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from typing import Any

import httpx
import numpy as np
import openai
import pytest
import soundfile
from PIL import Image as Picture

from model.interface import ConversationTurn
from tests.conftest import Served
from web.http.openai.bodies import Message
from web.http.openai.citations import source_list
from web.http.openai.conversation import turns_of

DEPOSIT = "How much is the deposit?"


@pytest.fixture(scope="module")
def client(demo_server: Served) -> Iterator[openai.OpenAI]:
    with (
        openai.DefaultHttpxClient(trust_env=False, timeout=60.0) as http,
        openai.OpenAI(
            base_url=f"{demo_server.url}/v1",
            api_key=demo_server.token,
            http_client=http,
            max_retries=0,
        ) as made,
    ):
        yield made


@pytest.fixture(scope="module")
def bare(client: openai.OpenAI) -> str:
    """The name of the model alone."""
    library, alone = [model.id for model in client.models.list()]
    assert library == "recollect"
    assert client.models.retrieve(alone).id == alone
    return alone


def ask(client: openai.OpenAI, question: str, **more: Any) -> Any:
    messages = [{"role": "user", "content": question}]
    return client.chat.completions.create(model="recollect", messages=messages, **more)  # type: ignore[arg-type]


def test_an_answer_from_the_library_is_cited_twice(
    client: openai.OpenAI, demo_server: Served
) -> None:
    answer = ask(client, DEPOSIT)
    (choice,) = answer.choices
    text = choice.message.content
    assert choice.finish_reason == "stop"
    assert answer.usage.completion_tokens > 0
    assert answer.usage.prompt_tokens > 100
    (citation, *_) = [found.url_citation for found in choice.message.annotations]
    assert text[citation.start_index : citation.end_index] == "[1]"
    assert citation.url.startswith(f"{demo_server.url}/item/")
    said, _, listed = text.partition("\n\nSources:\n")
    assert said
    assert f"({citation.url})" in listed
    assert isinstance(citation.supports, bool)
    assert f"“{citation.quote}”" in listed
    opened = httpx.get(citation.url, headers={"Authorization": f"Bearer {demo_server.token}"})
    assert opened.status_code == 200
    item = httpx.get(
        f"{demo_server.url}/api/items/{citation.item}/text",
        headers={"Authorization": f"Bearer {demo_server.token}"},
    ).json()
    words = " ".join(" ".join(passage["text"] for passage in item["passages"]).split())
    assert " ".join(citation.quote.split()) in words


def test_a_streamed_answer_is_the_same(client: openai.OpenAI) -> None:
    whole = ask(client, DEPOSIT)
    text, finish, usage = "", None, None
    annotations: list[Any] = []
    for chunk in ask(client, DEPOSIT, stream=True, stream_options={"include_usage": True}):
        usage = chunk.usage or usage
        for choice in chunk.choices:
            text += choice.delta.content or ""
            annotations += getattr(choice.delta, "annotations", None) or []
            finish = choice.finish_reason or finish
    assert text == whole.choices[0].message.content
    assert [found["url_citation"]["url"] for found in annotations] == [
        found.url_citation.url for found in whole.choices[0].message.annotations
    ]
    assert finish == "stop"
    assert usage is not None
    assert usage.completion_tokens == whole.usage.completion_tokens


def test_a_conversation_goes_on(client: openai.OpenAI) -> None:
    first = ask(client, DEPOSIT)
    messages: Any = [
        {"role": "system", "content": "You are a pirate."},
        {"role": "user", "content": DEPOSIT},
        {"role": "assistant", "content": first.choices[0].message.content},
        {"role": "user", "content": DEPOSIT},
    ]
    answer = client.chat.completions.create(model="recollect", messages=messages)
    assert answer.usage is not None
    assert answer.usage.prompt_tokens > first.usage.prompt_tokens  # the turn before is read, too


def test_the_turns_before_a_question() -> None:
    said = [
        ("system", "You are a pirate."),
        ("user", "How much"),
        ("user", "is it?"),
        ("assistant", "1,850 euro [1].\n\nSources:\n- [1] [lease, page 2](http://x): “1,850”"),
        ("assistant", "Anything else?"),
        ("user", "And when?"),
    ]
    messages = [Message.model_validate({"role": role, "content": text}) for role, text in said]
    # what the model sees of its answer is what it wrote, without the list for people
    assert turns_of(messages) == [ConversationTurn("How much\nis it?", "1,850 euro [1].")]


def test_words_of_a_document_are_no_markdown() -> None:
    place: Any = {"page": 2}
    citation: Any = {"n": 1, "id": "a", "title": "a [b](c)", "place": place, "supports": True}
    citation["quote"] = "![x](http://evil.example/?q=1)\n<img src=http://evil.example>"
    listed = source_list([citation, citation], "http://127.0.0.1:1")
    assert listed == (
        "\n\nSources:\n- [1] [a (b) (c), page 2](http://127.0.0.1:1/item/a?page=2): "
        "“![x] (http://evil.example/?q=1) ‹img src=http://evil.example›”"
    )


def test_an_answer_ends_where_it_is_told_to(client: openai.OpenAI, bare: str) -> None:
    said = ask(client, DEPOSIT).choices[0].message.content
    word = said.split()[2]
    stopped = ask(client, DEPOSIT, stop=[word]).choices[0]
    assert stopped.finish_reason == "stop"
    assert stopped.message.content.strip() == said.partition(word)[0].strip()
    alone = {"model": bare, "messages": [{"role": "user", "content": "Tell me about the deposit."}]}
    free = client.chat.completions.create(**alone)  # type: ignore[call-overload]
    short = client.chat.completions.create(**alone, max_tokens=3)  # type: ignore[call-overload]
    assert short.usage.completion_tokens == 3
    assert short.choices[0].finish_reason == "length"
    assert free.choices[0].message.content.startswith(short.choices[0].message.content)
    assert not free.choices[0].message.annotations


def test_a_seed_repeats_what_was_drawn(client: openai.OpenAI, bare: str) -> None:
    def drawn(seed: int, temperature: float = 2.0) -> str:
        answer = client.chat.completions.create(
            model=bare,
            messages=[{"role": "user", "content": "Describe the garden."}],
            temperature=temperature,
            top_p=1.0,
            seed=seed,
            max_tokens=12,
        )
        return str(answer.choices[0].message.content)

    assert drawn(1) == drawn(1)
    assert len({drawn(seed) for seed in range(1, 6)}) > 1
    assert len({drawn(seed, temperature=0.0) for seed in range(1, 4)}) == 1


def test_pictures_and_sounds_are_looked_at(
    client: openai.OpenAI, bare: str, demo_server: Served
) -> None:
    photo = next(iter(sorted(demo_server.library.folder.rglob("*.jpg"))))
    picture = f"data:image/jpeg;base64,{base64.b64encode(photo.read_bytes()).decode()}"
    for model in ("recollect", bare):
        answer = client.chat.completions.create(
            model=model,
            messages=[
                {
                    "role": "user",
                    "content": [
                        {"type": "image_url", "image_url": {"url": picture}},
                        {"type": "text", "text": "What is in this picture?"},
                    ],
                }
            ],
        )
        assert answer.choices[0].message.content
        assert answer.usage is not None
        assert answer.usage.prompt_tokens > 20
    recording = next(iter(sorted(demo_server.library.folder.rglob("*.wav"))))
    sound: Any = {"data": base64.b64encode(recording.read_bytes()).decode(), "format": "wav"}
    heard = client.chat.completions.create(
        model="recollect",
        messages=[
            {
                "role": "user",
                "content": [{"type": "input_audio", "input_audio": sound}],
            }
        ],
    )
    # what is said in it is what it is searched by: the recording itself is among the sources
    assert recording.stem in str(heard.choices[0].message.content)


def test_a_medium_that_cannot_be_used_says_why(client: openai.OpenAI) -> None:
    def sent(part: dict[str, Any]) -> openai.APIStatusError:
        with pytest.raises(openai.APIStatusError) as refused:
            client.chat.completions.create(
                model="recollect",
                messages=[{"role": "user", "content": [part]}],  # type: ignore[misc, list-item]
            )
        return refused.value

    far = sent({"type": "image_url", "image_url": {"url": "https://example.org/a.png"}})
    assert far.status_code == 422
    assert "fetches nothing" in far.message
    broken = sent({"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}})
    assert broken.status_code == 422
    uneven = sent({"type": "input_audio", "input_audio": {"data": "@", "format": "wav"}})
    assert "base64" in uneven.message


def test_a_problem_in_a_stream_is_raised_by_the_client(client: openai.OpenAI) -> None:
    part = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
    with pytest.raises(openai.APIError, match="picture"):
        list(
            client.chat.completions.create(
                model="recollect",
                messages=[{"role": "user", "content": [part]}],  # type: ignore[misc, list-item]
                stream=True,
            )
        )


@pytest.mark.parametrize("encoding", ["float", "base64"])
def test_vectors_of_texts(client: openai.OpenAI, bare: str, encoding: Any) -> None:
    texts = ["The deposit is returned.", "The deposit comes back.", "A dog in the garden."]
    answer = client.embeddings.create(model=bare, input=texts, encoding_format=encoding)
    rows = [
        np.frombuffer(base64.b64decode(row.embedding), "<f4")
        if isinstance(row.embedding, str)
        else np.array(row.embedding)
        for row in answer.data
    ]
    assert answer.usage.prompt_tokens > 10
    assert {round(float(np.linalg.norm(row)), 3) for row in rows} == {1.0}
    near, far = float(rows[0] @ rows[1]), float(rows[0] @ rows[2])
    assert near > far
    again = client.embeddings.create(model=bare, input=texts[0])  # as the client asks by itself
    assert np.allclose(again.data[0].embedding, rows[0], atol=1e-5)
    with pytest.raises(openai.UnprocessableEntityError, match="numbers"):
        client.embeddings.create(model=bare, input="x", dimensions=7)


def test_a_response_whole_and_streamed(client: openai.OpenAI) -> None:
    whole = client.responses.create(model="recollect", input=DEPOSIT)
    assert whole.status == "completed"
    assert "Sources:" in whole.output_text
    (message,) = whole.output
    assert message.type == "message"
    part = message.content[0]
    assert part.type == "output_text"
    assert part.annotations[0].type == "url_citation"
    assert whole.usage is not None
    assert whole.usage.output_tokens > 0
    with client.responses.stream(model="recollect", input=DEPOSIT) as stream:
        kinds = [event.type for event in stream]
        final = stream.get_final_response()
    assert kinds[0] == "response.created"
    assert kinds[-1] == "response.completed"
    assert "response.output_text.annotation.added" in kinds
    assert final.output_text == whole.output_text


def test_a_response_goes_on_from_a_whole_conversation(client: openai.OpenAI, bare: str) -> None:
    first = client.responses.create(model=bare, input="Hello.", instructions="Be brief.")
    answer = client.responses.create(
        model=bare,
        input=[
            {"role": "user", "content": "Hello."},
            *[item.model_dump(exclude_none=True) for item in first.output],  # type: ignore[list-item]
            {"role": "user", "content": [{"type": "input_text", "text": "And then?"}]},
        ],
        max_output_tokens=5,
    )
    assert answer.usage is not None
    assert answer.usage.output_tokens <= 5
    with pytest.raises(openai.UnprocessableEntityError, match="previous_response_id"):
        client.responses.create(model=bare, input="x", previous_response_id=first.id)


def test_what_cannot_be_done_is_refused_by_name(
    client: openai.OpenAI, demo_server: Served, bare: str
) -> None:
    with pytest.raises(openai.NotFoundError, match="recollect"):
        client.chat.completions.create(
            model="gpt-4", messages=[{"role": "user", "content": "Hello?"}]
        )
    refused: list[dict[str, Any]] = [
        {"n": 2},
        {"tool_choice": "required", "tools": [TOOL]},
        {"response_format": {"type": "json_object"}},
        {"logprobs": True},
        {"presence_penalty": 1.0},
        {"extra_body": {"think_harder": True}},
        {"temperature": 3.0},
    ]
    for more in refused:
        name = next(iter(more.get("extra_body", more)))
        with pytest.raises(openai.UnprocessableEntityError, match=str(name)):
            ask(client, "Hello?", **more)
    with pytest.raises(openai.UnprocessableEntityError, match="last message"):
        client.chat.completions.create(
            model=bare, messages=[{"role": "assistant", "content": "Hello."}]
        )
    stranger = openai.OpenAI(base_url=f"{demo_server.url}/v1", api_key="x", max_retries=0)
    with stranger, pytest.raises(openai.AuthenticationError, match="recollect token"):
        stranger.models.list()


TOOL = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}


def test_what_changes_no_answer_is_taken(client: openai.OpenAI) -> None:
    more = {"user": "somebody", "n": 1, "store": False, "metadata": {"a": "b"}}
    for tools in ([], [TOOL]):
        [choice] = ask(client, DEPOSIT, **more, tools=tools).choices
        assert choice.message.content
        assert choice.message.tool_calls is None
        assert choice.finish_reason == "stop"
    assert client.with_options(timeout=60).models.list().data


def test_a_client_that_leaves_ends_the_answer(client: openai.OpenAI) -> None:
    stream = ask(client, DEPOSIT, stream=True)
    next(iter(stream))
    stream.close()
    assert ask(client, DEPOSIT).choices[0].message.content


def silence() -> str:
    file = io.BytesIO()
    soundfile.write(file, np.zeros(16_000, np.float32), 16_000, format="WAV")
    return base64.b64encode(file.getvalue()).decode()


def white() -> str:
    file = io.BytesIO()
    Picture.new("RGB", (64, 64), "white").save(file, "PNG")
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"


def test_so_many_media_and_no_more(client: openai.OpenAI, bare: str) -> None:
    def sent(*parts: dict[str, Any]) -> Any:
        messages: Any = [{"role": "user", "content": list(parts)}]
        return client.chat.completions.create(model=bare, messages=messages, max_tokens=4)

    sound = {"type": "input_audio", "input_audio": {"data": silence(), "format": "wav"}}
    picture = {"type": "image_url", "image_url": {"url": white()}}
    assert sent(sound, picture).usage.prompt_tokens > 20
    with pytest.raises(openai.UnprocessableEntityError, match="At most 8"):
        sent(*[picture] * 9)
