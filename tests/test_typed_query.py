"""Filters among the words: taken out, understood, and told; nothing else is changed."""

from __future__ import annotations

import mailbox
import os
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as Picture

from indexer.types.places import Kind
from indexer.types.scope import Scope
from indexer.types.text.tokens import tokens
from retriever.queries.periods import parse_period, unix_s
from retriever.queries.query import MAX_LIMIT, Query
from retriever.queries.typed_query import TypedQuery, parse_typed
from retriever.search import Searcher
from tests.documents import message
from tests.library import Small, small

NOW = datetime(2026, 11, 28, 15)
# name, date, words
FILES = [
    ("Invoices/march.txt", "2024-03-10", "The deposit for the harbour flat."),
    ("Invoices/april.md", "2024-04-02", "The deposit of the landlord, paid in April."),
    ("Invoices/Old/may 2019.txt", "2019-05-05", "Last month the landlord kept the deposit."),
    ("notes/plan.txt", "2026-10-15", "A plan for the garden, as of March 2024."),
    ("notes/landlord.txt", "2026-11-27", "Call him about the deposit."),
    ("notes/quote.txt", "2025-01-01", "He said: kept the key, not the deposit kept."),
]


def parse(text: str, has_folder: Callable[[str], bool] = lambda _: True) -> TypedQuery:
    return parse_typed(text, NOW, has_folder)


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Small]:
    base = tmp_path_factory.mktemp("typed")
    with small(base / "folder", base / "data") as made:
        for name, day, words in FILES:
            made.write(name, words)
            touch(made.folder / name, day)
        for name, day, blue in (("sea.png", "2026-10-20", 140), ("sky.png", "2026-11-20", 240)):
            Picture.new("RGB", (64, 48), (10, 10, blue)).save(made.folder / name)
            touch(made.folder / name, day)
        made.service.run_once()
        yield made


def touch(file: Path, day: str) -> None:
    os.utime(file, (0, datetime.fromisoformat(f"{day}T12:00").timestamp()))


def found(library: Small, text: str) -> list[str]:
    """The names of the files that a typed text finds by words."""
    searcher = Searcher(library.catalog, library.store, library.model)
    typed = parse_typed(text, NOW, library.catalog.scopes.has_folder)
    query = typed.query(Scope(), like=None, limit=20, by="words")
    return [hit.item.path.name for hit in searcher.search(query)]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("deposit -landlord", {"march.txt", "quote.txt"}),
        ('deposit -"the landlord"', {"march.txt", "landlord.txt", "quote.txt"}),
        ('"kept the deposit"', {"may 2019.txt"}),
        ('"kept the" deposit', {"may 2019.txt", "quote.txt"}),
        ("deposit in:invoices", {"march.txt", "april.md", "may 2019.txt"}),
        ("deposit in:Invoices -in:old", {"march.txt", "april.md"}),
        ("deposit ext:md", {"april.md"}),
        ("deposit in:invoices -ext:md,log", {"march.txt", "may 2019.txt"}),
        ("deposit after:2024-04", {"april.md", "quote.txt", "landlord.txt"}),
        ("deposit before:2024-04-02", {"march.txt", "may 2019.txt"}),
        ("deposit until:2024-04", {"march.txt", "april.md", "may 2019.txt"}),
        ("deposit after:2024 before:2025", {"march.txt", "april.md"}),
        ("deposit on:10.3.2024", {"march.txt"}),
        ("deposit in March 2024", {"march.txt"}),
        ("deposit im März 2024", {"march.txt"}),
        ("deposit since last year", {"quote.txt", "landlord.txt"}),
        ("deposit yesterday", {"landlord.txt"}),
        ("deposit from last month", {"may 2019.txt"}),  # where the words stand, of any date
        ("plan in March 2024", {"plan.txt"}),
        ("type:photo", {"sea.png", "sky.png"}),
        ("photos from last month", {"sea.png"}),
        ("Fotos letzte Woche", {"sky.png"}),
        ("type:document in:notes after:2026", {"plan.txt", "landlord.txt"}),
    ],
)
def test_filters_find_what_they_say(library: Small, text: str, names: set[str]) -> None:
    assert set(found(library, text)) == names


def test_filters_alone_give_the_newest_first(library: Small) -> None:
    assert found(library, "in:notes") == ["landlord.txt", "plan.txt", "quote.txt"]


@pytest.fixture(scope="module")
def mails(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Small]:
    base = tmp_path_factory.mktemp("mails")
    with small(base / "folder", base / "data") as made:
        plan = made.write("away/plan.txt", "The deposit plan of the harbour.")
        box = mailbox.mbox(made.folder / "letters.mbox")
        for name, sender, attached in (
            ("ruth.eml", "Ruth Amsel <ruth@example.org>", [plan]),
            ("anna.eml", "Müller, Anna <am@harbour.example>", []),
            ("", "Emil Roth <emil@example.org>", []),
            ("", "Anna Roth <roth@example.org>", []),
        ):
            mail = message("Deposit", f"The deposit is paid. {name}", *attached)
            del mail["From"]
            mail["From"] = sender
            mail["X-Order"] = name
            if name:
                (made.folder / name).write_bytes(bytes(mail))
            else:
                box.add(mail)
        box.close()
        plan.unlink()
        made.write("quoted.txt", "He wrote about the deposit.\n\nFrom: Anna Muster\nTo: me\n")
        made.write("told.txt", "The deposit came from Anna and Ruth.")
        made.service.run_once()
        yield made


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("deposit from:ruth", {"ruth.eml", "plan.txt"}),  # and what she sent along
        ("deposit from:anna", {"anna.eml", "letters.mbox"}),
        ('from:"anna roth"', {"letters.mbox"}),
        ("deposit from:muller", {"anna.eml"}),
        ("deposit from:am@harbour.example", {"anna.eml"}),
        ("deposit from:anna from:emil", {"letters.mbox"}),
        ("deposit -from:anna type:mail", {"ruth.eml"}),
    ],
)
def test_mails_are_found_by_who_sent_them(mails: Small, text: str, names: set[str]) -> None:
    searcher = Searcher(mails.catalog, mails.store, mails.model)
    scopes = mails.catalog.scopes
    typed = parse_typed(text, NOW, scopes.has_folder, scopes.has_sender)
    hits = searcher.search(typed.query(Scope(), like=None, limit=20, by="words"))
    assert {hit.item.name for hit in hits} == names
    assert not any(typed_filter.problem for typed_filter in typed.filters)


def test_a_sender_of_no_mail_is_said_and_left_out(mails: Small) -> None:
    typed = parse_typed("deposit from:nobody", NOW, has_sender=mails.catalog.scopes.has_sender)
    assert typed.words == "deposit"
    assert typed.filters[0].problem == "No mail of the library is from “nobody”."


@pytest.mark.parametrize(
    "text",
    ["last year's report", "a-b -18 degrees", "http://x.y/z 12:30", "photos", "x \"", 'in:"',
     "in 5 minutes", "after the war", "march of time", "re: anna", "- -- \"\"",
     '"—" deposit', '-"!" x'],
)  # fmt: skip
def test_what_is_no_filter_stays_as_it_is(text: str) -> None:
    assert parse(text) == TypedQuery(text)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("type:zebra x", "is not a type"),
        ("before:2024-13 x", "is not a date"),
        ("after:3/4/2024 x", "is not a date"),  # April or March
        ("in:nowhere x", "No folder of the library is called “nowhere”"),
        ("-after:2024 x", "use before: and after:"),
        ("in:~nosuchuser/x x", "cannot be a folder"),
    ],
)
def test_a_filter_that_is_not_understood_says_so_and_is_left_out(text: str, sentence: str) -> None:
    typed = parse(text, lambda name: name != "nowhere")
    assert (typed.words, typed.scope) == ("x", Scope())
    assert sentence in str(typed.filters[0].problem)


@settings(deadline=None, max_examples=60)
@given(
    st.text(alphabet=st.characters(codec="utf-8"), max_size=60)
    | st.lists(
        st.sampled_from(
            [
                "-",
                '"',
                "in:",
                "type:",
                "from:",
                "after:",
                "photo",
                "2024",
                " ",
                "last",
                "month",
                "in",
                "March",
                "~",
                "/",
                "\0",
                "x",
            ]
        )
    ).map("".join)
)
def test_any_text_is_understood_and_a_literal_one_finds_its_words(text: str) -> None:  # fmt: skip
    typed = parse(text)
    assert set(tokens(typed.words)) <= set(tokens(text))
    for typed_filter in typed.filters:
        assert typed_filter.text in text
        assert typed_filter.label
        if typed_filter.literal:  # taken back, it is not guessed again
            assert parse(typed_filter.literal).filters == ()


@settings(deadline=None, max_examples=60)
@given(
    st.builds(
        Scope,
        kinds=st.none() | st.frozensets(st.sampled_from(Kind)),
        folder_names=st.frozensets(st.sampled_from(["Invoices", "OLD", "notes", "x"])),
        not_folder_names=st.frozensets(st.sampled_from(["invoices", "Old", "y"])),
        extensions=st.frozensets(st.sampled_from([".txt", ".md", ".png", ".x"])),
        not_extensions=st.frozensets(st.sampled_from([".txt", ".md", ".y"])),
        after=st.none() | st.sampled_from([1.55e9, 1.71e9, 1.75e9, 1.79e9]),
        before=st.none() | st.sampled_from([1.56e9, 1.72e9, 1.76e9, 1.80e9]),
    )
)
def test_a_scope_gives_what_a_filter_over_all_files_gives(library: Small, scope: Scope) -> None:
    wanted = set()
    for file in (path for path in library.folder.rglob("*") if path.is_file()):
        folders = {part.lower() for part in file.relative_to(library.folder.parent).parts[:-1]}
        kind = Kind.PHOTO if file.suffix == ".png" else Kind.DOCUMENT
        modified = file.stat().st_mtime
        if (
            (scope.kinds is None or kind in scope.kinds)
            and (not scope.folder_names or folders & {n.lower() for n in scope.folder_names})
            and not folders & {n.lower() for n in scope.not_folder_names}
            and (not scope.extensions or file.suffix in scope.extensions)
            and file.suffix not in scope.not_extensions
            and (scope.after is None or modified >= scope.after)
            and (scope.before is None or modified < scope.before)
        ):
            wanted.add(file.name)
    contents = library.catalog.scopes.contents(scope)
    everything = library.catalog.scopes.everything()
    items = library.catalog.items.of_contents(everything if contents is None else contents)
    assert {item.path.name for item in items.values()} == wanted
    searcher = Searcher(library.catalog, library.store, library.model)
    if scope != Scope():
        listed = searcher.search(Query(scope=scope, limit=MAX_LIMIT))
        assert {hit.item.path.name for hit in listed} == wanted


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("2024", "2024-01-01", "2024-12-31"),
        ("2024-12", "2024-12-01", "2024-12-31"),
        ("14. März 2024", "2024-03-14", "2024-03-14"),
        ("last month", "2026-10-01", "2026-10-31"),
        ("letzte Woche", "2026-11-16", "2026-11-22"),
        ("ayer", "2026-11-27", "2026-11-27"),
        ("上个月", "2026-10-01", "2026-10-31"),
    ],
)
def test_periods(text: str, first: str, last: str) -> None:
    period = parse_period(text, NOW)
    assert period is not None
    assert (f"{period.start:%Y-%m-%d}", unix_s(period.end)) == (
        first,
        datetime.fromisoformat(last).replace(hour=23, minute=59, second=59).timestamp() + 1,
    )
