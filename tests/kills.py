"""Kill the indexer at a random moment or at a named stage, and compare what is left with scratch.

The indexer runs in a process of its own and dies by SIGKILL. Starting Python takes a second, so
the processes are forked from one that has imported what can be shared; LanceDB, which starts
threads, is imported after the fork. The hooks that kill live here, not in the product.
"""

from __future__ import annotations

import faulthandler
import importlib
import itertools
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
import traceback
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal, Self

import pytest
from PIL import Image as Picture

from indexer.files.lock import LibraryLock
from tests.damages import DAMAGES
from tests.documents import message
from tests.library import Small, small

When = Literal["before", "after", "during"]
# Where a stage begins and ends: a kill comes before, after or within one of these calls.
STAGES: dict[str, tuple[tuple[str, str], ...]] = {
    "scan": (("indexer.ingest.service", "reconcile"),),
    "read": (("indexer.ingest.reading_stage", "read_file"),),
    "decode": (("indexer.extract.process.reader", "ReaderProcess.extract"),),
    "embed": (("tests.fake_model", "FakeModel.embed"), ("tests.fake_model", "FakeModel.describe")),
    "add": (
        ("indexer.vectors.store", "Store.add_words"),
        ("indexer.vectors.store", "Store.add_vectors"),
    ),
    "sync": (("indexer.vectors.store", "Store.sync"),),
    "flip": (
        ("indexer.catalog.queue", "Queue.finish_reading"),
        ("indexer.catalog.queue", "Queue.finish_understanding"),
    ),
    "delete": (("indexer.vectors.store", "Store.remove"),),
    "compact": (("lancedb.table", "LanceTable.optimize"),),
    "clean": (("lancedb.table", "LanceTable.optimize"),),
}
# In a minute of ours happens what takes a person weeks; a drive that lost so many files would be
# waited for.
MANY_FILES = ("indexer.scan.missing", "MANY_FILES", 1_000_000)
# A stage that so many runs in a row do not reach is not there any more.
MOST_TRIES = 10
# An indexer that lives for so long hangs: it says where, and ends in an error.
HANGS_AFTER_S = 240.0
# Shorter than this and an `optimize` throws old versions away; longer and it keeps them all.
CLEANING = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Kill:
    """Where a process is killed: at the nth call of a stage, or without one after some seconds."""

    stage: str | None
    call: int = 1
    when: When = "before"
    after_s: float = 0.0
    damage: str | None = None  # what befalls the tables after it

    @classmethod
    def drawn(cls, chance: random.Random, stage: str | None) -> Kill:
        if stage is None:
            return cls(None, after_s=chance.uniform(0.0, 1.5))
        when: When = chance.choice(["before", "after", "during"])
        most = {"scan": 1, "compact": 3, "clean": 3, "decode": 6, "read": 6}.get(stage, 2)
        return cls(stage, chance.randint(1, most), when, chance.uniform(0.0, 0.02))


class RefusedError(Exception):
    """A start that ended in an error."""


class KillableIndexers:
    """Starts indexers that are killed at a given point. Use as a context."""

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.kills"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parent.parent,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )
        assert self._read() == "ready"
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(10)
        self._process.stdout.close()

    def kill(self, folder: Path, data: Path, kill: Kill) -> bool:
        """Runs an indexer over `folder` until it is killed; whether it was (a stage that was
        never reached lets it end by itself)."""
        assert self._process.stdin is not None
        order = {"folder": str(folder), "data": str(data), "kill": asdict(kill)}
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        pid = int(self._read())
        if kill.stage is None:
            assert self._read() == "open"
            time.sleep(kill.after_s)
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            line = self._read()
        else:
            while (line := self._read()) == "open":
                pass
        status = int(line)
        if os.WIFEXITED(status):
            if os.WEXITSTATUS(status) != 0:
                raise RefusedError("the indexer ended in an error")
            return False
        assert os.WTERMSIG(status) == signal.SIGKILL
        return True

    def _read(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "the indexers ended"
        return line.strip()


# -- in the indexers and its children


def main() -> None:
    import lance_namespace  # noqa: F401  half of what importing lancedb takes
    import numpy  # noqa: F401

    import indexer.ingest.pipeline
    import indexer.scan.inotify
    import indexer.scan.watcher  # noqa: F401
    import tests.library
    from indexer.extract.process.pool import ReaderPool

    replace_name(*MANY_FILES)
    tests.library.READERS = ReaderPool([tests.library.READER])
    assert len(list(Path("/proc/self/task").iterdir())) == 1, "a fork would lose threads"
    print("ready", flush=True)
    for line in sys.stdin:
        order = json.loads(line)
        pid = os.fork()
        if pid == 0:
            _live(Path(order["folder"]), Path(order["data"]), Kill(**order["kill"]))
        print(pid, flush=True)
        print(os.waitpid(pid, 0)[1], flush=True)


def _live(folder: Path, data: Path, kill: Kill) -> None:
    try:
        if kill.stage is not None:
            _arm(kill)
        faulthandler.dump_traceback_later(HANGS_AFTER_S, exit=True)
        warnings.simplefilter("ignore")  # cleaning at once is meant
        with LibraryLock(data), small(folder, data) as library:
            os.write(1, b"open\n")
            library.service.run_once()
            if kill.stage is None:  # goes on watching until it is killed
                library.service.start()
                time.sleep(60)
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def _arm(kill: Kill) -> None:
    """Makes the nth call of a stage this process's last."""
    assert kill.stage is not None
    calls = itertools.count(1)  # of several threads, each with a number of its own

    def hooked(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **keywords: Any) -> Any:
            if kill.stage in ("compact", "clean"):
                cleaning = keywords["cleanup_older_than"] < CLEANING
                if cleaning is not (kill.stage == "clean"):
                    return real(*arguments, **keywords)
            if kill.stage == "delete" and not arguments[1]:
                return real(*arguments, **keywords)  # nothing to be deleted
            is_last = next(calls) == kill.call
            if is_last:
                if kill.when == "before":
                    _die()
                if kill.when == "during":
                    threading.Timer(kill.after_s, _die).start()
            try:
                return real(*arguments, **keywords)
            finally:
                if is_last and kill.when == "after":
                    _die()

        return call

    if kill.stage == "clean":  # or nothing is old enough to be thrown away
        replace_name("indexer.vectors.store", "KEEP_VERSIONS", timedelta(0))
    for module, name in STAGES[kill.stage]:
        owner, last = resolve_name(module, name)
        setattr(owner, last, hooked(getattr(owner, last)))


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(10)


def resolve_name(module: str, name: str) -> tuple[Any, str]:
    """The owner of a name like `Store.add` in a module, and the last part of the name."""
    owner: Any = importlib.import_module(module)
    *way, last = name.split(".")
    for part in way:
        owner = getattr(owner, part)
    assert hasattr(owner, last), f"{module} has no {name} any more; the hook has to follow it"
    return owner, last


def replace_name(module: str, name: str, value: Any) -> None:
    """Sets a name of a module; fails when there is none to set."""
    owner, last = resolve_name(module, name)
    setattr(owner, last, value)


# -- what a person does in the meantime


def edit_folder(folder: Path, chance: random.Random, round_: int) -> None:
    """Adds, changes, saves atomically, renames, swaps, links, deletes; they stay so few
    that a comparison takes a second."""
    for n in range(chance.randrange(2, 7)):
        path = folder / f"f{chance.randrange(6)}" / f"{round_}-{n}.txt"
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"round {round_} file {n}: " + "the boat lay in the river. " * (n + 1))
    colour = (round_ * 25 % 256, round_ % 256, 0)
    Picture.new("RGB", (32, 32), colour).save(path.with_suffix(".png"))
    files = sorted(path for path in folder.rglob("*.*") if path.is_file())
    few = chance.sample([file for file in files if file.suffix != ".eml"], 2)
    path.with_suffix(".eml").write_bytes(bytes(message(f"Round {round_}", "See these.", *few)))
    files = sorted(path for path in folder.rglob("*.*") if path.is_file())
    for path in chance.sample(files, min(len(files), 6)):
        _edit(path, chance, round_)
    files = sorted(path for path in folder.rglob("*.*") if path.is_file())
    for path in chance.sample(files, max(0, len(files) - 16)):
        path.unlink()
    folders = sorted(path for path in folder.iterdir() if path.is_dir())
    chance.choice(folders).rename(folder / f"m{round_}-{chance.randrange(10**6)}")


def _edit(path: Path, chance: random.Random, round_: int) -> None:
    fresh = path.with_name(f"r{round_}-{path.name[-12:]}")
    match chance.randrange(7):
        case 0 if path.suffix == ".txt":
            path.write_bytes(path.read_bytes() + f"Changed in round {round_}.".encode())
        case 1 if path.suffix == ".txt":
            part = path.with_suffix(".part")
            part.write_text(f"Saved anew in round {round_}, {path.name}.")
            part.replace(path)
        case 2:
            path.rename(fresh)
        case 3:
            path.rename(path.with_name(path.name.swapcase()))
        case 4 if not fresh.exists():
            os.link(path, fresh)
        case 5:
            other = chance.choice(sorted(path.parent.iterdir()))
            aside = path.with_name("aside.txt")
            path.rename(aside)
            if other != path:
                other.rename(path)
            aside.rename(other)
        case _:
            path.unlink()


# -- what has to be true afterwards


@dataclass(frozen=True)
class IndexState:
    """What an index says of a folder, without what differs by chance between two of them."""

    rows: list[Any]
    vectors: list[Any]
    files: list[Any]
    states: dict[str, int]
    places: list[Any]


def index_state(library: Small) -> IndexState:
    files = library.catalog.files.page(limit=1_000_000)
    contents = {content for content, *_ in library.rows()}
    items = library.catalog.items.of_contents(contents).values()
    return IndexState(
        library.rows(),
        library.vectors(),
        sorted((os.fsencode(f.path), f.item, f.kind, f.state, f.reason) for f in files),
        library.catalog.counts.states(),
        sorted(
            (item.content, os.fsencode(where.path), where.name, where.container)
            for item in items
            for where in item.locations
        ),
    )


@dataclass(frozen=True, slots=True)
class Verdict:
    """`difference` counts rows, vectors, files and places that only one of the two indexes has,
    `again` what the model was asked once more though it had been kept."""

    unrecovered: int
    duplicates: int
    difference: int
    again: int
    refused: int = 0  # starts that ended in an error

    @property
    def good(self) -> bool:
        return not any((self.unrecovered, self.duplicates, self.difference, self.again)) and (
            not self.refused
        )


def compare_after_restart(folder: Path, data: Path) -> Verdict:
    """Brings the index to rest as a restart does, and compares it with one from scratch."""
    with restarted_library(folder, data) as (library, again):
        return compare_with_fresh(library, again)


@contextmanager
def restarted_library(folder: Path, data: Path) -> Iterator[tuple[Small, int]]:
    """The index at rest after a restart, and how many vectors the model made a second time."""
    with LibraryLock(data), small(folder, data) as library:
        kept = _understood(library)
        library.service.run_once()
        new = {content: n for content, n in _understood(library).items() if content not in kept}
        yield library, max(0, library.model.calls - sum(new.values()))


def _understood(library: Small) -> dict[str, int]:
    """Contents that the model has been through, and how many vectors each has."""
    with library.catalog.database.reading() as db:
        rows = db.execute("SELECT content, vectors FROM contents WHERE state = 'understood'")
        return {row["content"]: row["vectors"] for row in rows}


def compare_with_fresh(library: Small, again: int = 0) -> Verdict:
    """The index of a library at rest against one from scratch over the same folder, which is told
    to forget the same."""
    ours = index_state(library)
    with TemporaryDirectory() as base, small(library.folder, Path(base)) as fresh:
        _forget_the_same(library, fresh)
        fresh.service.run_once()
        scratch = index_state(fresh)
    waiting = library.catalog.counts.waiting()
    unfinished = library.store.generations.all() - library.generations()
    rows = [(content, ordinal) for content, ordinal, *_ in ours.rows]
    duplicates = len(rows) - len(set(rows)) + len(ours.vectors) - len(set(ours.vectors))
    difference = sum(
        len(set(map(repr, mine)) ^ set(map(repr, theirs)))
        for mine, theirs in (
            (ours.rows, scratch.rows),
            (ours.vectors, scratch.vectors),
            (ours.files, scratch.files),
            (ours.states.items(), scratch.states.items()),
            (ours.places, scratch.places),
        )
    )
    return Verdict(waiting + len(unfinished), duplicates, difference, again)


def _forget_the_same(library: Small, fresh: Small) -> None:
    with library.catalog.database.reading() as old, fresh.catalog.database.writing() as new:
        for row in old.execute("SELECT value FROM notes WHERE name = 'key'"):
            new.execute("INSERT INTO notes(name, value) VALUES ('key', ?)", (row["value"],))
        for row in old.execute("SELECT mark FROM forgotten"):
            new.execute("INSERT INTO forgotten(mark) VALUES (?)", (row["mark"],))


def kill_repeatedly(
    base: Path, stages: Iterable[str | None], chance: random.Random
) -> Iterator[tuple[Kill, Verdict | None]]:
    """Edits, a kill at each of these stages, a restart, and the verdict; every fourth restart is
    itself killed before it is done, and the verdict comes after the next. After one kill of three
    the tables are damaged; what the model made of them is then asked for again."""
    folder, data = base / "folder", base / "data"
    folder.mkdir()
    with KillableIndexers() as indexers, pytest.MonkeyPatch.context() as patch:
        module, name, value = MANY_FILES
        patch.setattr(*resolve_name(module, name), value)
        damaged = False
        for round_, stage in enumerate(stages):
            kill = Kill.drawn(chance, stage)
            edit_folder(folder, chance, round_)
            refused = 0
            try:
                for _ in range(MOST_TRIES):
                    if indexers.kill(folder, data, kill):
                        break
                    kill = replace(kill, call=1)  # it did not come to so many
                    edit_folder(folder, chance, round_)
                else:
                    raise AssertionError(f"never reached: {kill}")
            except RefusedError:
                refused = 1
            if chance.random() < 1 / 3 and any((data / "lance").glob("*.lance/data/*")):
                kill = replace(kill, damage=chance.choice(sorted(DAMAGES)))
                assert kill.damage is not None
                DAMAGES[kill.damage](data)
                damaged = True
            verdict = None
            if chance.random() >= 0.25:
                verdict = _verdict(folder, data, damaged)
                damaged = False
            if refused:
                verdict = replace(verdict or Verdict(0, 0, 0, 0), refused=refused)
            yield kill, verdict
        yield Kill(None), _verdict(folder, data, damaged)


def _verdict(folder: Path, data: Path, damaged: bool) -> Verdict:
    try:
        verdict = compare_after_restart(folder, data)
    except Exception:  # a start that is refused is what is counted
        traceback.print_exc()
        return Verdict(1, 0, 0, 0, refused=1)
    return replace(verdict, again=0) if damaged else verdict


if __name__ == "__main__":
    main()
