"""What the command line and the HTTP server call of a library."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Literal, Protocol

from model.interface import DEFAULT_WRITING, ConversationTurn, WritingOptions
from web.library.bare_model import BareModel
from web.library.items.presenter import ItemPresenter
from web.library.notifier import Notifier
from web.library.schemas.answers import AskEvent
from web.library.schemas.conversations import (
    ConversationJson,
    ConversationsJson,
    ConversationSummaryJson,
)
from web.library.schemas.files import (
    FileJson,
    FilesJson,
    FoldersJson,
    ForgottenJson,
    IndexJson,
    StorageJson,
    VerdictJson,
)
from web.library.schemas.items import MAX_PASSAGES, ItemJson, TextJson
from web.library.schemas.recordings import RecordingJson
from web.library.schemas.search import SearchJson
from web.library.schemas.status import ModelJson, RootJson, StatusJson


class ConversationsProtocol(Protocol):
    """The conversations that are kept."""

    def page(self, words: str = "", offset: int = 0, limit: int = 50) -> ConversationsJson:
        """Those in which all the words begin a word, the last changed first."""
        ...

    def get(self, conversation: str) -> ConversationJson:
        """One conversation with its turns. Raises LibraryError."""
        ...

    def rename(self, conversation: str, title: str) -> ConversationSummaryJson:
        """Gives a conversation another title. Raises LibraryError."""
        ...

    def delete(self, conversation: str) -> None:
        """Deletes a conversation; no byte of it stays. Raises LibraryError."""
        ...


class LibraryProtocol(Protocol):
    """The commands. `Library` carries them out; `Client` has a server carry them out. Both give the
    same JSON, and raise RecollectError."""

    @property
    def conversations(self) -> ConversationsProtocol: ...

    def search(
        self,
        words: str,
        *,
        kind: str | None = None,
        folder: str | None = None,
        after: str | None = None,
        before: str | None = None,
        limit: int = 20,
        offset: int = 0,
        by: Literal["words", "all"] = "all",
        like: Path | None = None,
    ) -> SearchJson:
        """The files that match, best first, `limit` of them after the first `offset`. Dates are ISO
        days, `before` not included; `like` is a file with an example picture or sound, which need
        not be in the library. Where the model cannot be used, words alone are searched, and
        `problem` says so."""
        ...

    def ask(
        self,
        question: str,
        *,
        about: Sequence[str] = (),
        kind: str | None = None,
        folder: str | None = None,
        after: str | None = None,
        before: str | None = None,
        history: Sequence[ConversationTurn] = (),
        conversation: str | None = None,
    ) -> Iterator[AskEvent]:
        """The events of one answer, as it is written; ends in `done` or `error`. `about` are the
        ids of the only items to answer from, empty for all; the rest as in a search. In a
        `conversation` ("new" for one of its own) question and answer are kept, its turns are the
        history, and the first event names it."""
        ...

    def item(self, item_id: str) -> ItemJson:
        """What is known of one item, by its id. Raises NotFoundError."""
        ...

    def text(
        self, item_id: str, words: str = "", *, offset: int = 0, limit: int = MAX_PASSAGES
    ) -> TextJson:
        """One page of the passages of an item, and where these words stand in them. Raises
        NotFoundError."""
        ...

    def status(self) -> StatusJson: ...

    def roots(self) -> list[RootJson]: ...

    def add(self, folder: str, take_in: bool = False) -> list[RootJson]:
        """Watches a folder from now on; all watched folders. With `take_in`, those that lie in it
        become part of it; without, that is refused with the code "takes_in"."""
        ...

    def remove(self, folder: str) -> int:
        """Forgets a folder; how many files were forgotten. The files are not touched. No byte of
        them is left in the data directory when this returns, or else within the hour."""
        ...

    def files(
        self,
        state: str | None = None,
        kind: str | None = None,
        offset: int = 0,
        limit: int = 100,
        order: Literal["name", "newest"] = "name",
    ) -> FilesJson:
        """One page of the files, in a state or of a kind where one is named, by name or the last
        changed first; in the state "partial" are those with notes."""
        ...

    def file(self, file: str) -> FileJson:
        """How far one file has come, by its path."""
        ...

    def item_of(self, file: str) -> str:
        """The id of a file, by its path."""
        ...

    def recording(self, item: str) -> RecordingJson:
        """A recording, by its id, with its speakers and minutes."""
        ...

    def name_speaker(self, item: str, speaker: int, name: str) -> RecordingJson:
        """Calls a speaker of a recording so; an empty name takes that back."""
        ...

    def correct(self, item: str, at_s: float, text: str) -> RecordingJson:
        """Keeps what is said in the sentence at a second, in place of the transcript."""
        ...

    def accept(self, folder: str | None = None) -> int:
        """Takes a person's word that what went missing in a folder, or in all (None), is gone; how
        many files that is."""
        ...

    def retry(self, file: str | None = None) -> int:
        """Puts a failed file, or all (None), back in the queue; how many."""
        ...

    def forget(self, file: str) -> ForgottenJson:
        """Forgets a file, by its path or its id, with every copy of it, and keeps it from being
        read again; a mail, with what came in it alone. An attachment is forgotten by its id, and
        its mail stays. Returns when no byte of it is left, or, where that cannot be done now, when
        it is gone from search."""
        ...

    def remember(self, file: str | None) -> int:
        """Takes back that a file, or everything (None), is to stay forgotten; how much was."""
        ...

    def verify(self, *, deep: bool = False, repair: bool = False) -> VerdictJson:
        """Checks everything, while nothing is written; with `repair` makes good what it can."""
        ...

    def index(self, progress: Callable[[StatusJson], None] | None = None) -> IndexJson:
        """Brings the index up to date now and waits for it."""
        ...


class ServableLibrary(LibraryProtocol, Protocol):
    """What the HTTP server needs besides. Only a library in the server's own process has it."""

    @property
    def items(self) -> ItemPresenter: ...

    @property
    def notifier(self) -> Notifier: ...

    @property
    def bare_model(self) -> BareModel: ...

    def ask(
        self,
        question: str,
        *,
        about: Sequence[str] = (),
        kind: str | None = None,
        folder: str | None = None,
        after: str | None = None,
        before: str | None = None,
        history: Sequence[ConversationTurn] = (),
        conversation: str | None = None,
        cancelled: Callable[[], bool] = lambda: False,
        options: WritingOptions = DEFAULT_WRITING,
    ) -> Iterator[AskEvent]:
        """As above; `cancelled` is asked between tokens, and True ends the answer."""
        ...

    def model(self) -> ModelJson: ...

    def storage(self) -> StorageJson:
        """Where the index and the conversations lie, and how large they are."""
        ...

    def folders(self, folder: str | None = None, hidden: bool = False) -> FoldersJson:
        """The folders in one at or below the home folder (None: in that), for a person to choose
        from; hidden ones where that is asked for."""
        ...
