"""`docs/faults.md` tells of proofs that are there."""

from __future__ import annotations

import re
from pathlib import Path

HERE = Path(__file__).parent


def test_every_proof_that_the_faults_name_is_there() -> None:
    table = (HERE.parent / "docs" / "faults.md").read_text(encoding="utf-8")
    rows = [row for row in table.splitlines() if re.match(r"\| \d+ \|", row)]
    numbers = [int(row.split("|")[1]) for row in rows]
    assert numbers == list(range(1, 99))
    named = 0
    for row in rows:
        file = None
        for word in re.findall(r"\btest_\w+\.py|::test_\w+\*?", row):
            if word.startswith("test_"):
                file = HERE / word
                assert file.is_file(), row
                continue
            assert file is not None, row
            name = word[2:]
            sought = rf"\bdef {name[:-1]}" if name.endswith("*") else rf"\bdef {name}\("
            assert re.search(sought, file.read_text(encoding="utf-8")), f"{word} in {file.name}"
            named += 1
    assert named > 100
