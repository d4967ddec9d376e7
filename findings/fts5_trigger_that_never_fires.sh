#!/usr/bin/env bash
# In short: a trigger that may write to a full-text table, and never does, has the table's new rows
#   written one by one
# Versions: SQLite 3.54.1 (apsw 3.54.1.0)
# Expected: a trigger whose WHEN is false costs the test of its WHEN. New words of a transaction
#   are collected in memory and written as one sorted segment at its end.
# Instead: each statement that has such a trigger opens a savepoint in the full-text table when it
#   begins, whether the trigger fires or not, and FTS5 writes out what it has collected for each
#   savepoint. Where such statements alternate with new rows, every row becomes a segment of its
#   own, and all are merged again and again within the transaction, which takes 2 to 20 times as
#   long.
# Seen:
#   without the trigger: 1 segment
#   with a trigger that never fires: 17 segments, more than twice as slow: True
# Source: seen by running this; fts5SavepointMethod in ext/fts5/fts5_main.c
# Matters: the usual way to keep a full-text index level with its table is triggers. A condition
#   in the trigger does not make it cheap: rows have to be noted in a plain table and indexed
#   at the end of the transaction.

set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check \
    'apsw==3.54.1.0'
venv/bin/python - <<'PYTHON'
import time

import apsw

TRIGGER = """CREATE TRIGGER gone AFTER UPDATE ON files WHEN new.state = 'gone' BEGIN
    DELETE FROM words WHERE rowid = old.id; END"""


def measured(trigger):
    """The segments of the index after one transaction, and the seconds it took."""
    database = apsw.Connection(":memory:")

    def run(statement, *values):
        return list(database.execute(statement, values))

    run("CREATE TABLE files(id INTEGER PRIMARY KEY, state TEXT)")
    run("INSERT INTO files VALUES (1, 'new')")
    run("CREATE VIRTUAL TABLE words USING fts5(text)")
    if trigger:
        run(TRIGGER)
    began = time.process_time()
    run("BEGIN")
    for n in range(3_000):
        text = f"alpha{n % 997} beta{n % 13} gamma{n % 101}"
        run("INSERT INTO words(rowid, text) VALUES (?, ?)", n + 10, text)
        run("UPDATE files SET state = ? WHERE id = 1", f"read {n}")
    run("COMMIT")
    took_s = time.process_time() - began
    return run("SELECT count(DISTINCT segid) FROM words_idx")[0][0], took_s


plain, plain_s = min((measured(False) for _ in range(5)), key=lambda row: row[1])
triggered, triggered_s = min((measured(True) for _ in range(5)), key=lambda row: row[1])
is_slow = triggered_s > 2 * plain_s
print(f"without the trigger: {plain} segment")
print(
    f"with a trigger that never fires: {triggered} segments, more than twice as slow: {is_slow}"
)
if (plain, triggered > 10, is_slow) != (1, True, True):
    raise SystemExit("changed: a trigger on a full-text table that never fires")
PYTHON
