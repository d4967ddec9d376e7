#!/usr/bin/env bash
# In short: words of a deleted row stay in the database file, with secure_delete on and after
#   VACUUM
# Versions: SQLite 3.54.1 (apsw 3.54.1.0)
# Expected: `PRAGMA secure_delete = ON` overwrites what is deleted with zeros, and VACUUM writes
#   the file anew without it.
# Instead: a full-text table (FTS5) does not remove a deleted row's words from its index: it
#   appends a note that they are gone. The words are live content for the pragma and for VACUUM,
#   and stay until segments are merged. FTS5 has an option of its own for this, also called
#   secure-delete, which must be set in each table.
# Seen:
#   rows with the word: 0
#   in the file after DELETE and VACUUM: True
#   after merging the index: False
#   with FTS5's own secure-delete, after DELETE: False
# Source: sqlite.org/fts5.html, section "The 'secure-delete' Configuration Option"; seen by
#   running this.
# Matters: a private library must be able to forget. The pragma everybody knows says yes and
#   leaves the words in clear text on the disk.

set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check \
    'apsw==3.54.1.0'
venv/bin/python - <<'PYTHON'
import pathlib

import apsw

database = apsw.Connection("library.db")
file = pathlib.Path("library.db")


def run(statement):
    return list(database.execute(statement))


def word_is_in_the_file():
    return b"xyzzy" in file.read_bytes()


run("PRAGMA secure_delete = ON")
run("CREATE VIRTUAL TABLE passages USING fts5(text)")
for number in range(50):
    run(f"INSERT INTO passages VALUES ('common words {number}')")
run("INSERT INTO passages VALUES ('a secret xyzzy')")
run("DELETE FROM passages WHERE text MATCH 'xyzzy'")
run("VACUUM")
print("rows with the word:", run("SELECT count(*) FROM passages WHERE text MATCH 'xyzzy'")[0][0])
stays = word_is_in_the_file()
print("in the file after DELETE and VACUUM:", stays)
run("INSERT INTO passages(passages) VALUES ('optimize')")
merged = word_is_in_the_file()
print("after merging the index:", merged)
run("INSERT INTO passages(passages, rank) VALUES ('secure-delete', 1)")
run("INSERT INTO passages VALUES ('another xyzzy')")
run("DELETE FROM passages WHERE text MATCH 'xyzzy'")
own = word_is_in_the_file()
print("with FTS5's own secure-delete, after DELETE:", own)
if (stays, merged, own) != (True, False, False):
    raise SystemExit("changed: deleted words in an FTS5 table")
PYTHON
