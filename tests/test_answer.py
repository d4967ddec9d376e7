"""Answers carry citations whose quotes stand where they point."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from indexer.types.passages import Passage, Source
from indexer.types.places import Page
from model.interface import (
    DEFAULT_WRITING,
    AnswerCitation,
    AnswerEnd,
    AnswerEvent,
    AnswerText,
    ConversationTurn,
    Evidence,
    ModelCard,
    WritingOptions,
)
from retriever.answers.answer import (
    Answerer,
    AnswerSummary,
    Citation,
    is_quote_of,
    unsupported_figures,
)
from retriever.answers.extracts import extract_answer
from retriever.answers.sources import NumberedSource, playback_time
from retriever.search import Searcher
from tests.fake_model import FakeModel
from tests.library import READER, Small, small


class LyingModel(FakeModel):
    """Cites what does not exist: a source that was not given, and words that nobody wrote."""

    def answer(
        self,
        question: str,
        evidence: Sequence[Evidence],
        history: Sequence[ConversationTurn] = (),
        cancelled: Callable[[], bool] = lambda: False,
        options: WritingOptions = DEFAULT_WRITING,
    ) -> Iterator[AnswerEvent]:
        yield AnswerText("It is so [1] [9].")
        yield AnswerCitation(1, "words that nobody wrote")
        yield AnswerCitation(9, "The deposit")
        yield AnswerEnd("stop", 1.0, 3, 1.0, None)


class RememberingModel(FakeModel):
    """Keeps what it was shown."""

    evidence: Sequence[Evidence] = ()

    def answer(
        self,
        question: str,
        evidence: Sequence[Evidence],
        history: Sequence[ConversationTurn] = (),
        cancelled: Callable[[], bool] = lambda: False,
        options: WritingOptions = DEFAULT_WRITING,
    ) -> Iterator[AnswerEvent]:
        self.evidence = evidence
        return super().answer(question, evidence, history, cancelled, options)


def _write(library: Small) -> None:
    library.write("lease.txt", "The deposit is 1,850 euro. It is returned within 30 days.")
    library.write("rent.txt", "The rent is due on the first day of the month.")
    for n in range(8):
        library.write(f"note {n}.txt", f"Note {n} about the deposit and the garden.")
    library.service.run_once()


def _answerer(
    library: Small, may_write: Callable[[Sequence[str]], bool] = lambda _: True
) -> Answerer:
    searcher = Searcher(library.catalog, library.store, library.model)
    return Answerer(
        searcher, library.model, lambda item, place: READER.original(item.path, place), may_write
    )


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Small]:
    with small(tmp_path / "folder", tmp_path / "data", RememberingModel()) as made:
        _write(made)
        yield made


def test_sources_come_first_and_citations_are_verified(library: Small) -> None:
    parts = list(_answerer(library).answer("How much is the deposit in euro?"))
    kinds = [type(part) for part in parts]
    sources = [part for part in parts if isinstance(part, NumberedSource)]
    assert kinds[: len(sources)] == [NumberedSource] * len(sources)
    assert [source.n for source in sources] == list(range(1, len(sources) + 1))
    assert sources[0].item.path.name == "lease.txt"
    assert kinds[-1] is AnswerSummary
    citations = [part for part in parts if isinstance(part, Citation)]
    assert citations
    for citation in citations:
        assert citation.verified
        assert is_quote_of(citation.quote, citation.source.passage)
        assert citation.source.place == Page(1)


def test_no_file_fills_the_evidence_and_there_are_few_sources(library: Small) -> None:
    sources = [
        part
        for part in _answerer(library).answer("deposit garden")
        if isinstance(part, NumberedSource)
    ]
    assert len(sources) == 5
    assert len({source.item.item for source in sources}) == 5


class OneSourceModel(FakeModel):
    """Finds its way in one source only: says its first sentence, and of a note what stands nowhere
    near it."""

    asked: list[str]

    def __init__(self) -> None:
        super().__init__()
        self.asked = []

    @property
    def card(self) -> ModelCard:
        return replace(super().card, sources=1)

    def answer(
        self,
        question: str,
        evidence: Sequence[Evidence],
        history: Sequence[ConversationTurn] = (),
        cancelled: Callable[[], bool] = lambda: False,
        options: WritingOptions = DEFAULT_WRITING,
    ) -> Iterator[AnswerEvent]:
        [source] = evidence
        self.asked.append(source.title)
        sentence = source.words.partition(".")[0]
        yield AnswerText("It is 99 euro [1]." if "Note" in sentence else f"{sentence} [1].")
        yield AnswerCitation(1, sentence)
        yield AnswerEnd("stop", 1.0, 3, 1.0, None)


@pytest.fixture
def notes_first(tmp_path: Path) -> Iterator[Small]:
    with small(tmp_path / "folder", tmp_path / "data", OneSourceModel()) as library:
        library.write("note.txt", "Note about the deposit. The deposit, the deposit in euro.")
        yield library


def test_one_source_after_the_other_until_a_quote_proves_it(notes_first: Small) -> None:
    notes_first.write("lease.txt", "The deposit is 1,850 euro. Paid back after 30 days.")
    notes_first.service.run_once()
    parts = list(_answerer(notes_first).answer("How much is the deposit in euro?"))
    assert isinstance(notes_first.model, OneSourceModel)
    assert set(notes_first.model.asked) == {"note.txt", "lease.txt"}
    [source] = [part for part in parts if isinstance(part, NumberedSource)]
    assert source.item.path.name == "lease.txt"
    assert isinstance(summary := parts[-1], AnswerSummary)
    assert summary.text == "The deposit is 1,850 euro [1]."
    assert [citation.supports for citation in summary.citations] == [True]


def test_where_no_quote_proves_anything_the_sources_speak_for_themselves(
    notes_first: Small,
) -> None:
    notes_first.service.run_once()
    parts = list(_answerer(notes_first).answer("How much is the deposit in euro?"))
    assert isinstance(summary := parts[-1], AnswerSummary)
    assert summary.text.startswith("These passages speak of it:")
    assert "99" not in summary.text
    assert [citation.quote for citation in summary.citations] == [
        "The deposit, the deposit in euro."
    ]


def test_no_source_is_written_about_that_the_model_may_not_answer_from(
    notes_first: Small,
) -> None:
    lease = notes_first.write("lease.txt", "The deposit is 1,850 euro. Paid back after 30 days.")
    notes_first.service.run_once()
    item = notes_first.catalog.items.at_path(lease)
    assert item is not None
    asked = _answerer(notes_first, lambda contents: item.content not in contents)
    parts = list(asked.answer("How much is the deposit in euro?"))
    assert isinstance(summary := parts[-1], AnswerSummary)
    assert isinstance(notes_first.model, OneSourceModel)
    assert notes_first.model.asked == ["note.txt"]
    assert summary.text.startswith("These passages speak of it:")


def test_extracts_are_whole_and_the_best_come_first() -> None:
    def extracts(question: str, *texts: str) -> list[str]:
        sources = [Evidence(n, "a file", text) for n, text in enumerate(texts, start=1)]
        events = extract_answer(question, sources)
        return [event.quote for event in events if isinstance(event, AnswerCitation)]

    lease = "3 Rent and deposit\n\nThe deposit is 1880 euros. It is paid back in May. It is over."
    note = "The deposit is much."
    question = "When do I get the deposit back?"
    assert extracts(question, note, lease) == [
        "The deposit is 1880 euros. It is paid back in May.",
        note,
    ]
    assert extracts("The colour of the boat?", note, lease) == []


def test_what_cannot_be_confirmed_is_dropped_and_counted(tmp_path: Path) -> None:
    with small(tmp_path / "folder", tmp_path / "data", LyingModel()) as library:
        _write(library)
        parts = list(_answerer(library).answer("How much is the deposit?"))
    assert not [part for part in parts if isinstance(part, Citation)]
    assert isinstance(parts[-1], AnswerSummary)
    assert parts[-1].left_out == 2


class MisreadingModel(FakeModel):
    """Cites rightly and misreads a figure and a unit."""

    def answer(
        self,
        question: str,
        evidence: Sequence[Evidence],
        history: Sequence[ConversationTurn] = (),
        cancelled: Callable[[], bool] = lambda: False,
        options: WritingOptions = DEFAULT_WRITING,
    ) -> Iterator[AnswerEvent]:
        for piece in ("The deposit for num", "ber 12 is 1,5", "80 ", "euro", " [1]", ". "):
            yield AnswerText(piece)
            if "[1]" in piece:
                yield AnswerCitation(1, "The deposit is 1,850 euro.")
        yield AnswerText("That is 1,770 pounds, back in 30 days.")
        yield AnswerEnd("stop", 1.0, 3, 1.0, None)


def test_a_figure_that_stands_in_no_source_is_told(tmp_path: Path) -> None:
    with small(tmp_path / "folder", tmp_path / "data", MisreadingModel()) as library:
        _write(library)
        question = "How much is the deposit for number 12, returned in 30 days?"
        parts = list(_answerer(library).answer(question))
    assert isinstance(parts[-1], AnswerSummary)
    assert parts[-1].unfounded == ("1,770",)
    written = "The deposit for number 12 is 1,850 euro [1]. That is 1,770 pounds, back in 30 days."
    assert parts[-1].text == written
    assert "".join(part.text for part in parts if isinstance(part, AnswerText)) == written


@pytest.mark.parametrize(
    ("question", "supports"),
    [
        ("How much is the deposit?", True),
        ("How much is the deposit in Lisbon?", False),  # nothing here is about Lisbon
        ("When is the deposit returned?", False),  # the quote holds no time
    ],
)
def test_a_quote_that_cannot_prove_it_only_mentions_it(
    tmp_path: Path, question: str, supports: bool
) -> None:
    with small(tmp_path / "folder", tmp_path / "data") as library:
        library.write("lease.txt", "The deposit is 1,850 euro.\n\nMore words.\n")
        library.service.run_once()
        parts = list(_answerer(library).answer(question))
    assert isinstance(parts[-1], AnswerSummary)
    assert [citation.supports for citation in parts[-1].citations] == [supports]


@pytest.mark.parametrize(
    ("answer", "known", "unfounded"),
    [
        ("It is 12.50 [3].", ["12.50 euro"], ()),
        ("It is 12 [3].", ["12.50 euro"], ("12",)),
        ("At 6:45, not 7:15.", ["the 6:45 train"], ("7:15",)),
        ("No figure at all [1].", [], ()),
    ],
)
def test_figures_are_compared_as_they_are_written(
    answer: str, known: list[str], unfounded: tuple[str, ...]
) -> None:
    assert unsupported_figures(answer, known) == unfounded


def test_a_follow_up_is_searched_with_the_question_before_it(library: Small) -> None:
    history = [ConversationTurn("How much is the deposit?", "1,850 euro [1].")]
    parts = _answerer(library).answer("And when is it returned?", history=history)
    sources = [part for part in parts if isinstance(part, NumberedSource)]
    assert "lease.txt" in [source.item.path.name for source in sources]


def test_only_the_one_file_is_asked(library: Small) -> None:
    rent = library.catalog.items.at_path(library.folder / "rent.txt")
    assert rent is not None
    parts = _answerer(library).answer("What about the deposit and the rent?", about=[rent.item])
    sources = [part for part in parts if isinstance(part, NumberedSource)]
    assert {source.item.path.name for source in sources} == {"rent.txt"}


def test_an_empty_library_is_not_a_failure(tmp_path: Path) -> None:
    with small(tmp_path / "folder", tmp_path / "data") as library:
        library.service.run_once()
        parts = list(_answerer(library).answer("Anything?"))
    assert isinstance(parts[-1], AnswerSummary)
    assert parts[-1].text == "That is not in your library."


@pytest.mark.parametrize(
    ("quote", "stands"),
    [("a  deposit\nof", True), ("deposit off", False), ("", False), (" ", False)],
)
def test_a_quote_stands_in_its_passage_white_space_apart(quote: str, stands: bool) -> None:
    passage = Passage(0, "There is a deposit\n of 1,850 euro.", Page(1), Source.TEXT)
    assert is_quote_of(quote, passage) is stands
    assert not is_quote_of("a deposit", None)


def test_clock() -> None:
    assert [playback_time(at) for at in (0, 9.9, 192, 3792)] == ["0:00", "0:09", "3:12", "1:03:12"]
