"""The state of a library: its folders, its model, and what is left to be done."""

from __future__ import annotations

from typing import NotRequired

from typing_extensions import TypedDict

from indexer.types.coverage import Coverage


class RootJson(TypedDict):
    path: str
    files: int
    offline: bool
    missing: int  # of its files, hidden and kept since they vanished at once
    acceptable: bool  # a person may say that what is missing is gone
    network: str | None  # the type of the network file system it lies on
    sentence: str | None


class FailureJson(TypedDict):
    path: str
    reason: str
    sentence: str
    attempts: int


class ModelJson(TypedDict):
    name: str
    device: str
    dtype: str
    resident_bytes: int
    calls: int
    demonstration: NotRequired[bool]
    reason: NotRequired[str]
    drafter: NotRequired[bool]
    loaded: NotRequired[bool]
    problem: NotRequired[str]  # why it could not be loaded
    engine: NotRequired[str]  # the address of the program that serves it
    remote_hosts: NotRequired[list[str]]  # the other machines that questions go to
    limits: NotRequired[list[str]]  # what it cannot do, in sentences


class UnwatchedJson(TypedDict):
    path: str
    sentence: str


class WatchingJson(TypedDict):
    rescanned_at: float | None  # when everything was looked at last
    unwatched: list[UnwatchedJson]  # looked at every minute, with all that is below
    restarts: int  # of a watcher that had died or fallen silent


class StatusJson(TypedDict):
    roots: list[RootJson]
    coverage: Coverage
    states: dict[str, int]
    failed: list[FailureJson]
    partial: int  # files with notes; `/api/files?state=partial` lists them
    queue: int
    model: ModelJson
    progress: NotRequired[dict[str, Coverage]]  # by kind
    eta_s: NotRequired[int | None]
    waiting: NotRequired[str | None]  # what the second stage waits for
    problem: NotRequired[str | None]  # what holds the work up at the moment
    watching: NotRequired[WatchingJson]
