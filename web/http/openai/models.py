"""/v1/models and /v1/embeddings: which models a client may name, and the vectors of texts."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
from fastapi import APIRouter
from starlette.responses import Response

from model.interface import Float32
from web.http.admission import WorkerPool
from web.http.openai.bodies import EmbeddingBody
from web.http.openai.pieces import Models
from web.http.pages import JsonAnswer
from web.http.requests import read_route
from web.library.bare_model import BareModel
from web.library.errors import LibraryError


def model_routes(models: Models, bare_model: BareModel, workers: WorkerPool) -> APIRouter:
    router = APIRouter(tags=["OpenAI"])

    @read_route(router, "/v1/models")
    async def list_models() -> Response:
        """The library as one model, and its model alone as another."""
        data = [_model_json(models, name) for name in models.names]
        return JsonAnswer({"object": "list", "data": data})

    @read_route(router, "/v1/models/{name:path}")
    async def get_model(name: str) -> Response:
        """One of the models."""
        models.require(name)
        return JsonAnswer(_model_json(models, name))

    @router.post("/v1/embeddings")
    async def embed(body: EmbeddingBody) -> Response:
        """A unit vector for each text, of the model alone whichever is named."""
        models.require(body.model)
        texts = [body.input] if isinstance(body.input, str) else body.input
        if not all(text.strip() for text in texts):
            raise LibraryError("input", "A text without words has no vector; leave it out.")
        vectors, tokens = await workers.run(lambda: bare_model.embed(texts))
        if body.dimensions not in (None, len(vectors[0])):
            sentence = f"The vectors of this model have {len(vectors[0])} numbers; ask for those."
            raise LibraryError("dimensions", sentence)
        data = [
            {"object": "embedding", "index": n, "embedding": _encoded(vector, body.encoding_format)}
            for n, vector in enumerate(vectors)
        ]
        usage = {"prompt_tokens": tokens, "total_tokens": tokens}
        return JsonAnswer({"object": "list", "data": data, "model": body.model, "usage": usage})

    return router


def _model_json(models: Models, name: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": models.created_s, "owned_by": "recollect"}


def _encoded(vector: Float32, encoding: str) -> str | list[float]:
    """As numbers, or as the base64 of 4-byte floats, little end first."""
    if encoding == "base64":
        return base64.b64encode(vector.astype(np.dtype("<f4")).tobytes()).decode()
    return [float(number) for number in vector]
