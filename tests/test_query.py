"""Queries are typed, frozen, and refuse in words."""

from __future__ import annotations

from datetime import datetime

import pytest

from indexer.types.places import Kind
from retriever.queries.periods import parse_day
from retriever.queries.query import Query, QueryError, parse_kind


def test_an_empty_query_says_what_to_do() -> None:
    with pytest.raises(QueryError, match="Say what to look for"):
        Query(words="  ")


def test_limits_are_named() -> None:
    with pytest.raises(QueryError, match=r"2,000 characters"):
        Query(words="x" * 2_001)
    with pytest.raises(QueryError, match="between 1 and 200"):
        Query(words="x", limit=0)


def test_kinds() -> None:
    assert parse_kind(None) is None
    assert parse_kind("photo") == frozenset({Kind.PHOTO})
    with pytest.raises(QueryError, match="document, photo, recording"):
        parse_kind("film")


@pytest.mark.parametrize(
    ("day", "start"),
    [
        ("2024-03-14", (2024, 3, 14)),
        ("2024-12-31", (2024, 12, 31)),
        ("2024-05", (2024, 5, 1)),
        ("2024", (2024, 1, 1)),
    ],
)
def test_days(day: str, start: tuple[int, int, int]) -> None:
    assert parse_day(day) == datetime(*start).timestamp()


@pytest.mark.parametrize("day", ["yesterday", "2024-13", "2024-02-30", "14.3.2024", "2024-3-1"])
def test_a_wrong_day_shows_how_to_write_one(day: str) -> None:
    with pytest.raises(QueryError, match="like 2024-03-14"):
        parse_day(day)
