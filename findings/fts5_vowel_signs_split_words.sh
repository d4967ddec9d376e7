#!/usr/bin/env bash
# In short: Hindi and Tamil words are cut at their vowel signs, so "tomorrow" finds "art"
# Versions: SQLite 3.54.1 (apsw 3.54.1.0)
# Expected: the tokenizer `unicode61` follows Unicode; a word of letters and vowel signs is one
#   token, in every alphabet with spaces between words.
# Instead: letters, numbers and private use (categories L*, N*, Co) make tokens, and the dependent
#   vowel signs of Indic scripts are marks (Mc, Mn), so they separate. A word falls into bare
#   consonants, and the vowels are lost. Adding M* to the categories mends it.
# Seen:
#   art: कला becomes 1 token(s): कल
#   Hindi: हिन्दी becomes 3 token(s): ह | न | द
#   Tamil: தமிழ் becomes 2 token(s): தம | ழ
#   Málaga: málaga becomes 1 token(s): malaga
#   kal (tomorrow) finds: ['art']
#   with the marks as parts of words: [1, 1, 1, 1] and []
# Source: sqlite.org/fts5.html, section "Unicode61 Tokenizer" (the option `categories`); what it
#   does to words is seen by running this.
# Matters: a search in these languages finds other words that share consonants. Python's `\w` cuts
#   in the same places, so a highlighter built on it agrees with the wrong hit.

set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check \
    'apsw==3.54.1.0'
venv/bin/python - <<'PYTHON'
import apsw

WORDS = {"कला": "art", "हिन्दी": "Hindi", "தமிழ்": "Tamil", "málaga": "Málaga"}


def tokens_and_hits(tokenizer):
    database = apsw.Connection(":memory:")
    database.execute(f"CREATE VIRTUAL TABLE passages USING fts5(text, tokenize=\"{tokenizer}\")")
    database.execute("CREATE VIRTUAL TABLE words USING fts5vocab(passages, 'instance')")
    for word in WORDS:
        database.execute("INSERT INTO passages VALUES (?)", (word,))
    rows = database.execute("SELECT doc, term FROM words ORDER BY doc, offset")
    tokens = {}
    for document, term in rows:
        tokens.setdefault(document, []).append(term)
    # kal (tomorrow) is the two bare consonants of kala (art)
    hits = [text for (text,) in database.execute("SELECT * FROM passages WHERE text MATCH 'कल'")]
    return list(tokens.values()), hits


plain, hits = tokens_and_hits("unicode61")
for (word, meaning), tokens in zip(WORDS.items(), plain):
    print(f"{meaning}: {word} becomes {len(tokens)} token(s): {' | '.join(tokens)}")
print("kal (tomorrow) finds:", [WORDS[text] for text in hits])
marked, no_hits = tokens_and_hits("unicode61 categories 'L* N* M* Co'")
print("with the marks as parts of words:", [len(tokens) for tokens in marked], "and", no_hits)
if [len(tokens) for tokens in plain] != [1, 3, 2, 1] or hits != ["कला"] or no_hits:
    raise SystemExit("changed: tokens of unicode61")
PYTHON
