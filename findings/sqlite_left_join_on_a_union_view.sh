#!/usr/bin/env bash
# In short: JOIN asks a UNION ALL view by its indexes; LEFT JOIN first writes the whole view down
# Versions: SQLite 3.54.1 (apsw 3.54.1.0)
# Expected: the two joins differ in rows without a partner. If one looks each partner up by index,
#   so does the other.
# Instead: an inner join is flattened: the view's halves become two queries that search by index.
#   The right side of a LEFT JOIN is not flattened when it is a compound, so it is materialized:
#   every row of the view is written to a temporary table, for one row that was asked for.
# Seen:
#   JOIN: rows [(5, 5)], under 20 ms, reads all: []
#   LEFT JOIN: rows [(5, 5)], over 20 ms, reads all: ['MATERIALIZE place', 'SCAN file']
# Source: sqlite.org/optoverview.html, section "Subquery flattening" (rules for compound
#   subqueries); the plans are seen by running this.
# Matters: a view "all ways to a document" (files, and attachments within files) looks free in the
#   plan of the first query and costs half a second in the next, written a little differently.

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

database = apsw.Connection(":memory:")
database.execute("""
    CREATE TABLE file(id INTEGER PRIMARY KEY, content INT);
    CREATE INDEX file_content ON file(content);
    CREATE TABLE attachment(holder INT, content INT);
    CREATE INDEX attachment_content ON attachment(content);
    CREATE VIEW place AS
        SELECT id, content FROM file
        UNION ALL
        SELECT file.id, attachment.content FROM attachment
            JOIN file ON file.content = attachment.holder;
    CREATE TABLE hit(content INT);
    INSERT INTO hit VALUES (5)""")
with database:
    numbers = [(number, number) for number in range(200_000)]
    database.executemany("INSERT INTO file VALUES (?, ?)", numbers)
    database.executemany("INSERT INTO attachment VALUES (?, ? + 1000000)", numbers)

scans = {}
for join in ("JOIN", "LEFT JOIN"):
    query = f"SELECT hit.content, place.id FROM hit {join} place ON place.content = hit.content"
    plan = [row[3] for row in database.execute(f"EXPLAIN QUERY PLAN {query}")]
    scans[join] = [step for step in plan if "MATERIALIZE" in step or "SCAN file" in step]
    start = time.perf_counter()
    rows = list(database.execute(query))
    slow = (time.perf_counter() - start) > 0.02
    print(f"{join}: rows {rows}, {'over' if slow else 'under'} 20 ms, reads all: {scans[join]}")
if scans["JOIN"] or len(scans["LEFT JOIN"]) != 2:
    raise SystemExit("changed: plans over a UNION ALL view")
PYTHON
