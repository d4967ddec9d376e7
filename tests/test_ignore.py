"""`.recollectignore`: as git does it, at any depth, and live."""

from __future__ import annotations

from pathlib import Path

from indexer.catalog.catalog import Catalog
from indexer.files.ignore_files import NAME, NO_RULES
from indexer.scan.reconcile import reconcile
from indexer.types.changes import Changes, Hint
from tests.library import as_nobody, write

FILE = NAME.decode()


def paths(catalog: Catalog, lib: Path) -> list[str]:
    return sorted(row.path.relative_to(lib).as_posix() for row in catalog.files.page(limit=1000))


def test_fault_38_patterns_as_git_reads_them(catalog: Catalog, lib: Path) -> None:
    write(
        lib / FILE, "# drafts\n*.draft.txt\n!kept.draft.txt\n/top.txt\nold/\na/**/z.txt\n\\#x.txt\n"
    )
    for name in (
        "one.draft.txt", "kept.draft.txt", "top.txt", "sub/top.txt", "sub/old/a.txt", "old",
        "a/b/c/z.txt", "a/z.txt", "z.txt", "#x.txt", "sub/one.draft.txt",
    ):  # fmt: skip
        write(lib / name)
    reconcile(catalog)
    assert paths(catalog, lib) == ["kept.draft.txt", "old", "sub/top.txt", "z.txt"]


def test_deeper_files_have_the_last_word(catalog: Catalog, lib: Path) -> None:
    write(lib / FILE, "*.txt\nshut/\n")
    write(lib / "sub" / FILE, "!b.txt\n")
    write(lib / "sub" / "deep" / FILE, "b.txt\n")
    write(lib / "shut" / FILE, "!b.txt\n")
    for folder in ("", "sub/", "sub/deep/", "shut/"):
        write(lib / f"{folder}a.txt")
        write(lib / f"{folder}b.txt")
    reconcile(catalog)
    assert paths(catalog, lib) == ["sub/b.txt"]


def test_fault_38_rules_that_change(catalog: Catalog, lib: Path) -> None:
    for n in range(60):
        write(lib / "sub" / f"{n}.txt")
    write(lib / "a.txt")
    assert reconcile(catalog) == Changes(added=61)
    rules = write(lib / FILE, "sub/\n")
    assert reconcile(catalog, [Hint(lib)]) == Changes(gone=60), "not missing: left out"
    rules.unlink()
    assert reconcile(catalog, [Hint(lib)]) == Changes(added=60)
    rules = write(lib / "sub" / FILE, "*\n!7.txt\n")
    assert reconcile(catalog, [Hint(lib / "sub")]) == Changes(gone=59)
    assert paths(catalog, lib) == ["a.txt", "sub/7.txt"]


def test_hints_below_what_is_left_out(catalog: Catalog, lib: Path) -> None:
    write(lib / FILE, "sub/\n*.log\n")
    deep = write(lib / "sub" / "deep" / "a.txt")
    log = write(lib / "other" / "a.log")
    hints = [Hint(deep, deep=False), Hint(deep.parent), Hint(log, deep=False), Hint(log)]
    assert reconcile(catalog, hints) == Changes()


def test_odd_rules(catalog: Catalog, lib: Path) -> None:
    (lib / FILE).write_bytes(b"\xef\xbb\xbfa.txt\r\n!\n/\n\xff*.txt\ntrailing  \n[\n")
    for name in (b"a.txt", b"b.txt", b"\xff1.txt", b"trailing"):
        write(lib / name.decode("utf-8", "surrogateescape"))
    reconcile(catalog)
    assert paths(catalog, lib) == ["b.txt"]


def test_a_link_or_a_folder_of_that_name_leaves_nothing_out(catalog: Catalog, lib: Path) -> None:
    secret = write(lib.parent / "outside", "*\n")
    write(lib / "a.txt")
    (lib / FILE).symlink_to(secret)
    reconcile(catalog)
    assert catalog.counts.coverage()["files"] == 0, "what it would leave out is not known"
    (lib / FILE).unlink()
    assert reconcile(catalog) == Changes(added=1)


def test_rules_that_may_not_be_read_hide_the_folder() -> None:
    with as_nobody() as base:
        write(base / "lib" / "sub" / "a.txt")
        write(base / "lib" / "b.txt")
        catalog = Catalog(base / "data" / "catalog.sqlite")
        catalog.roots.add(base / "lib")
        reconcile(catalog)
        write(base / "lib" / "sub" / FILE, "*\n").chmod(0)
        assert reconcile(catalog) == Changes()
        assert {row.reason for row in catalog.files.failed()} == {"permission"}
        catalog.close()


def test_rules_of_no_folder_leave_nothing_out(lib: Path) -> None:
    assert not NO_RULES.leave_out(b"a.txt")
    assert NO_RULES.within(bytes(lib), b"") is NO_RULES
