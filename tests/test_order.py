"""The order of hits depends on what can be found alone, however the index came about."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from indexer.maintenance.housekeeping import Housekeeping
from retriever.queries.query import Query
from retriever.search import Searcher
from tests.documents import message
from tests.library import Small, small

QUERIES = ("boat", "river tree", "boat river tree rent", "boats", '"river boat"', "rents", "a1")

Listed = list[tuple[str, float, str]]


def listed(library: Small, words: str, by: str = "words") -> Listed:
    searcher = Searcher(library.catalog, library.store, library.model)
    query = Query(words, by="words") if by == "words" else Query(words)
    return [(hit.item.content, hit.score, hit.snippet.text) for hit in searcher.search(query)]


@dataclass
class History:
    """Two folders, one of them on a drive, and a library that has watched them all along."""

    base: Path
    library: Small

    @property
    def drive(self) -> Path:
        return self.base / "drive"

    @property
    def away(self) -> Path:
        return self.base / "away"

    def file(self, number: int, ending: str = "txt") -> Path:
        """Even ones lie on the drive, wherever that is now."""
        drive = self.drive if self.drive.exists() else self.away
        return (self.library.folder, drive)[number % 2 == 0] / f"a{number} river.{ending}"

    def write(self, number: int, words: list[str]) -> None:
        self.file(number).write_text(" ".join(words))

    def mail(self, number: int, words: list[str]) -> None:
        """What is attached may be a file of its own too, or have been one."""
        attached = [self.file(n) for n in (number, number + 1) if self.file(n).is_file()]
        mail = message("The tree", " ".join(words), *attached)
        self.file(number, "eml").write_bytes(bytes(mail))

    def delete(self, number: int, _: list[str]) -> None:
        self.file(number).unlink(missing_ok=True)

    def delete_mail(self, number: int, _: list[str]) -> None:
        self.file(number, "eml").unlink(missing_ok=True)

    def move(self, number: int, _: list[str]) -> None:
        if self.file(number).is_file():
            shutil.move(self.file(number), self.file(number + 1))

    def copy(self, number: int, _: list[str]) -> None:
        if self.file(number).is_file():
            shutil.copy(self.file(number), self.file(number + 3))

    def plug(self, number: int, _: list[str]) -> None:
        """The drive is taken away, or put back."""
        source, target = (self.drive, self.away) if self.drive.exists() else (self.away, self.drive)
        if any(source.iterdir()):
            source.rename(target)

    def look(self) -> None:
        self.library.service.run_once()


Event = Callable[[History, int, list[str]], None]
EVENTS: tuple[Event, ...] = (
    *(History.write, History.write, History.mail, History.delete, History.delete_mail),
    *(History.move, History.copy, History.plug, History.plug),
)
WORDS = st.sampled_from(["boat", "river", "tree", "rent", "Miete"])
EVENT = st.tuples(st.sampled_from(EVENTS), st.integers(0, 5), st.lists(WORDS, max_size=6))
Round = list[tuple[Event, int, list[str]]]


def assert_listed_as_from_scratch(history: History) -> None:
    library = history.library
    with small(library.folder, history.base / "fresh") as fresh:
        if history.drive.exists():
            fresh.catalog.roots.add(history.drive)
        fresh.service.run_once()
        for query in QUERIES:
            for by in ("words", "all"):
                assert listed(library, query, by) == listed(fresh, query, by), query
    shutil.rmtree(history.base / "fresh")
    assert library.catalog.passages.gap() is None


@pytest.fixture
def history(tmp_path: Path) -> Iterator[History]:
    with begun(tmp_path) as history:
        yield history


@contextmanager
def begun(base: Path) -> Iterator[History]:
    with small(base / "files", base / "grown") as library:
        history = History(base, library)
        history.drive.mkdir()
        (history.drive / "stays.txt").write_text("a tree by the river")
        library.catalog.roots.add(history.drive)
        yield history


@pytest.fixture
def busy(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is always work: what is gone is not dropped for long."""
    monkeypatch.setattr(Housekeeping, "tidy", lambda *_, **__: None)


@pytest.mark.usefixtures("busy")
def test_what_is_deleted_or_on_a_drive_that_is_away_does_not_count(history: History) -> None:
    for number, words in enumerate(("boat river", "boat", "river boat tree", "rent", "boats")):
        history.write(number, words.split())
    history.copy(1, [])
    history.mail(2, ["boat"])
    history.look()
    history.delete(1, [])
    history.write(3, ["rents", "rent", "boat"])
    history.look()
    assert_listed_as_from_scratch(history)
    history.plug(0, [])
    history.look()
    assert_listed_as_from_scratch(history)
    history.delete_mail(2, [])
    history.plug(0, [])
    history.look()
    assert_listed_as_from_scratch(history)


def test_words_of_a_drive_that_was_away_are_found_in_other_forms_again(history: History) -> None:
    history.write(0, ["letterbox"])
    history.write(1, ["boat"])
    history.look()
    history.plug(0, [])
    history.delete(1, [])
    history.look()
    assert listed(history.library, "letterboxes") == []
    history.plug(0, [])
    history.look()
    [(_, _, snippet)] = listed(history.library, "letterboxes")
    assert snippet == "letterbox"


def test_a_folder_whose_last_file_moved_to_another_one_is_still_watched(history: History) -> None:
    """It looks like a drive that is away, until the file is found elsewhere."""
    history.write(3, ["boat"])
    history.look()
    history.move(3, [])
    history.look()
    assert len(history.library.catalog.roots.all()) == 2
    history.write(3, ["river", "boat"])
    history.look()
    assert_listed_as_from_scratch(history)


def check_history(base: Path, rounds: list[Round]) -> None:
    with begun(base) as history:
        for events in rounds:
            for event, number, words in events:
                event(history, number, words)
            history.look()
            assert_listed_as_from_scratch(history)


LONG = settings(
    max_examples=25, deadline=None, suppress_health_check=list(HealthCheck), database=None,
    phases=(Phase.generate,),
)  # fmt: skip
ROUNDS = st.lists(st.lists(EVENT, min_size=1, max_size=6), min_size=3, max_size=6)


@pytest.mark.slow
@LONG
@given(rounds=ROUNDS)
def test_a_grown_index_gives_the_list_of_one_from_scratch(
    tmp_path_factory: pytest.TempPathFactory, rounds: list[Round]
) -> None:
    check_history(tmp_path_factory.mktemp("history"), rounds)


@pytest.mark.slow
@pytest.mark.usefixtures("busy")
@LONG
@given(rounds=ROUNDS)
def test_a_busy_index_gives_the_list_of_one_from_scratch(
    tmp_path_factory: pytest.TempPathFactory, rounds: list[Round]
) -> None:
    check_history(tmp_path_factory.mktemp("history"), rounds)


def test_files_that_came_later_are_ranked_like_those_before(tmp_path: Path) -> None:
    """While there is still work, and after it."""
    with small(tmp_path / "files", tmp_path / "data") as library:
        for n in range(40):
            library.write(f"old{n}.txt", f"the harbour {'and much more text ' * 9}{n}")
        library.service.run_once()
        for n in range(20):
            library.write(f"new{n}.txt", f"harbour harbour {n}")
        library.service.run_once()
        searcher = Searcher(library.catalog, library.store, library.model)
        hits = searcher.search(Query("harbour", by="words", limit=20))
        assert all(hit.item.path.name.startswith("new") for hit in hits)
