"""A person, an editor and a drive at work on a folder, in any order: at rest the index equals one
built from scratch, nothing is in it twice, and nothing is shown that is not there."""

from __future__ import annotations

import os
import random
import shutil
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)
from PIL import Image as Picture

from indexer.catalog.forget_list import ForgetList
from indexer.files.lock import LibraryLock
from tests.documents import message
from tests.kills import STAGES, Kill, KillableIndexers, compare_with_fresh
from tests.library import Small, small

NAMES = st.sampled_from(
    ["a.txt", "b.txt", "A.txt", "c.md", "é.txt", "notes/e.txt", "notes/deep/f.txt", "old/g.txt"]
)
TEXTS = st.sampled_from(
    [f"The {what} lay in the {where}." for what in ("boat", "money") for where in ("river", "sun")]
)
MAILS = st.sampled_from(["m.eml", "notes/n.eml"])
PATTERNS = st.sampled_from(["*.md", "notes/", "/a.txt", "*.txt\n!b.txt", ""])


class FolderMachine(RuleBasedStateMachine):
    """Every rule is something that happens to a folder or to the program that watches it."""

    comparisons: ClassVar[int] = 0  # how often an index was held against one from scratch

    @initialize()
    def begin(self) -> None:
        self.held = ExitStack()
        self.base = Path(self.held.enter_context(TemporaryDirectory()))
        self.folder, self.away = self.base / "folder", self.base / "away"
        self.program = ExitStack()
        self.library = self.started()

    def started(self) -> Small:
        self.program.enter_context(LibraryLock(self.base / "data"))
        return self.program.enter_context(small(self.folder, self.base / "data"))

    @property
    def mounted(self) -> bool:
        return not self.away.exists()

    def file(self, name: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    # -- what a person and an editor do

    @precondition(lambda self: self.mounted)
    @rule(name=NAMES, text=TEXTS)
    def create(self, name: str, text: str) -> None:
        self.file(name).write_text(text)

    @precondition(lambda self: self.mounted)
    @rule(red=st.integers(0, 3))
    def draw(self, red: int) -> None:
        Picture.new("RGB", (16, 16), (60 * red, 0, 0)).save(self.file(f"p{red % 2}.png"))

    @precondition(lambda self: self.mounted)
    @rule(
        name=MAILS, text=TEXTS, attached=st.lists(st.one_of(NAMES, st.just("p0.png")), max_size=3)
    )
    def mail(self, name: str, text: str, attached: list[str]) -> None:
        """Something is sent along: what lies in the folder too, or did until then."""
        files = [path for file_name in attached if (path := self.folder / file_name).is_file()]
        self.file(name).write_bytes(bytes(message("The keys", text, *files)))

    @precondition(lambda self: self.mounted)
    @rule(name=NAMES)
    def append(self, name: str) -> None:
        with self.file(name).open("a") as file:
            file.write(" The garden is green.")

    @precondition(lambda self: self.mounted)
    @rule(name=NAMES, text=TEXTS)
    def save_atomically(self, name: str, text: str) -> None:
        part = self.file(name).with_suffix(".tmp")
        part.write_text(text)
        part.replace(self.file(name))

    @precondition(lambda self: self.mounted)
    @rule(name=NAMES)
    def change_without_a_trace(self, name: str) -> None:
        """Other bytes, of the same number and with the same time of change."""
        if (path := self.folder / name).is_file():
            before = path.stat()
            path.write_bytes(path.read_bytes().swapcase())
            os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))

    @precondition(lambda self: self.mounted)
    @rule(name=NAMES, to=NAMES)
    def rename(self, name: str, to: str) -> None:
        if (self.folder / name).exists():
            (self.folder / name).replace(self.file(to))

    @precondition(lambda self: self.mounted)
    @rule(name=NAMES, to=NAMES)
    def swap(self, name: str, to: str) -> None:
        first, second, aside = self.folder / name, self.folder / to, self.folder / "aside.txt"
        if first.is_file() and second.is_file() and first != second:
            first.rename(aside)
            second.rename(first)
            aside.rename(second)

    @precondition(lambda self: self.mounted)
    @rule(name=NAMES)
    def change_case(self, name: str) -> None:
        if (path := self.folder / name).is_file():
            path.rename(path.with_name(path.name.swapcase()))

    @precondition(lambda self: self.mounted)
    @rule(name=NAMES, to=NAMES, hard=st.booleans())
    def link(self, name: str, to: str, hard: bool) -> None:
        path, other = self.folder / name, self.file(to)
        if path.is_file() and not other.is_symlink() and not other.exists():
            if hard:
                other.hardlink_to(path)
            else:
                other.symlink_to(path)

    @precondition(lambda self: self.mounted)
    @rule(name=NAMES, mode=st.sampled_from([0o400, 0o644, 0o755]))
    def change_mode(self, name: str, mode: int) -> None:
        if (path := self.folder / name).is_file() and not path.is_symlink():
            path.chmod(mode)

    @precondition(lambda self: self.mounted)
    @rule(name=st.one_of(NAMES, MAILS))
    def delete(self, name: str) -> None:
        (self.folder / name).unlink(missing_ok=True)

    @precondition(lambda self: self.mounted)
    @rule(below_root=st.booleans())
    def move_folder(self, below_root: bool) -> None:
        above, below = self.folder / "notes", self.folder / "old" / "notes"
        source, target = (above, below) if below_root else (below, above)
        if source.is_dir() and not target.exists():
            target.parent.mkdir(exist_ok=True)
            source.rename(target)

    @precondition(lambda self: self.mounted)
    @rule(patterns=PATTERNS)
    def ignore(self, patterns: str) -> None:
        (self.folder / ".recollectignore").write_text(patterns)

    @precondition(lambda self: self.mounted)
    @rule(name=st.one_of(NAMES, MAILS))
    def forget(self, name: str) -> None:
        ForgetList(self.library.catalog.database).add_path(self.folder / name)
        assert self.folder / name not in self.library.shown()

    # -- what happens to the drive and to the program

    @precondition(lambda self: self.mounted and any(self.folder.iterdir()))
    @rule()
    def unplug(self) -> None:
        self.library.service.run_once()
        known = self.library.shown()
        self.folder.rename(self.away)
        self.library.service.run_once()
        assert self.library.shown() == set()
        assert len(self.library.catalog.files.page(limit=1000)) >= len(known), "they are remembered"

    @precondition(lambda self: not self.mounted)
    @rule()
    def plug_in(self) -> None:
        if self.folder.exists():
            self.folder.rmdir()  # the bare mount point
        self.away.rename(self.folder)
        calls = self.library.model.calls
        self.library.service.run_once()
        assert self.library.model.calls == calls, "what was known is not asked again"

    @rule()
    def restart(self) -> None:
        self.program.close()
        self.library = self.started()

    @rule(words=st.sampled_from(["boat", "garden", "money river"]))
    def search(self, words: str) -> None:
        paths = self.library.found(words)
        assert len(paths) == len(set(paths))

    @precondition(lambda self: self.mounted)
    @rule()
    def rest(self) -> None:
        self.library.service.run_once()
        assert compare_with_fresh(self.library).good, compare_with_fresh(self.library)
        FolderMachine.comparisons += 1
        assert all(path.is_file() and not path.is_symlink() for path in self.library.shown())

    def teardown(self) -> None:
        if hasattr(self, "held"):
            try:
                if not self.mounted:
                    self.plug_in()
                self.rest()
            finally:
                self.program.close()
                self.held.close()


class MortalMachine(FolderMachine):
    """The same, and the program is killed at any moment of its work."""

    @initialize()
    def begin(self) -> None:
        super().begin()
        self.indexers = self.held.enter_context(KillableIndexers())

    @precondition(lambda self: self.mounted)
    @rule(stage=st.sampled_from([None, *STAGES]), seed=st.integers(0, 1 << 16))
    def kill(self, stage: str | None, seed: int) -> None:
        self.program.close()
        chance = random.Random(seed)
        self.indexers.kill(self.folder, self.base / "data", Kill.drawn(chance, stage))
        self.library = self.started()

    @precondition(lambda self: self.mounted)
    @rule()
    def lose_the_index(self) -> None:
        """Only what can be made again is lost; the catalog stays."""
        self.program.close()
        shutil.rmtree(self.base / "data" / "lance")
        self.library = self.started()


QUIET = settings(
    deadline=None, suppress_health_check=list(HealthCheck), print_blob=True, database=None
)


def test_at_rest_the_index_equals_one_from_scratch() -> None:
    before = FolderMachine.comparisons
    run_state_machine_as_test(
        FolderMachine,
        settings=settings(QUIET, max_examples=3, stateful_step_count=10, derandomize=True),
    )
    assert FolderMachine.comparisons >= before + 3


@pytest.mark.slow
def test_at_rest_the_index_equals_one_from_scratch_whatever_is_killed() -> None:
    before = FolderMachine.comparisons
    run_state_machine_as_test(
        MortalMachine, settings=settings(QUIET, max_examples=15, stateful_step_count=25)
    )
    assert FolderMachine.comparisons >= before + 15
