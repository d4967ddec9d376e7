#!/usr/bin/env bash
# In short: one damaged manifest of an old version stops every optimize of a table that reads and writes well
# Versions: lancedb 0.40.0
# Expected: an old version that cannot be read is skipped, or dropped with a warning: it is what
#   optimize was asked to drop, and nothing but time travel needs it.
# Instead: optimize raises, also where it is to keep every version, though the newest version opens,
#   counts, searches and takes new rows. It raises for as long as the file is there.
# Seen:
#   rows: 3 after one more was added: 4
#   optimize: RuntimeError lance error: Encountered corrupt file
#   optimize, nothing to be dropped: RuntimeError lance error: Encountered corrupt file
#   optimize without that manifest: done, rows: 4
# Source: seen by running this. The manifest of the first version is cut in half here, on purpose.
# Matters: old versions are never cleaned up again, and the data directory grows until the disk is full. A
#   program has to find the file by a checksum of its own and move it away.

set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check 'lancedb==0.40.0' 'numpy==2.4.6'
venv/bin/python -W ignore - <<'PYTHON'
import pathlib
from datetime import timedelta

import lancedb

table = lancedb.connect("library").create_table("passages", [{"id": 0}])
for number in (1, 2):
    table.add([{"id": number}])
oldest = max(pathlib.Path("library/passages.lance/_versions").glob("*.manifest"))  # counts down
oldest.write_bytes(oldest.read_bytes()[: oldest.stat().st_size // 2])

table = lancedb.connect("library").open_table("passages")
rows = table.count_rows()
table.add([{"id": 3}])
print("rows:", rows, "after one more was added:", table.count_rows())


def optimized(keep: timedelta) -> str:
    try:
        table.optimize(cleanup_older_than=keep)
    except Exception as problem:
        return f"{type(problem).__name__} {str(problem)[:38]}"
    return f"done, rows: {table.count_rows()}"


first, second = optimized(timedelta(0)), optimized(timedelta(days=36_500))
print("optimize:", first)
print("optimize, nothing to be dropped:", second)
oldest.unlink()
third = optimized(timedelta(0))
print("optimize without that manifest:", third)
if rows != 3 or "Error" not in first or "Error" not in second or third != "done, rows: 4":
    raise SystemExit("changed: a damaged manifest of an old version")
PYTHON
