"""The words of the live passages: found literally, best first, and by content alone."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from indexer.catalog.catalog import Catalog
from indexer.catalog.words.writing import folded, write_passages
from indexer.types.passages import GenerationRow, Passage, Source
from indexer.types.places import Kind, Page
from indexer.types.text.tokens import tokens
from retriever.queries.query import Query
from retriever.search import Searcher
from tests.library import small as opened
from tests.test_order import listed


def new_name() -> str:
    return secrets.token_hex(16)


def text_passages(*texts: str) -> list[Passage]:
    return [Passage(n, text, Page(n + 1), Source.TEXT) for n, text in enumerate(texts)]


def add(catalog: Catalog, rows: Sequence[GenerationRow]) -> None:
    with catalog.database.writing() as db:
        write_passages(db, folded(rows))


def filled(folder: Path, *texts: str) -> tuple[Catalog, list[str]]:
    """A catalog with the words of one document for each text; and the contents, in order."""
    catalog = Catalog(folder / "catalog.sqlite")
    contents = [f"{n:040x}" for n in range(len(texts))]
    add(
        catalog,
        [
            (new_name(), content, Kind.DOCUMENT, text_passages(text))
            for content, text in zip(contents, texts, strict=True)
        ],
    )
    return catalog, contents


def ranked(catalog: Catalog, query: str, **filters: Any) -> list[str]:
    """The contents that answer a query, best first."""
    found = catalog.passages.ranked(query, **filters).relevance
    return sorted(found, key=lambda content: (-found[content].score, content))


LITERAL = (
    "Invoice RE-2024-0117 over 1,850.00 EUR, error E1234 at 0x80070057",
    "Grüße an Frau Müller-Lüdenscheidt in der Straße; café naïve. The meeting of the board",
    "unrelated 2024 0117 something RE, and 850 of them, 1 by 1",
    "東京都庁は新宿にある foo_bar don't x@y.com",
    "of\ufb01ce in the \uff21\uff22\uff23 co\u00adoperation, Mu\u0308nchen",
)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("RE-2024-0117", [0]),
        ("re-2024-0117", [0]),
        ("E1234", [0]),
        ("1,850", [0]),
        ("1,850.00", [0]),
        ("0x80070057", [0]),
        ("müller", [1]),
        ("MULLER", [1]),
        ("strasse", [1]),
        ("Müller-Lüdenscheidt", [1]),
        ("café", [1]),
        ("of the", [1]),
        ("invoices", []),
        ("board meeting", [1]),
        ("東京", [3]),
        ("新宿", [3]),
        ("京東", []),
        ("foo_bar", [3]),
        ("don't", [3]),
        ("x@y.com", [3]),
        ("office", [4]),
        ("abc", [4]),
        ("cooperation", [4]),
        ("München", [4]),
        ("munchen", [4]),
        ('"of the board"', [1]),
        ('"board of the"', []),
    ],
)
@pytest.mark.parametrize("rewritten", [False, True])
def test_words_are_found_literally(
    literal: dict[bool, Catalog], query: str, expected: list[int], rewritten: bool
) -> None:
    contents = literal[rewritten].passages.ranked(query).exact
    assert sorted(int(content, 16) for content in contents) == expected


@pytest.fixture(scope="module")
def literal(tmp_path_factory: pytest.TempPathFactory) -> dict[bool, Catalog]:
    catalogs = {}
    for rewritten in (False, True):
        catalogs[rewritten], _ = filled(tmp_path_factory.mktemp("literal"), *LITERAL)
    catalogs[True].passages.drop_unused_terms()
    catalogs[True].database.rewrite()
    return catalogs


def test_passages_with_all_words_come_first(tmp_path: Path) -> None:
    catalog, contents = filled(
        tmp_path, "apple apple apple apple", "a long one with an apple and a pear in it", "pear"
    )
    found = ranked(catalog, "apple pear")
    assert found[0] == contents[1]
    assert sorted(found) == contents


def test_phrase_wants_the_words_in_a_row(tmp_path: Path) -> None:
    catalog, contents = filled(tmp_path, "the red bicycle", "a bicycle, red", "red and bicycle")
    [match] = catalog.passages.phrase("red bicycle", 10)
    assert match.content == contents[0]
    assert catalog.passages.phrase("?!", 10) == []
    assert catalog.passages.phrase("red bicycle", 0) == []


def test_ties_go_by_content_and_ordinal_however_many(tmp_path: Path) -> None:
    catalog = Catalog(tmp_path / "catalog.sqlite")
    contents = [f"{n:040x}" for n in range(300)]
    for content in reversed(contents):
        add(catalog, [(new_name(), content, Kind.PHOTO, text_passages("the same words"))])
    for _ in range(2):
        found = catalog.passages.phrase("same words", 5)
        assert [match.content for match in found] == contents[:5]
        catalog.passages.drop_unused_terms()
        catalog.database.rewrite()


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    return filled(tmp_path_factory.mktemp("small"), "some words", "OR and AND")[0]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(query=st.text(max_size=40), phrase=st.booleans())
def test_no_query_raises(small: Catalog, query: str, phrase: bool) -> None:
    search = small.passages.phrase(query, 3) if phrase else ranked(small, query)
    assert len(search) <= 2


@pytest.mark.parametrize(
    "query",
    [
        *["", " ", '"', '""', '"a', "*", "(", "\\", "AND", "a\x00b", "' OR 1=1 --", "\ud800"],
        *["a" * 5000, "a " * 3000, "some AND", "+some -words", "words~2", "some^3", "text:some"],
    ],
)
def test_odd_queries_do_not_raise(small: Catalog, query: str) -> None:
    assert len(ranked(small, query)) <= 2
    assert len(small.passages.phrase(query, 3)) <= 2


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(texts=st.lists(st.text("aäAß -'東fi\u0301\u00ad9.", min_size=1, max_size=20), max_size=8))
def test_full_text_finds_what_a_scan_finds(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str]
) -> None:
    catalog, contents = filled(tmp_path_factory.mktemp("scan"), *texts)
    for token in sorted({token for text in texts for token in tokens(text)}):
        expected = [c for c, text in zip(contents, texts, strict=True) if token in tokens(text)]
        assert sorted(catalog.passages.ranked(token).exact) == expected


@pytest.mark.parametrize("name", ["x' OR '1'='1", "", "../up", "A" * 10, "a" * 65, "g;--"])
def test_contents_not_named_by_us_are_refused(small: Catalog, name: str) -> None:
    with pytest.raises(ValueError, match="not a name of ours"):
        ranked(small, "x", contents=[name])


def test_filters_by_kind_and_content(tmp_path: Path) -> None:
    catalog = Catalog(tmp_path / "catalog.sqlite")
    names = {kind: f"{n:040x}" for n, kind in enumerate(Kind)}
    for kind, content in names.items():
        add(catalog, [(new_name(), content, kind, text_passages("one word"))])
    assert ranked(catalog, "word", kinds={Kind.PHOTO}) == [names[Kind.PHOTO]]
    only = {names[Kind.RECORDING]}
    assert ranked(catalog, "word", contents=only) == sorted(only)
    assert ranked(catalog, "word", kinds={Kind.PHOTO}, contents=only) == []
    assert ranked(catalog, "word", kinds=set()) == []
    assert ranked(catalog, "word", contents=set()) == []
    many = only | {f"{n:040x}" for n in range(10_000, 10_000 + 5_000)}
    assert ranked(catalog, "word", contents=many) == sorted(only)


FORMS = {
    "the deposit is paid back": ["deposits", "deposti", "depos"],
    "a bicycle stood there": ["bicycles", "bycycle"],
    "they leave at noon": ["leaving", "leaves"],
    "Die Lindenstraße ist lang": ["Lindenstrase", "lindenstr"],
    "The invoices were cancelled; its e-mail named the Wi-Fi": [
        *("invoice", "email", "emails", "e-mails", "e-mai", "e mail", "wifi", "wi-fis"),
    ],
    "All emails of the well-known co-workers": [
        *("e-mail", "e-mails", "e-mai", "wellknown", "coworker", "co-worker", "co-wor"),
    ],
    "Der Wohnungsmietvertrag von Müller": ["Mietvertrag", "Mueller", "muller", "Wohnung"],
    "Jan Mueller, Kinderwagenabstellraum": ["Müller", "Kinderwagen", "Wagen"],
    "IBAN DE89 3704 0044 0532 0130 00": ["DE89370400440532013000"],
    "IBAN DE12500105170648489890": ["DE12 5001 0517 0648 4898 90"],
    "Tel. +49 (0)30 123 456-78 am Tag": ["+493012345678", "03012345678", "030 12345678"],
    "ISBN 978-3-16-148410-0 im Regal": ["9783161484100"],
    "오늘 회의록을 정리했다. 계약서에 서명하고": ["회의록", "계약서", "계약서를"],
    "وُقِّعَ العَقْدُ في المدينة": ["العقد", "وقع"],
    "הַחוֹזֶה נֶחְתַּם אתמול": ["החוזה", "נחתם"],
    "that the won-\nderfulwords are cut": ["wonderfulwords"],
    "Les chevaux et les maisons": ["maison", "cheval"],
    "договоры подписаны": ["договор", "договора"],
}


@pytest.mark.parametrize(
    ("text", "query"), [(text, query) for text, queries in FORMS.items() for query in queries]
)
def test_other_forms_are_found(every_form: Catalog, text: str, query: str) -> None:
    numbers = [int(content, 16) for content in ranked(every_form, query)]
    assert list(FORMS).index(text) in numbers[:2]


@pytest.fixture(scope="module")
def every_form(tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    return filled(tmp_path_factory.mktemp("forms"), *FORMS)[0]


def test_words_as_typed_come_before_their_other_forms(tmp_path: Path) -> None:
    with opened(tmp_path / "files", tmp_path / "data") as library:
        library.write("form.txt", "invoices")
        library.write("exact.txt", f"an invoice {'and much more text ' * 90}")
        library.write("invoicing.txt", "nothing of the sort")
        library.service.run_once()
        searcher = Searcher(library.catalog, library.store, library.model)
        hits = searcher.search(Query("invoice"))
        names = [hit.item.path.name for hit in hits]
        assert names.index("exact.txt") < names.index("form.txt")
        form = hits[names.index("form.txt")]
        assert [form.snippet.text[a:b] for a, b in form.snippet.marks] == ["invoices"]


def test_a_hyphenated_word_as_typed_comes_before_its_other_forms(tmp_path: Path) -> None:
    with opened(tmp_path / "files", tmp_path / "data") as library:
        library.write("form.txt", "an e-mail")
        library.write("joined.txt", "email")
        library.write("exact.txt", f"two e-mails {'and much more text ' * 90}")
        library.write("apart.txt", "the letter e, and mails")
        library.service.run_once()
        searcher = Searcher(library.catalog, library.store, library.model)
        hits = searcher.search(Query("e-mails", by="words"))
        assert hits[0].item.path.name == "exact.txt"
        marked = {
            hit.item.path.name: [hit.snippet.text[a:b] for a, b in hit.snippet.marks]
            for hit in hits
        }
        assert marked["form.txt"] == ["e-mail"]
        assert marked["joined.txt"] == ["email"]


def test_a_quoted_phrase_stays_exact(tmp_path: Path) -> None:
    catalog, _ = filled(tmp_path, "two invoices of May", "an invoice of June")
    assert [int(content, 16) for content in ranked(catalog, '"invoice of"')] == [1]


def test_words_of_an_earlier_version_are_written_at_the_start(tmp_path: Path) -> None:
    with opened(tmp_path / "files", tmp_path / "data") as library:
        library.write("a.txt", "The boat lies in the river.")
        library.service.run_once()
        before = listed(library, "boat")
        with library.catalog.database.writing() as db:
            db.execute("DELETE FROM passages")
            db.execute("DELETE FROM notes WHERE name = 'words_version'")
        assert listed(library, "boat") == []
        library.service.run_once()
        assert listed(library, "boat") == before


def test_what_was_forgotten_leaves_no_word_behind(tmp_path: Path) -> None:
    with opened(tmp_path / "files", tmp_path / "data") as library:
        library.write("a.txt", "a boat")
        secret = library.write("b.txt", "the xylographer")
        library.service.run_once()
        secret.unlink()
        library.service.run_once()
        data = b"".join(path.read_bytes() for path in (tmp_path / "data").glob("catalog.sqlite*"))
        assert b"xylograph" not in data
