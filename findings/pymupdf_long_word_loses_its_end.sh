#!/usr/bin/env bash
# In short: of a word that is wider than the page, in a text or web page, the end is not in the text
# Versions: PyMuPDF 2.0
# Expected: pages that MuPDF lays out itself (TXT, HTML, EPUB) hold the whole text: a word that does
#   not fit is broken, or it runs off the page and is returned where the text is not clipped to it.
# Instead: what lies beyond the page's edge is dropped while the page is laid out. It is in the
#   text with no flags, with TEXT_MEDIABOX_CLIP switched off neither, and no warning tells of it.
# Seen:
#   txt: 1 page, the end of the word is in its text: False, without clipping: False
#   html: 1 page, the end of the word is in its text: False, without clipping: False
#   warnings: none
# Source: seen by running this
# Matters: tokens, keys, hashes, addresses with a long query: what people look for by its exact
#   letters is cut off without a word.

set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check \
    'pymupdf==2.0'
venv/bin/python - <<'PYTHON'
import pymupdf

WORD = "k" + "9f3a" * 40 + "END"
UNCLIPPED = pymupdf.TEXTFLAGS_TEXT & ~pymupdf.TEXT_MEDIABOX_CLIP

seen = []
for kind, text in (("txt", f"See {WORD} there."), ("html", f"<p>See {WORD} there.</p>")):
    with pymupdf.open(stream=text.encode(), filetype=kind) as document:
        pages = list(document)
        inside = any("END" in page.get_text() for page in pages)
        anywhere = any("END" in page.get_text(flags=UNCLIPPED) for page in pages)
        print(
            f"{kind}: {len(pages)} page, the end of the word is in its text: {inside}, "
            f"without clipping: {anywhere}"
        )
        seen += [inside, anywhere]
warnings = pymupdf.TOOLS.mupdf_warnings()
print("warnings:", warnings or "none")
if any(seen) or warnings:
    raise SystemExit("changed: a word that is wider than the page")
PYTHON
