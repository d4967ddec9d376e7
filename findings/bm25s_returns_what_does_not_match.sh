#!/usr/bin/env bash
# In short: a query whose word no document has returns k documents all the same
# Versions: bm25s 0.3.16
# Expected: a keyword search returns the documents that hold a word of the query, and none for a
#   word that nobody wrote.
# Instead: `retrieve` always fills its k places. Documents without any word of the query come with
#   score 0.0, behind the real hits or alone, in an order that means nothing (here from the last
#   one backwards).
# Seen:
#   banana [('banana bread', 0.48), ('plum cake', 0.0), ('cherry tart', 0.0)]
#   zebra [('plum cake', 0.0), ('cherry tart', 0.0), ('banana bread', 0.0)]
# Source: `BM25.retrieve` selects the k largest scores of the whole array; seen by running this.
# Matters: fused with a vector search by rank (RRF), where scores are not looked at, these
#   documents gain as if they had matched. Every caller has to drop the zeros first.

set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check \
    'bm25s==0.3.16' 'numpy==2.4.6'
venv/bin/python - <<'PYTHON'
import bm25s

texts = ["apple pie", "banana bread", "cherry tart", "plum cake"]
index = bm25s.BM25()
index.index(bm25s.tokenize(texts, show_progress=False), show_progress=False)
found = {}
for query in ("banana", "zebra"):
    words = bm25s.tokenize(query, show_progress=False)
    documents, scores = index.retrieve(words, k=3, show_progress=False)
    found[query] = [float(score) for score in scores[0]]
    print(query, [(texts[number], round(float(s), 2)) for number, s in zip(documents[0], scores[0])])
if found["zebra"] != [0, 0, 0] or found["banana"][1:] != [0, 0]:
    raise SystemExit("changed: documents that do not match")
PYTHON
