#!/usr/bin/env bash
# In short: "R&D" in WebVTT subtitles is read as "R&amp;D" by both common readers
# Versions: webvtt-py 0.6.0 and pysubs2 1.8.1
# Expected: `caption.text`, which drops tags and voices, gives the words that are shown. In WebVTT
#   an ampersand and "<" must be written as entities, so a reader resolves them.
# Instead: tags go and entities stay: &amp;, &lt; and &nbsp; are in the text. pysubs2 turns <i>
#   into its own code and leaves the entities as they are.
# Seen:
#   webvtt: Our R&amp;D budget is &lt; 5&nbsp;%
#   pysubs2: Our R&amp;D budget is &lt; 5&nbsp;%
# Source: W3C WebVTT, section 6.4 (cue text tokenizer: HTML character reference states); seen by
#   running this.
# Matters: a search for "R&D" or "AT&T" finds nothing in subtitles, and "amp" becomes a common
#   word.

set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check \
    'webvtt-py==0.6.0' 'pysubs2==1.8.1'
venv/bin/python - <<'PYTHON'
import pysubs2
import webvtt

FILE = """WEBVTT

00:01.000 --> 00:03.000
<v Ann>Our <i>R&amp;D</i> budget is &lt; 5&nbsp;%
"""
texts = {
    "webvtt": webvtt.from_string(FILE)[0].text,
    "pysubs2": pysubs2.SSAFile.from_string(FILE, format_="vtt")[0].plaintext,
}
for library, text in texts.items():
    print(f"{library}: {text}")
if not all("R&amp;D" in text and "&lt; 5&nbsp;" in text for text in texts.values()):
    raise SystemExit("changed: entities in WebVTT")
PYTHON
