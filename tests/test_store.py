from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from indexer.types.contents import VectorRow
from indexer.types.passages import FIRST_UNDERSTOOD, Passage, Source
from indexer.types.places import Kind, Page, Place, Span
from indexer.types.text.tokens import terms, tokens
from indexer.vectors import store as store_module
from indexer.vectors.lance import lancedb_problem, one_of
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


def contents_of(matches: list[Match]) -> list[str]:
    return [match.content for match in matches]


def test_a_name_with_a_flipped_bit_is_a_damaged_table(tmp_path: Path) -> None:
    store, _ = filled(tmp_path, "one")
    row = store.tables["words"].to_arrow().to_pylist()[0]
    store.tables["words"].add([{**row, "generation": "65d4702ae137b4\x1723f6741003"}])
    with pytest.raises(StoreError, match="words"):
        store.generations.all()


@pytest.mark.parametrize("name", ["x' OR '1'='1", "", "../up", "A" * 10, "a" * 65, "g;--"])
def test_names_not_made_by_us_are_refused(tmp_path: Path, name: str) -> None:
    store = Store(tmp_path)
    with pytest.raises(ValueError, match="not a name of ours"):
        store.remove([name])
    with pytest.raises(ValueError, match="not a name of ours"):
        store.add_words([(name, "ab", Kind.PHOTO, text_passages("x"))])
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
    assert store.generations.counts() == {generation: 3, other: 1}
    assert [row[:4] for row in store.generations.rows()] == [
        *(("ab", generation, passage.ordinal, str(passage.source)) for passage in passages),
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
    matches = store.search.vectors(KEY, "gist", asked, 10)
    assert contents_of(matches) == [contents[n] for n in order[:10]]
    assert [match.score for match in matches] == pytest.approx(
        (matrix @ asked)[order[:10]], abs=1e-5
    )
    photos = [n for n in order if n % 2 == 0]
    matches = store.search.vectors(KEY, "gist", asked, 10, kinds={Kind.PHOTO})
    assert contents_of(matches) == [contents[n] for n in photos[:10]]
    few = set(contents[3:9])
    matches = store.search.vectors(KEY, "gist", asked, 10, {Kind.PHOTO}, few)
    assert contents_of(matches) == [contents[n] for n in photos if contents[n] in few]
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


def test_a_vector_of_zeros_is_near_to_nothing(tmp_path: Path) -> None:
    store = Store(tmp_path)
    near, far = "ab" * 20, "cd" * 20
    for content, vector in ((far, np.zeros(3, np.float32)), (near, unit(1, 1, 0))):
        rows = [VectorRow(0, None, vector, None)]
        store.add_vectors(KEY, 3, [(new_name(), content, Kind.PHOTO, rows)])
    nearest, *others = store.search.vectors(KEY, "gist", unit(1, 1, 0), 5)
    assert nearest.content == near
    assert all(match.score == 0 for match in others)


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
    assert store.generations.counts() == {new: 1}
    for space in ("gist", "body"):
        matches = store.search.vectors(KEY, space, unit(1, 1), 9)
        assert [match.generation for match in matches] == [new]


def test_another_process_sees_commits_at_once(tmp_path: Path) -> None:
    writer, reader = Store(tmp_path), Store(tmp_path)
    assert reader.generations.counts() == {}
    generation = new_name()
    writer.add_words([(generation, "ab", Kind.DOCUMENT, text_passages("news"))])
    rows = [VectorRow(0, None, unit(1, 1), None)]
    writer.add_vectors(KEY, 2, [(generation, "ab", Kind.DOCUMENT, rows)])
    assert reader.generations.counts() == {generation: 1}
    assert len(reader.search.vectors(KEY, "gist", unit(1, 1), 3)) == 1
    writer.optimize()
    writer.remove([generation])
    assert reader.generations.counts() == {}
    assert reader.search.vectors(KEY, "gist", unit(1, 1), 3) == []


def test_a_table_that_only_grew_is_compacted_when_that_is_worth_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_module, "MOST_FRAGMENTS", 6)
    store = Store(tmp_path)

    def grow_and_optimize() -> int:
        store.add_words([(new_name(), "ab", Kind.DOCUMENT, text_passages("word"))])
        store.optimize()
        return store._most_fragments()

    fragments = [grow_and_optimize() for _ in range(12)]
    assert max(fragments) == 5
    assert min(fragments[1:]) <= 1
    assert store.generations.passage_count() == 12


def test_passages_of_a_large_library_are_read_from_an_index(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A look through all rows would make a search slower with every file."""
    monkeypatch.setattr(store_module, "INDEXED_ROWS", 40)
    store = Store(tmp_path)

    def add(count: int) -> list[str]:
        names = [new_name() for _ in range(count)]
        store.add_words((name, "ab", Kind.DOCUMENT, text_passages(name)) for name in names)
        return names

    def is_indexed() -> bool:
        where = one_of("generation", ["a"])
        plan = store.tables["words"].search().where(where).explain_plan()
        return "ScalarIndex" in plan

    first = add(39)
    store.optimize()
    assert not is_indexed(), "a look through a few rows takes less"
    first += add(1)
    store.optimize()
    assert is_indexed()
    later = add(41)
    for _ in range(2):
        for name in (*first[1:], *later):
            [passage] = store.generations.passages([name])[name]
            assert passage.text == name
        store.optimize()
        assert store.tables["words"].index_stats("generation_idx").num_unindexed_rows == 0
    store.remove(first[:1])
    assert store.generations.passages(first[:1]) == {first[0]: []}
    store.erase()
    assert is_indexed()
    assert not any(
        first[0].encode() in file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()
    ), "nor does the index hold the name of what was erased"
    assert len(store.generations.counts()) == 80


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
    assert again.generations.counts() == {kept: 1, lost: 1}


def test_a_table_with_no_good_version_is_a_problem_not_a_new_table(tmp_path: Path) -> None:
    Store(tmp_path)
    versions = tmp_path / "words.lance" / "_versions"
    for manifest in versions.glob("*.manifest"):
        manifest.write_bytes(b"torn")
    damaged = Store(tmp_path)  # what needs no table goes on
    with pytest.raises(StoreError, match="damaged"):
        damaged.generations.counts()
    assert any(versions.glob("*.manifest"))


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
