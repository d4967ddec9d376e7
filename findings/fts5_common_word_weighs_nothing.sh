#!/usr/bin/env bash
# In short: a word that more than half of the rows have weighs a millionth, next to nothing beside
#   any other word
# Versions: SQLite 3.54.1 (apsw 3.54.1.0)
# Expected: BM25 gives a common word little weight, falling smoothly; a row that has the query's
#   word five times scores visibly above one that has it once, as with Lucene's formula, which
#   never falls to zero.
# Instead: FTS5 computes the inverse document frequency by the old formula log((N - n + 0.5) / (n
#   + 0.5)), which is negative from half of the rows on, and replaces what is not positive by
#   0.000001. A word in 5 of 11 rows has a normal weight, in 6 of 11 none. Added to the score of
#   any other word it changes nothing.
# Seen:
#   'budget' in 4 of 11 rows: five times 0.8691937, once 0.5170468
#   'budget' in 5 of 11 rows: five times 0.2842504, once 0.1690886
#   'budget' in 6 of 11 rows: five times 0.0000017, once 0.0000010
#   'budget' in 7 of 11 rows: five times 0.0000017, once 0.0000010
# Source: `fts5Bm25GetData` in ext/fts5/fts5_aux.c; the documentation gives the formula without
#   the floor.
# Matters: a small folder in which most files are about one thing is the everyday case of a
#   personal library. Scores near zero also break any rule of the kind "at least a tenth of the
#   best".

set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check \
    'apsw==3.54.1.0'
venv/bin/python - <<'PYTHON'
import apsw


def best_scores(rows_with_the_word, rows=11):
    database = apsw.Connection(":memory:")
    database.execute("CREATE VIRTUAL TABLE passages USING fts5(text)")
    for number in range(rows):
        word = "budget" if number < rows_with_the_word else "other"
        text = f"{word} " * (5 if number == 0 else 1) + "and more words to a line" * 2
        database.execute("INSERT INTO passages VALUES (?)", (text,))
    question = "SELECT -bm25(passages) FROM passages WHERE passages MATCH 'budget' ORDER BY 1 DESC"
    scores = [score for (score,) in database.execute(question)]
    return scores[0], scores[-1]


for count in (4, 5, 6, 7):
    best, worst = best_scores(count)
    print(f"'budget' in {count} of 11 rows: five times {best:.7f}, once {worst:.7f}")
if not (best_scores(5)[0] > 0.1 and 0 < best_scores(6)[0] < 0.00001):
    raise SystemExit("changed: the weight of a common word")
PYTHON
