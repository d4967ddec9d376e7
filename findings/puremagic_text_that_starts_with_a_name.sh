#!/usr/bin/env bash
# In short: a text that begins with "BMW", "ID3" or "MZ" is a picture, a song or a program
# Versions: puremagic 1.30
# Expected: a detector by content looks at more than two letters before it calls a sentence a
#   Windows bitmap; where the rest is plain text it says so, or that it does not know.
# Instead: the signatures of old formats are short and printable, and the first that matches wins.
#   `from_string` returns the extension without its confidence (0.2 here), so the guess looks like
#   a result. Other texts raise `PureError`, as one expects.
# Seen:
#   .bmp: BMW 320d, first registered in 2012
#   .exe: MZ motorcycles came from Zschopau.
#   .mp3: ID3 tags: what they hold
#   .otf: OTTO, my uncle, was born in 1931.
#   .pgm: P5 is the last place on the list.
#   unknown: Audi A4, first registered in 2012
# Source: seen by running this; the confidence is in `magic_string`.
# Matters: notes and lists begin with names and model numbers. A program that trusts the answer
#   gives them to a picture decoder, and their words are not indexed.

set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check \
    'puremagic==1.30'
venv/bin/python - <<'PYTHON'
import puremagic

TEXTS = [
    "BMW 320d, first registered in 2012", "MZ motorcycles came from Zschopau.",
    "ID3 tags: what they hold", "OTTO, my uncle, was born in 1931.",
    "P5 is the last place on the list.", "Audi A4, first registered in 2012",
]
guesses = []
for text in TEXTS:
    try:
        guess = puremagic.from_string(text.encode() + b"\n")
    except puremagic.PureError:
        guess = "unknown"
    guesses.append(guess)
    print(f"{guess}: {text}")
if guesses != [".bmp", ".exe", ".mp3", ".otf", ".pgm", "unknown"]:
    raise SystemExit(f"changed: {guesses}")
PYTHON
