from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from indexer.types.contents import VectorRow
from indexer.types.passages import FIRST_UNDERSTOOD, Passage, Source
from indexer.types.places import Kind, Page, Place, Span
from indexer.types.tokens import terms, tokens
from indexer.vectors import full_text, search
from indexer.vectors import store as store_module
from indexer.vectors.lance import lancedb_problem
from indexer.vectors.search import Match
from indexer.vectors.store import Store
from indexer.vectors.tables import StoreError
from model.interface import Float32

KEY = "0123456789ab"


def new_name() -> str:
    return secrets.token_hex(16)


def text_passages(*texts: str) -> list[Passage]:
    return [Passage(n, text, Page(n + 1), Source.TEXT) for n, text in enumerate(texts)]


def filled(folder: Path, *texts: str) -> tuple[Store, list[str]]:
    """A store with one document for each text; and the contents, in order."""
    store = Store(folder)
    contents = [f"{n:040x}" for n in range(len(texts))]
    store.add_words(
        (new_name(), content, Kind.DOCUMENT, text_passages(text))
        for content, text in zip(contents, texts, strict=True)
    )
    return store, contents


def contents_of(found: list[Match]) -> list[str]:
    return [one.content for one in found]


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
        ("of the", [1, 2, 4]),
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
@pytest.mark.parametrize("optimized", [False, True])
def test_words_are_found_literally(
    literal: dict[bool, Store], query: str, expected: list[int], optimized: bool
) -> None:
    found = literal[optimized].search.words(query, 10)
    assert sorted(int(one.content, 16) for one in found) == expected


@pytest.fixture(scope="module")
def literal(tmp_path_factory: pytest.TempPathFactory) -> dict[bool, Store]:
    stores = {}
    for optimized in (False, True):
        stores[optimized], _ = filled(tmp_path_factory.mktemp("literal"), *LITERAL)
    stores[True].optimize()
    return stores


def test_passages_with_all_words_come_first(tmp_path: Path) -> None:
    store, contents = filled(
        tmp_path, "apple apple apple apple", "a long one with an apple and a pear in it", "pear"
    )
    found = store.search.words("apple pear", 10)
    assert found[0].content == contents[1]
    assert sorted(contents_of(found)) == contents
    assert contents_of(store.search.words("apple pear", 1)) == [contents[1]]


def test_phrase_wants_the_words_in_a_row(tmp_path: Path) -> None:
    store, contents = filled(tmp_path, "the red bicycle", "a bicycle, red", "red and bicycle")
    assert contents_of(store.search.words("red bicycle", 10, phrase=True)) == [contents[0]]
    assert store.search.words("?!", 10, phrase=True) == []


def test_ties_go_by_content_and_ordinal_however_many(tmp_path: Path) -> None:
    store = Store(tmp_path)
    contents = [f"{n:040x}" for n in range(300)]
    for content in reversed(contents):
        store.add_words([(new_name(), content, Kind.PHOTO, text_passages("the same words"))])
    for _ in range(2):
        found = store.search.words("same", 5)
        assert contents_of(found) == contents[:5]
        store.optimize()


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return filled(tmp_path_factory.mktemp("small"), "some words", "OR and AND")[0]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(query=st.text(max_size=40), phrase=st.booleans())
def test_no_query_raises(small: Store, query: str, phrase: bool) -> None:
    assert len(small.search.words(query, 3, phrase=phrase)) <= 2


@pytest.mark.parametrize(
    "query",
    [
        *["", " ", '"', '""', '"a', "*", "(", "\\", "AND", "a\x00b", "' OR 1=1 --", "\ud800"],
        *["a" * 5000, "a " * 3000, "some AND", "+some -words", "words~2", "some^3", "text:some"],
    ],
)
def test_odd_queries_do_not_raise(small: Store, query: str) -> None:
    for phrase in (False, True):
        assert len(small.search.words(query, 3, phrase=phrase)) <= 2


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(texts=st.lists(st.text("aäAß -'東fi\u0301\u00ad9.", min_size=1, max_size=20), max_size=8))
def test_full_text_finds_what_a_scan_finds(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str]
) -> None:
    store, contents = filled(tmp_path_factory.mktemp("scan"), *texts)
    for token in sorted({token for text in texts for token in tokens(text)}):
        expected = [c for c, text in zip(contents, texts, strict=True) if token in tokens(text)]
        assert sorted(contents_of(store.search.words(token, 20))) == expected


def test_filters_by_kind_and_content(tmp_path: Path) -> None:
    store = Store(tmp_path)
    names = {kind: f"{n:040x}" for n, kind in enumerate(Kind)}
    for kind, content in names.items():
        store.add_words([(new_name(), content, kind, text_passages("one word"))])
    assert contents_of(store.search.words("word", 9, kinds={Kind.PHOTO})) == [names[Kind.PHOTO]]
    only = {names[Kind.RECORDING]}
    assert contents_of(store.search.words("word", 9, contents=only)) == sorted(only)
    assert store.search.words("word", 9, kinds={Kind.PHOTO}, contents=only) == []
    assert store.search.words("word", 9, kinds=set()) == []
    assert store.search.words("word", 9, contents=set()) == []
    many = only | {f"{n:040x}" for n in range(10_000, 10_000 + search.FILTER_IDS)}
    assert contents_of(store.search.words("word", 9, contents=many)) == sorted(only)


@pytest.mark.parametrize("name", ["x' OR '1'='1", "", "../up", "A" * 10, "a" * 65, "g;--"])
def test_names_not_made_by_us_are_refused(tmp_path: Path, name: str) -> None:
    store = Store(tmp_path)
    with pytest.raises(ValueError, match="not a name of ours"):
        store.remove([name])
    with pytest.raises(ValueError, match="not a name of ours"):
        store.add_words([(name, "ab", Kind.PHOTO, text_passages("x"))])
    with pytest.raises(ValueError, match="not a name of ours"):
        store.search.words("x", 3, contents=[name])
    with pytest.raises(ValueError, match="not a name of ours"):
        store.search.vectors(name, "gist", np.ones(3, np.float32), 3)


def test_passages_come_back_as_they_were(tmp_path: Path) -> None:
    store = Store(tmp_path)
    places: list[Place] = [None, Page(3), Span(1.25, 14.75)]
    passages = [
        Passage(FIRST_UNDERSTOOD + n, f"words {n}", place, source)
        for n, (place, source) in enumerate(
            zip(places, [Source.CAPTION, Source.TEXT, Source.TRANSCRIPT], strict=True)
        )
    ]
    generation, other = new_name(), new_name()
    store.add_words([(generation, "ab", Kind.RECORDING, passages[::-1])])
    store.add_words([(other, "cd", Kind.DOCUMENT, text_passages("lone \ud800 surrogate"))])
    assert store.generations.passages([generation])[generation] == passages
    [key] = [(generation, FIRST_UNDERSTOOD + 2)]
    assert store.generations.passages_at([key]) == {key: passages[2]}
    assert store.generations.passages_at([(generation, 7)]) == {}
    keys = [(generation, FIRST_UNDERSTOOD), (other, 0), (other, FIRST_UNDERSTOOD)]
    assert store.generations.passages_at(keys).keys() == set(keys[:2])
    assert store.generations.counts() == {generation: 3, other: 1}
    assert [row[:4] for row in store.generations.rows()] == [
        *(("ab", generation, one.ordinal, str(one.source)) for one in passages),
        ("cd", other, 0, "text"),
    ]
    assert [row[4] for row in store.generations.rows()][:3] == [
        None,
        {"page": 3},
        {"start_s": 1.25, "end_s": 14.75},
    ]


def unit(*numbers: float) -> Float32:
    vector = np.array(numbers, np.float32)
    return (vector / np.linalg.norm(vector)).astype(np.float32)


def vectors_store(folder: Path) -> tuple[Store, list[str], Float32]:
    rng = np.random.default_rng(7)
    matrix = rng.standard_normal((200, 16)).astype(np.float32)
    matrix /= np.linalg.norm(matrix, axis=1, keepdims=True)
    store = Store(folder)
    contents = [f"{n:040x}" for n in range(200)]
    kinds = [Kind.PHOTO, Kind.RECORDING]
    for start in (100, 0):
        store.add_vectors(
            KEY,
            16,
            [
                (new_name(), contents[n], kinds[n % 2], [VectorRow(n, None, matrix[n], None)])
                for n in range(start, start + 100)
            ],
        )
    return store, contents, matrix


@pytest.mark.parametrize("resident_bytes", [store_module.RESIDENT_BYTES, 0])
def test_vectors_are_found_exactly(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, resident_bytes: int
) -> None:
    monkeypatch.setattr(store_module, "RESIDENT_BYTES", resident_bytes)
    store, contents, matrix = vectors_store(tmp_path)
    asked = unit(*np.random.default_rng(8).standard_normal(16))
    order = np.argsort(-(matrix @ asked))
    found = store.search.vectors(KEY, "gist", asked, 10)
    assert contents_of(found) == [contents[n] for n in order[:10]]
    assert [one.score for one in found] == pytest.approx((matrix @ asked)[order[:10]], abs=1e-5)
    photos = [n for n in order if n % 2 == 0]
    found = store.search.vectors(KEY, "gist", asked, 10, kinds={Kind.PHOTO})
    assert contents_of(found) == [contents[n] for n in photos[:10]]
    few = set(contents[3:9])
    found = store.search.vectors(KEY, "gist", asked, 10, {Kind.PHOTO}, few)
    assert contents_of(found) == [contents[n] for n in photos if contents[n] in few]
    assert store.search.vectors(KEY, "body", asked, 10) == []
    assert store.search.vectors("ffffffffffff", "gist", asked, 10) == []


def test_equal_vectors_come_by_content(tmp_path: Path) -> None:
    store = Store(tmp_path)
    same = unit(1, 2, 3)
    contents = [f"{n:040x}" for n in range(50)]
    for content in reversed(contents):
        rows = [VectorRow(0, None, same, same)]
        store.add_vectors(KEY, 3, [(new_name(), content, Kind.PHOTO, rows)])
    assert contents_of(store.search.vectors(KEY, "body", same, 4)) == contents[:4]
    store.optimize()
    assert contents_of(store.search.vectors(KEY, "body", same, 4)) == contents[:4]


@pytest.mark.parametrize("bad", [np.full(3, np.nan, np.float32), np.ones(4, np.float32)])
def test_bad_vectors_are_refused(tmp_path: Path, bad: Float32) -> None:
    store = Store(tmp_path)
    with pytest.raises(ValueError, match="not a finite vector"):
        store.add_vectors(KEY, 3, [(new_name(), "ab", Kind.PHOTO, [VectorRow(0, None, bad, None)])])


def test_remove_takes_a_generation_out_of_all_tables(tmp_path: Path) -> None:
    store = Store(tmp_path)
    old, new = new_name(), new_name()
    for generation in (old, new):
        store.add_words([(generation, "ab", Kind.DOCUMENT, text_passages("word"))])
        rows = [VectorRow(0, None, unit(1, 1), unit(1, 0))]
        store.add_vectors(KEY, 2, [(generation, "ab", Kind.DOCUMENT, rows)])
    assert store.generations.all() == {old, new}
    store.remove([old, new_name()])
    store.remove([])
    assert store.generations.all() == {new}
    assert [one.generation for one in store.search.words("word", 9)] == [new]
    for space in ("gist", "body"):
        found = store.search.vectors(KEY, space, unit(1, 1), 9)
        assert [one.generation for one in found] == [new]


def test_another_process_sees_commits_at_once(tmp_path: Path) -> None:
    writer, reader = Store(tmp_path), Store(tmp_path)
    assert reader.search.words("news", 3) == []
    generation = new_name()
    writer.add_words([(generation, "ab", Kind.DOCUMENT, text_passages("news"))])
    rows = [VectorRow(0, None, unit(1, 1), None)]
    writer.add_vectors(KEY, 2, [(generation, "ab", Kind.DOCUMENT, rows)])
    assert len(reader.search.words("news", 3)) == 1
    assert len(reader.search.vectors(KEY, "gist", unit(1, 1), 3)) == 1
    writer.optimize()
    writer.remove([generation])
    assert reader.search.words("news", 3) == []
    assert reader.search.vectors(KEY, "gist", unit(1, 1), 3) == []


def test_the_index_keeps_up_while_rows_pour_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(full_text, "UNINDEXED_ROWS", 20)
    store = Store(tmp_path)
    for n in range(30):
        passages = text_passages(f"word number {n}")
        store.add_words([(new_name(), f"{n:040x}", Kind.DOCUMENT, passages)])
    statistics = store.tables["words"].index_stats("folded_idx")
    assert statistics.num_indexed_rows >= 21
    assert len(store.search.words("word", 50)) == 30
    assert contents_of(store.search.words("29", 50)) == [f"{29:040x}"]


def test_a_table_that_only_grew_is_compacted_when_that_is_worth_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In many fragments, or with replaced indexes of several times its size on disk."""
    monkeypatch.setattr(store_module, "MOST_FRAGMENTS", 6)
    monkeypatch.setattr(full_text, "QUIET_UNINDEXED_ROWS", 0)
    store = Store(tmp_path)

    def grow_and_optimize() -> int:
        store.add_words([(new_name(), "ab", Kind.DOCUMENT, text_passages("word"))])
        store.optimize()
        assert store.tables["words"].index_stats("folded_idx").num_unindexed_rows == 0
        return store._most_fragments()

    fragments = [grow_and_optimize() for _ in range(12)]
    assert max(fragments) >= 3
    assert min(fragments[1:]) <= 1
    monkeypatch.setattr(full_text, "MOST_STALE", 1_000)
    fragments = [grow_and_optimize() for _ in range(12)]
    assert max(fragments) == 5
    assert len(store.search.words("word", 50)) == 24


def test_everything_new_is_forced_to_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(tmp_path)
    store.add_words([(new_name(), "ab", Kind.DOCUMENT, text_passages("word"))])
    forced: list[str] = []
    real = os.fsync

    def fsync(handle: int) -> None:
        forced.append(str(Path(f"/proc/self/fd/{handle}").readlink()))
        real(handle)

    monkeypatch.setattr(os, "fsync", fsync)
    store.sync()
    first = set(forced)
    assert any("/words.lance/data/" in path for path in first)
    assert any("/words.lance/_versions/" in path for path in first)
    assert str(tmp_path / "words.lance" / "_versions") in first
    assert str(tmp_path / "words.lance" / "data") in first
    data = [n for n, path in enumerate(forced) if "/data/" in path]
    versions = [n for n, path in enumerate(forced) if path.endswith(".manifest")]
    assert max(data) < min(versions)
    forced.clear()
    store.sync()
    assert forced == []
    rows = [VectorRow(0, None, unit(1, 1), None)]
    store.add_vectors(KEY, 2, [(new_name(), "ab", Kind.DOCUMENT, rows)])
    store.sync()
    assert any(f"/gist_{KEY}.lance/data/" in path for path in forced)
    assert str(tmp_path) in forced
    assert not first & {path for path in forced if path.endswith((".lance", ".manifest"))}


def torn(folder: Path) -> Path:
    manifests = sorted((folder / "words.lance" / "_versions").glob("*.manifest"))
    newest = min(manifests, key=lambda path: int(path.stem))
    newest.write_bytes(b"")
    return newest


def test_a_torn_newest_version_is_set_aside_not_erased(tmp_path: Path) -> None:
    store = Store(tmp_path)
    kept, lost = new_name(), new_name()
    store.add_words([(kept, "ab", Kind.DOCUMENT, text_passages("first"))])
    store.add_words([(lost, "cd", Kind.DOCUMENT, text_passages("second"))])
    newest = torn(tmp_path)
    again = Store(tmp_path)
    assert again.generations.counts() == {kept: 1}
    assert (tmp_path / "aside" / f"words-{newest.name}").is_file()
    again.add_words([(lost, "cd", Kind.DOCUMENT, text_passages("second"))])
    assert len(again.search.words("second", 3)) == 1


def test_a_table_with_no_good_version_is_a_problem_not_a_new_table(tmp_path: Path) -> None:
    Store(tmp_path)
    versions = tmp_path / "words.lance" / "_versions"
    for manifest in versions.glob("*.manifest"):
        manifest.write_bytes(b"torn")
    with pytest.raises(StoreError, match="damaged"):
        Store(tmp_path)
    assert any(versions.glob("*.manifest"))


def test_a_table_whose_index_was_never_made_gets_it(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.add_words([(new_name(), "ab", Kind.DOCUMENT, text_passages("of the words"))])
    store.tables["words"].drop_index("folded_idx")
    again = Store(tmp_path)
    assert len(again.search.words("the", 3)) == 1
    assert again.search.words("word", 3) == []


def test_a_folder_that_cannot_be_used_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StoreError, match="cannot be used"):
        Store(tmp_path / "file" / "index")


KILLED = """
import sys
from pathlib import Path
from indexer.types.passages import Passage, Source
from indexer.types.places import Kind
from indexer.vectors.store import Store
store = Store(Path(sys.argv[1]))
for n in range(100_000):
    generation = f"{n:032x}"
    passages = [Passage(0, "word", None, Source.TEXT)] * 3
    store.add_words([(generation, "ab", Kind.DOCUMENT, passages)])
    store.sync()
    print(n, flush=True)
"""


def test_what_was_synced_is_there_after_a_kill(tmp_path: Path) -> None:
    command = [sys.executable, "-c", KILLED, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        for line in writer.stdout:
            if int(line) >= 15:
                break
        writer.send_signal(signal.SIGKILL)
        rest = writer.stdout.read().split()
    last = int(rest[-1]) if rest else 15
    counts = Store(tmp_path).generations.counts()
    assert set(counts.values()) == {3}
    assert {f"{n:032x}" for n in range(last + 1)} <= set(counts)


def test_probe_says_that_lancedb_works_here() -> None:
    assert lancedb_problem() is None


def test_terms_of_a_query() -> None:
    assert terms('Invoice RE-2024 "of the board" invoice') == [
        ("invoice",),
        ("re", "2024"),
        ("of", "the", "board"),
    ]
    assert terms('"open') == [("open",)]
    assert tokens("हिन्दी में") == ["हिन्दी", "में"]
