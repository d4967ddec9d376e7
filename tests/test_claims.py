"""What a quote proves, what is copied from it, and what kind of value a question asks for."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from indexer.types.passages import Passage, Source
from model.interface import Evidence, ModelCard, ModelError
from retriever.answers.claims import Claim, copied_values, judged, last_claim
from retriever.answers.copied_text import MOST_HELD_CHARS, CopiedText
from retriever.answers.values import missing_values
from tests.fake_model import FakeModel


def claim(question: str, answer: str, quote: str, source: str = "", title: str = "a.txt") -> Claim:
    return Claim(question, answer, quote, Passage(0, source or quote, None, Source.TEXT), title)


@pytest.mark.parametrize(
    ("question", "answer", "quote", "source"),
    [
        ("How much is the rent?", "940 euros.", "The rent is 940 euros", ""),
        ("How much is the rent in Lindenstrasse 12?", "940 euros.", "940 euros", "Lindenstr. 12: "),
        ("When does the plumber come?", "On Thursday.", "comes on Thursday", ""),
        ("When does it leave?", "At 6:45.", "leaves at 6:45", ""),
        ("How many keys?", "4 keys.", "receives four keys", ""),
        ("How long is the notice?", "3 months.", "3 months", ""),
        ("Is it repaired on Thursday?", "No, on Friday.", "is repaired on Friday", ""),
        ("Wie hoch ist die Miete?", "Sie beträgt 940 Euro.", "Die Miete ist 940 Euro", ""),
        ("What does Anna's invoice say?", "1,880 euros.", "1880 euros", "Invoice of Anna: "),
        ("Where is the passport?", "", "the passport in the office", ""),
    ],
)
def test_right_quotes_support(question: str, answer: str, quote: str, source: str) -> None:
    whole = source.replace("Lindenstr.", "Lindenstrasse") + quote
    assert claim(question, answer, quote, whole).is_supported()


@pytest.mark.parametrize(
    ("question", "answer", "quote"),
    [
        ("When is the meeting?", "Wednesday.", "The coffee machine weighs 9 kilos"),
        ("How much is the deposit?", "34 euros.", "The deposit is 340 euros"),
        ("How much is the deposit for Lindenstrasse 12?", "80 euros.", "The deposit is 80 euros"),
        ("How much is the rent?", "It is 4 keys.", "receives 4 keys"),
        ("How long is the notice period?", "It is 7.", "Parking place 7"),
        ("How many keys are there?", "3 months.", "The notice period is 3 months"),
        ("When is invoice 412 due?", "8640 euros.", "The total of invoice 412 is 8640 euros"),
        ("Who writes the speech?", "It is Emma.", "Ben writes the speech"),
    ],
)
def test_wrong_quotes_do_not(question: str, answer: str, quote: str) -> None:
    assert not claim(question, answer, quote).is_supported()


class Judge(FakeModel):
    """Says of a source with the word `boiler` that it answers; `judges` as told."""

    def __init__(self, judges: bool = True, broken: bool = False) -> None:
        super().__init__()
        self._judges = judges
        self._is_out_of_order = broken
        self.shown: list[Evidence] = []

    @property
    def card(self) -> ModelCard:
        return ModelCard("fake", "cpu", "float32", "", 0, False, True, judges=self._judges)

    def judge(self, question: str, candidates: Sequence[Evidence]) -> list[float]:
        if self._is_out_of_order:
            raise ModelError("It cannot be loaded.")
        self.shown += candidates
        return [float("boiler" in candidate.words) for candidate in candidates]


def test_the_model_judges_what_the_rules_let_pass() -> None:
    right = claim("What is repaired?", "The boiler.", "boiler", "First. The boiler is repaired.")
    other = claim("What is repaired?", "The lift.", "the lift", "Here is the lift.")
    wrong = claim("When?", "Soon.", "the boiler")
    model = Judge()
    assert judged(model, [right, other, wrong]) == [True, False, False]
    # it sees the whole sentence, and only where the rules did not say no already
    assert [shown.words for shown in model.shown] == [
        "The boiler is repaired.",
        "Here is the lift.",
    ]
    assert judged(Judge(judges=False), [right, other, wrong]) == [True, True, False]
    assert judged(Judge(broken=True), [right, other, wrong]) == [True, True, False]


@pytest.mark.parametrize(
    ("text", "quote", "copied"),
    [
        ("It is 34 euros", "the fee is 340 euros", "It is 340 euros"),
        ("It is 1580 euros", "the fee is 1,850 euros", "It is 1,850 euros"),
        ("Ask Mr Beker", "call Mr Becker", "Ask Mr Becker"),
        ("In all 2,820 euros", "the rent is 940 euros", "In all 2,820 euros"),  # a sum
        ("There are 12 invoices", "it costs 120 euros", "There are 12 invoices"),  # a count
        ("It is 34 euros", "340 euros or 134 euros", "It is 34 euros"),  # two it might be
        ("Die Verträge", "Der Vertrag ist da", "Die Verträge"),  # another form of the word
        ("It is 7 euros", "it is 70 euros", "It is 7 euros"),
    ],
)
def test_only_a_wrong_copy_is_copied_again(text: str, quote: str, copied: str) -> None:
    assert copied_values(text, quote, []) == copied
    assert copied_values(text, quote, [text]) == text


def test_the_claim_is_the_sentence_before_the_mark() -> None:
    assert last_claim("It is dear [1]. The rent is 940 euros [2][3]") == "The rent is 940 euros"
    assert last_claim(" [1]") == ""


def test_text_goes_on_at_once_but_for_what_no_source_has() -> None:
    draft = CopiedText(["The deposit is 340 euros, says Becker."])
    assert draft.add("The ") == "The "
    assert draft.add("deposit is 34") == "deposit is "
    assert draft.add("0 euros, ") == "340 euros, "
    assert draft.add("or 34 euros") == "or "
    assert draft.add(" [1]") == ""
    assert draft.release("340 euros") == "340 euros [1]"
    assert draft.add("押金是多少") == "押金是多少"  # no white space will come
    assert draft.add(" and 77" + " words" * MOST_HELD_CHARS).endswith("words")
    assert draft.release() == ""


def test_names_are_compared_in_their_forms() -> None:
    known = ["Der Vertrag mit Anna Becker, 1.880 Euro, drei Schlüssel"]
    assert missing_values("Die Verträge von Annas Mutter", known)[0].text == "Mutter"
    assert not missing_values("It says: Becker's 1,880 for 3", known)
