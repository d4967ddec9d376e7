#!/usr/bin/env bash
# In short: a deleted row's text still lies in the data file after optimize() has removed every
#   old version
# Versions: lancedb 0.40.0
# Expected: `delete` hides a row and keeps it for older versions; `optimize(cleanup_older_than=0,
#   delete_unverified=True)` compacts and drops these versions, and with them the row's bytes.
# Instead: compaction rewrites a data file only where more than a tenth of its rows are deleted.
#   One row of a thousand is marked as deleted in a file beside it, and its text stays on the disk
#   in the clear, however often the table is optimized.
# Seen:
#   rows: 999 versions: 1
#   files that hold the deleted sentence: ['.lance']
#   after an update of all other rows: []
# Source: the option `materialize_deletions_threshold` (0.1) of lance's `compact_files`; seen by
#   running this.
# Matters: a person who asks a program to forget a letter expects that the letter is no longer on
#   the disk. Rewriting the other rows of that file (an update of them) takes it out.

set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check \
    'lancedb==0.40.0'
venv/bin/python - <<'PYTHON'
import datetime
import pathlib
import warnings

import lancedb

warnings.simplefilter("ignore")  # it warns that readers of older versions will fail
rows = [{"id": number, "text": f"letter {number}"} for number in range(1000)]
rows[7]["text"] = "a very private sentence"
table = lancedb.connect("library").create_table("passages", rows)


def files_with_the_sentence():
    files = [path for path in pathlib.Path("library").rglob("*") if path.is_file()]
    return [path.suffix for path in files if b"very private" in path.read_bytes()]


def tidy():
    table.optimize(cleanup_older_than=datetime.timedelta(0), delete_unverified=True)


table.delete("id = 7")
for _ in range(3):
    tidy()
kept = files_with_the_sentence()
print("rows:", table.count_rows(), "versions:", len(table.list_versions()))
print("files that hold the deleted sentence:", kept)
table.update(values_sql={"text": "text"})
tidy()
print("after an update of all other rows:", files_with_the_sentence())
if kept != [".lance"] or files_with_the_sentence():
    raise SystemExit("changed: where a deleted row stays")
PYTHON
