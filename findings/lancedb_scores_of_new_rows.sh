#!/usr/bin/env bash
# In short: of two equal texts the one that is not yet in the full-text index scores 70 times as
#   high
# Versions: lancedb 0.40.0
# Expected: rows added after the full-text index was made are found and ranked with the others;
#   the same text has the same BM25 score.
# Instead: indexed rows are scored with the statistics of the index (here a word that every
#   indexed text has, so it weighs next to nothing), new ones with those of all rows. The equal
#   texts are ranked far apart, until the index is brought up to date.
# Seen:
#   'apple pie' indexed (0) and added later (100): {100: 2.335, 0: 0.024}
#   after optimize(): {100: 2.335, 0: 2.335}
# Source: seen by running this; that unindexed rows are searched without the index is in LanceDB's
#   page on reindexing.
# Matters: the score of a hit means something only beside hits that were scored the same way. What
#   was saved last stands first or last for no reason that a person could see.

set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check \
    'lancedb==0.40.0'
venv/bin/python - <<'PYTHON'
import lancedb
from lancedb.index import FTS

table = lancedb.connect("library").create_table(
    "passages", [{"id": number, "text": "apple pie"} for number in range(20)]
)
table.create_index("text", config=FTS())
table.add([{"id": 100, "text": "apple pie"}])
table.add([{"id": 200 + number, "text": "pear plum"} for number in range(200)])


def scores():
    rows = table.search("apple", query_type="fts").limit(30).to_list()
    return {row["id"]: round(row["_score"], 3) for row in rows if row["id"] in (0, 100)}


before = scores()
print("'apple pie' indexed (0) and added later (100):", before)
table.optimize()
after = scores()
print("after optimize():", after)
if not (before[100] > 20 * before[0] and after[0] == after[100]):
    raise SystemExit("changed: the scores of rows that are not indexed yet")
PYTHON
