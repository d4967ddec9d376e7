"""What the HTTP API alone replies with: counts, addresses and errors."""

from __future__ import annotations

from typing_extensions import TypedDict


class ItemIdJson(TypedDict):
    id: str


class ForgottenCountJson(TypedDict):
    forgotten: int  # files


class AcceptedJson(TypedDict):
    accepted: int  # files


class RetriedJson(TypedDict):
    retried: int  # files


class RememberedJson(TypedDict):
    remembered: int  # files


class DeletedJson(TypedDict):
    deleted: str  # the id of a conversation


class LaunchJson(TypedDict):
    url: str  # opens one browser, once


class ErrorDetailJson(TypedDict):
    code: str  # stable, for programs
    sentence: str  # for people; names the cure


class ErrorJson(TypedDict):
    error: ErrorDetailJson


class OpenAIErrorDetailJson(TypedDict):
    """A problem below /v1/, as clients of OpenAI's API expect it."""

    message: str  # the sentence
    type: str
    param: str | None
    code: str


class OpenAIErrorJson(TypedDict):
    error: OpenAIErrorDetailJson
