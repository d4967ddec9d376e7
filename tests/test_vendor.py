"""The third-party files of the browser are the ones that were pinned, no more and no fewer."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from tests.vendor import (
    AXE,
    BROWSER,
    ICON_NAMES,
    ChangedError,
    VendoredFile,
    check,
    icon_module,
    rewritten,
)


@pytest.mark.parametrize("folder", [BROWSER, AXE], ids=["browser", "axe"])
def test_every_file_is_as_locked_and_none_is_extra(folder: Path) -> None:
    check(folder)


def test_one_changed_byte_is_noticed(tmp_path: Path) -> None:
    shutil.copytree(AXE, tmp_path / "axe")
    changed = tmp_path / "axe" / "axe.min.js"
    changed.write_bytes(changed.read_bytes() + b" ")
    with pytest.raises(ChangedError, match=r"axe\.min\.js is not the file"):
        check(tmp_path / "axe")


def test_an_extra_file_is_noticed(tmp_path: Path) -> None:
    shutil.copytree(AXE, tmp_path / "axe")
    (tmp_path / "axe" / "more.js").write_text("")
    with pytest.raises(ChangedError, match=r"missing or extra: more\.js"):
        check(tmp_path / "axe")


def test_every_bundled_licence_is_named_in_the_notice() -> None:
    notice = (BROWSER / "NOTICE").read_text()
    for licence in BROWSER.glob("*.LICENSE"):
        assert licence.name in notice
    for module in BROWSER.glob("*.js"):
        assert module.name in notice


def test_a_rewrite_has_to_match_exactly_once() -> None:
    taken = VendoredFile("a.mjs", "a.js", (('from"x"', 'from"./x.js"'),))
    assert rewritten('import{a}from"x";\n//# sourceMappingURL=a.map\n', taken) == (
        'import{a}from"./x.js";\n'
    )
    with pytest.raises(ChangedError, match="0 times"):
        rewritten("export{}", taken)


def test_a_vanished_icon_is_named() -> None:
    with pytest.raises(ChangedError, match="no icon called"):
        icon_module('{"x": []}')


def test_no_page_of_ours_draws_an_icon_that_is_not_taken() -> None:
    static = BROWSER.parent
    used = {
        name
        for module in static.rglob("*.js")
        for name in re.findall(r"<\$\{Icon\}\s+name=\"([a-z0-9-]+)\"", module.read_text())
    }
    assert used <= set(ICON_NAMES)
