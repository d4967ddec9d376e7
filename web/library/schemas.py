"""The JSON that leaves the library: one TypedDict for each shape of the API.

The command line's `--json` writes the first part of this file exactly; the HTTP API adds to a hit
and to the status what a browser needs besides.
"""

from __future__ import annotations

from typing import Literal, NotRequired

from typing_extensions import TypedDict

from indexer.types.coverage import Coverage
from indexer.types.notes import NoteJson
from indexer.types.places import PlaceJson

MAX_PASSAGES = 100_000  # in one page of an item's words


class MailJson(TypedDict):
    """The mail that something was attached to, an item itself."""

    id: str
    title: str


class AttachmentJson(TypedDict):
    id: str
    title: str
    kind: str


class HitCoreJson(TypedDict):
    rank: int
    id: str
    path: str
    kind: str
    title: str
    attached_to: MailJson | None
    place: PlaceJson | None
    snippet: str
    source: str
    score: float


class ThumbJson(TypedDict):
    w: int
    h: int
    colour: str


class OtherPlaceJson(TypedDict):
    place: PlaceJson | None
    snippet: str


class HitJson(HitCoreJson):
    marks: list[tuple[int, int]]  # ranges of `snippet` to mark, in characters
    found_by: list[str]  # "words", "meaning", "name"
    thumb: ThumbJson | None
    more: list[OtherPlaceJson]
    made_at: float | None  # when a photo was taken, a mail was sent
    made_offset_s: int | None  # how far the clock there was ahead of UTC; None where unknown
    modified_at: float
    duration_s: float | None
    pages: int | None


class FilterJson(TypedDict):
    """A filter that was typed among the words, as it was understood."""

    text: str  # as it stands in the query
    label: str
    literal: str | None  # what searches for it as words, where it was guessed
    problem: str | None  # why it was not understood, and left out


class SearchJson(TypedDict):
    query: str
    understood: list[FilterJson]
    hits: list[HitJson]
    coverage: Coverage
    took_ms: float
    next_offset: NotRequired[int]  # of the hits that follow, where others do
    problem: NotRequired[str]  # why the model had no part in it
    loading: NotRequired[bool]  # it is being loaded: the same search has its part in a moment


class CitationJson(TypedDict):
    n: int
    id: str
    path: str
    kind: str
    title: str
    attached_to: MailJson | None
    place: PlaceJson | None
    quote: str
    verified: bool  # it stands in the words of its source
    source: str  # what these are: "text" of the page, "transcript", or "caption" by the model
    supports: bool  # it can prove what it is cited for; else it only mentions it


class SpeedJson(TypedDict):
    first_token_ms: float
    prompt_tokens: int  # of the question with its sources; 0 where that is not known
    tokens: int
    tokens_per_s: float
    draft_acceptance: float | None


class AskJson(TypedDict):
    question: str
    answer: str
    citations: list[CitationJson]
    coverage: Coverage
    speed: SpeedJson


class SourceJson(TypedDict):
    n: int
    id: str
    path: str
    kind: str
    title: str
    attached_to: MailJson | None
    place: PlaceJson | None
    snippet: str
    thumb: ThumbJson | None


class TokenJson(TypedDict):
    text: str


class DoneJson(AskJson):
    reason: str
    left_out: int  # quotes dropped because they could not be confirmed
    unfounded: list[str]  # figures of the answer that stand in none of its sources


class AnswerJson(DoneJson):
    """A whole answer, with the sources that the model was given."""

    sources: list[SourceJson]


class ProblemJson(TypedDict):
    code: str
    sentence: str
    status: NotRequired[int]  # what HTTP answers with where nothing was sent before


class AskEvent(TypedDict):
    """One server-sent event of an answer."""

    event: Literal["source", "token", "citation", "done", "error"]
    data: SourceJson | TokenJson | CitationJson | DoneJson | ProblemJson


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


class IndexJson(TypedDict):
    added: int
    changed: int
    moved: int
    gone: int
    coverage: Coverage
    model_calls: int
    took_s: float


class ForgottenJson(TypedDict):
    forgotten: list[str]  # paths, and what was attached where
    erased: bool  # no byte is left; else that is so within the hour


class FaultJson(TypedDict):
    code: str
    sentence: str
    mended: bool


class VerdictJson(TypedDict):
    sound: bool
    faults: list[FaultJson]
    passages: int
    vectors: int
    files: int  # of a person's, read again and compared
    again: int  # to be read or understood once more
    took_s: float


class FileJson(TypedDict):
    id: str | None
    path: str
    name: str
    kind: str | None
    state: str
    reason: str | None
    sentence: str | None
    notes: list[NoteJson]  # what of it was left out or could not be understood
    attempts: int
    size_bytes: int
    modified_at: float


class ExcludesJson(TypedDict):
    folders: list[str]
    files: list[str]


class FilesJson(TypedDict):
    count: int
    files: list[FileJson]


class SoundTrackJson(TypedDict):
    track: int  # its number in the file, from 1
    label: str  # its language or title; empty where it has neither


class ItemJson(TypedDict):
    id: str
    path: str
    paths: list[str]
    kind: str
    title: str
    attached_to: MailJson | None
    attachments: list[AttachmentJson]
    state: str
    pages: int | None
    w: int | None
    h: int | None
    colour: str | None
    duration_s: float | None
    modified_at: float
    made_at: float | None
    made_offset_s: int | None
    size_bytes: int
    tracks: list[SoundTrackJson]  # of a recording of several, the default one first
    notes: list[NoteJson]  # what of it was left out or could not be understood
    caption: str | None


class SentenceJson(TypedDict):
    """A sentence of a transcript: its characters in the `text` of the passage, and its seconds."""

    start: int
    end: int
    start_s: float
    end_s: float


class PassageJson(TypedDict):
    ordinal: int
    text: str
    place: PlaceJson | None
    source: str
    marks: list[tuple[int, int]]  # ranges of `text` that match the query, in characters
    sentences: list[SentenceJson]  # of a transcript, where their seconds are known


class TextJson(TypedDict):
    id: str
    count: int  # of all passages, of which this may be one page
    passages: list[PassageJson]


class SpeakerJson(TypedDict):
    speaker: int
    name: str  # "Speaker 1" where nobody has said
    named: bool


class SpokenJson(TypedDict):
    """A sentence of a recording; `speaker` is null while nobody can tell."""

    text: str
    start_s: float
    end_s: float
    speaker: int | None


class SectionJson(TypedDict):
    title: str
    start_s: float


class PointJson(TypedDict):
    """A decision, an action item or an open question, in the words it was said in."""

    quote: str
    start_s: float
    end_s: float
    who: str | None
    what: str | None
    due: str | None


class RecordingJson(TypedDict):
    id: str
    title: str
    made_at: float | None
    duration_s: float
    minutes: str  # "ready", "waiting" to be made, or "short": none are made of a minute or less
    speakers: list[SpeakerJson]
    sentences: list[SpokenJson]
    sections: list[SectionJson]
    decisions: list[PointJson]
    actions: list[PointJson]
    questions: list[PointJson]


class PageWordsJson(TypedDict):
    width: float
    height: float
    words: list[tuple[float, float, float, float, str, int]]
    marks: list[int]  # indices of the words that match the query
    label: str | None  # what the page is called besides its number


class PeaksJson(TypedDict):
    duration_s: float
    peaks: list[float]


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
