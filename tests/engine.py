"""A real engine in this process: pocket behind the OpenAI protocol, on a real socket; and a proxy
before it that breaks connections the way networks and dying programs do."""

from __future__ import annotations

import base64
import contextlib
import io
import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import soundfile
import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response, StreamingResponse
from PIL import Image as Picture

from model.decoding.generation import Generation, GenerationLimits
from model.decoding.token_bytes import Detokenizer
from model.gemma import Gemma
from model.interface import ChatMessage, Image, Part, Sound, Text
from web.http.server import bind_loopback, port_of

NAME = "pocket-served"
ROLES: dict[str, Literal["system", "user", "model"]] = {
    "system": "system",
    "user": "user",
    "assistant": "model",
}


@dataclass
class Engine:
    """What the engine takes may be switched off, as in an engine that was built without it; `asked`
    has the path and the body of every request."""

    gemma: Gemma
    port: int = 0
    pictures: bool = True
    sounds: bool = True
    embeddings: bool = True
    context_tokens: int = 100_000
    asked: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    prompt_tokens: int = 0  # of the last request
    busy: threading.Lock = field(default_factory=threading.Lock)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"


@contextmanager
def engine(gemma: Gemma) -> Iterator[Engine]:
    served = Engine(gemma)
    listener = bind_loopback(0)
    served.port = port_of(listener)
    server = uvicorn.Server(uvicorn.Config(_app(served), log_level="critical", lifespan="off"))
    thread = threading.Thread(target=server.run, args=([listener],))
    thread.start()
    try:
        yield served
    finally:
        server.should_exit = server.force_exit = True
        thread.join(20)
        listener.close()


def _app(served: Engine) -> FastAPI:
    app = FastAPI()

    @app.get("/v1/models")
    def models() -> dict[str, Any]:
        return {"object": "list", "data": [{"id": NAME, "object": "model"}]}

    @app.post("/v1/embeddings")
    async def embeddings(request: Request) -> Response:
        body = await request.json()
        served.asked.append(("embeddings", body))
        if not served.embeddings:
            return _error(501, "This server does not support embeddings.")
        with served.busy:
            vectors = served.gemma.embed([Text(text) for text in body["input"]])
        rows = [
            {"index": index, "embedding": [] if each.body is None else each.body.tolist()}
            for index, each in enumerate(vectors)
        ]
        return JSONResponse({"object": "list", "data": rows[::-1]})

    @app.post("/v1/chat/completions")
    async def chat(request: Request) -> Response:
        body = await request.json()
        served.asked.append(("chat", body))
        prompt = tuple(_message(message) for message in body["messages"])
        parts = [part for message in prompt for part in message.parts]
        if not served.pictures and any(isinstance(part, Image) for part in parts):
            return _error(500, "image input is not supported - you may need to provide the mmproj")
        if not served.sounds and any(isinstance(part, Sound) for part in parts):
            return _error(400, "audio input is not supported by this model")
        row = served.gemma._render(prompt)
        served.prompt_tokens = len(row)
        if len(row) > served.context_tokens:
            return _error(400, f"the request exceeds the available context size ({len(row)})")
        if body.get("stream"):
            lines = _events(served, row, body)
            return StreamingResponse(lines, media_type="text/event-stream")
        with served.busy:
            pieces, length = _generate(served, row, body["max_tokens"])
            text = "".join(pieces)
            choice = {"index": 0, "message": {"role": "assistant", "content": text}}
            if body.get("logprobs"):
                choice["logprobs"] = _logprobs(served.gemma, row, body["top_logprobs"])
        usage = {"prompt_tokens": len(row), "completion_tokens": len(pieces)}
        reason = "length" if length else "stop"
        return JSONResponse({"choices": [choice | {"finish_reason": reason}], "usage": usage})

    return app


def _error(status: int, message: str) -> JSONResponse:
    return JSONResponse({"error": {"code": status, "message": message}}, status)


def _message(message: dict[str, Any]) -> ChatMessage:
    content = message["content"]
    parts = [content] if isinstance(content, str) else [_part(part) for part in content]
    return ChatMessage(ROLES[message["role"]], tuple(parts))


def _part(part: dict[str, Any]) -> Part:
    if part["type"] == "text":
        return str(part["text"])
    if part["type"] == "image_url":
        data = base64.b64decode(part["image_url"]["url"].partition("base64,")[2])
        with Picture.open(io.BytesIO(data)) as picture:
            return Image(np.asarray(picture.convert("RGB")))
    samples, rate_hz = soundfile.read(
        io.BytesIO(base64.b64decode(part["input_audio"]["data"])), dtype="float32"
    )
    return Sound(samples, rate_hz)


def _generate(served: Engine, row: Any, tokens: int) -> tuple[list[str], bool]:
    pieces = list(_pieces(served.gemma, row, tokens))
    return pieces, len(pieces) >= tokens


def _pieces(gemma: Gemma, row: Any, tokens: int) -> Iterator[str]:
    context, rest = gemma._prefixes.take(row)
    gemma._decoder.prefill(rest, context)
    limits = GenerationLimits(tokens=tokens, time_s=60)
    detokenizer = Detokenizer(gemma._vocabulary)
    for token in Generation(gemma._decoder, context, limits, None, lambda: False):
        yield detokenizer.decode(token)


def _events(served: Engine, row: Any, body: dict[str, Any]) -> Iterator[str]:
    count = 0
    with served.busy:
        for piece in _pieces(served.gemma, row, body["max_tokens"]):
            count += 1
            yield _event({"choices": [{"index": 0, "delta": {"content": piece}}]})
    yield _event({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
    yield _event({"choices": [], "usage": {"completion_tokens": count}})
    yield "data: [DONE]\n\n"


def _event(event: dict[str, Any]) -> str:
    return f"data: {json.dumps(event)}\n\n"


def _logprobs(gemma: Gemma, row: Any, count: int) -> dict[str, Any]:
    import torch

    with torch.inference_mode():
        logits = gemma._model.lm_head(gemma._last_states([row]))[0].float()
    best = torch.log_softmax(torch.tanh(logits / 30) * 30, dim=-1).topk(count)
    top = [
        {"token": gemma._tokenizer.decode([index]), "logprob": value}
        for value, index in zip(best.values.tolist(), best.indices.tolist(), strict=True)
    ]
    return {"content": [{**top[0], "top_logprobs": top}]}


Fault = Callable[[socket.socket, bytes], None]


def status(code: int, message: str = "", body: bytes | None = None) -> Fault:
    """Answers with this status, and the message in the usual shape."""
    content = json.dumps({"error": {"message": message}}).encode() if body is None else body

    def fault(client: socket.socket, request: bytes) -> None:
        head = f"HTTP/1.1 {code} X\r\nConnection: close\r\nLocation: http://[::1]/\r\n"
        client.sendall(f"{head}Content-Length: {len(content)}\r\n\r\n".encode() + content)

    return fault


def vanish(client: socket.socket, request: bytes) -> None:
    """Closes the connection without a byte, as a killed program does."""


class Proxy:
    """Forwards to `target`, one request a connection. `faults` are done instead, one a request;
    `cut_bytes` is after how many bytes of an answer the connection breaks; `down` refuses."""

    def __init__(self, target: int) -> None:
        self.faults: list[Fault] = []
        self.always: Fault | None = None
        self.cut_bytes: int | None = None
        self.requests = 0
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._ended = False
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def close(self) -> None:
        """Nothing listens at the port any more."""
        self._ended = True
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(5)

    def _accept(self) -> None:
        while not self._ended:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, contextlib.suppress(OSError):
            while request := _read_request(client):
                self.requests += 1
                fault = self.faults.pop(0) if self.faults else self.always
                if fault is not None:
                    fault(client, request)
                    return
                self._forward(client, request)

    def _forward(self, client: socket.socket, request: bytes) -> None:
        request = request.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n", 1)
        with socket.create_connection(("127.0.0.1", self._target)) as upstream:
            upstream.sendall(request)
            sent = 0
            while data := upstream.recv(4096):
                if self.cut_bytes is not None and sent + len(data) > self.cut_bytes:
                    client.sendall(data[: self.cut_bytes - sent])
                    break
                client.sendall(data)
                sent += len(data)
        client.shutdown(socket.SHUT_RDWR)


def _read_request(client: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        part = client.recv(65_536)
        if not part:
            return b""
        data += part
    head, _, body = data.partition(b"\r\n\r\n")
    length = next(
        (int(line.split(b":")[1]) for line in head.split(b"\r\n")
         if line.lower().startswith(b"content-length:")), 0,
    )  # fmt: skip
    while len(body) < length:
        body += client.recv(65_536)
    return head + b"\r\n\r\n" + body
