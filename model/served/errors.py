"""What can go wrong between Recollect and an engine, each in one sentence with the cure."""

from __future__ import annotations

import re

from model.interface import ModelError, ModelMemoryError

MOST_MESSAGE_CHARACTERS = 200
# What engines say of a kind of input that they do not take, where the status is a bare 500.
_UNSUPPORTED = re.compile(r"support|multimodal|mmproj|not implemented", re.IGNORECASE)
_TOO_LONG = re.compile(
    r"context (size|length|window)|maximum context|exceeds? the (available )?context|n_ctx|"
    r"too (long|large to process|many tokens)|max_model_len|batch size",
    re.IGNORECASE,
)
_LOADING = re.compile(r"loading|not (yet )?(loaded|ready)|starting", re.IGNORECASE)


class EngineError(ModelError):
    """The engine did not do what it was asked. `status` is its HTTP status, None where none came;
    `message` is what it said itself."""

    def __init__(self, sentence: str, status: int | None = None, message: str = "") -> None:
        super().__init__(sentence)
        self.http_status = status
        self.message = message

    @property
    def unsupported(self) -> bool:
        """Whether the engine takes no such request at all, rather than not now."""
        status = self.http_status
        if status in (400, 404, 405, 415, 422, 501):
            return not self.too_long
        return status == 500 and bool(_UNSUPPORTED.search(self.message))

    @property
    def too_long(self) -> bool:
        """Whether the request is longer than the engine's context."""
        return self.http_status in (400, 413, 500) and bool(_TOO_LONG.search(self.message))


class ContentRefusedError(ModelMemoryError):
    """The engine works, and does not take this one content; others may still be taken."""

    code = "refused"

    def __init__(self, sentence: str) -> None:
        ModelError.__init__(self, sentence)


def unreachable(url: str) -> EngineError:
    return EngineError(
        f"No engine answers at {url}; start it there, and Recollect goes on by itself."
    )


def silent(url: str, wait_s: float) -> EngineError:
    return EngineError(
        f"The engine at {url} was silent for {wait_s:,.0f} seconds; see whether it is busy or "
        "hangs, and start it again. Recollect goes on by itself."
    )


def broken_off(url: str) -> EngineError:
    return EngineError(
        f"The engine at {url} broke off in the middle of its answer; see whether it still runs, "
        "then ask again."
    )


def unintelligible(url: str) -> EngineError:
    return EngineError(
        f"What answers at {url} does not speak the OpenAI protocol; check the address, which "
        "mostly ends in /v1."
    )


def refused(url: str, status: int, message: str) -> EngineError:
    """The error for an HTTP status; `message` is the engine's own."""
    shown = " ".join(message.split())[:MOST_MESSAGE_CHARACTERS].rstrip(".")
    detail = f" ({shown})" if shown else ""
    if status in (401, 403):
        sentence = (
            f"The engine at {url} wants another key; set key = in the [model] section of "
            "config.toml."
        )
    elif status in (502, 503, 504) and (_LOADING.search(message) or not message):
        sentence = (
            f"The engine at {url} is still loading its model; wait a little, Recollect goes on by "
            "itself."
        )
    elif status in (429, 502, 503, 504):
        sentence = f"The engine at {url} is busy{detail}; try again in a moment."
    elif 300 <= status < 400:
        sentence = (
            f"The engine at {url} sends its callers to another address; give that one in full."
        )
    elif _TOO_LONG.search(message):
        sentence = (
            f"The engine at {url} has too small a context for this{detail}; start it with a "
            "longer one (8,192 tokens are enough), or ask about less."
        )
    elif status == 404:
        sentence = (
            f"The engine at {url} does not know what it was asked for{detail}; check the address, "
            "which mostly ends in /v1, and the name of the model."
        )
    else:
        sentence = (
            f"The engine at {url} refused with status {status}{detail}; see its own log for why."
        )
    return EngineError(sentence, status, message)
