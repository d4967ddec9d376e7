#!/usr/bin/env bash
# In short: "office" is not found on a page on which PyMuPDF itself has written "office"
# Versions: PyMuPDF 2.0
# Expected: page.search_for finds what stands on the page. The documentation says that it extracts
#   with TEXTFLAGS_SEARCH, in which TEXT_PRESERVE_LIGATURES is not set, so that the one letter "ffi"
#   of a font counts as the three that were typed.
# Instead: the default of search_for has TEXT_PRESERVE_LIGATURES set. insert_htmlbox (and Story)
#   write with the ligatures of the built-in font, and each word with ff, fi or fl is then missed.
#   With flags=TEXTFLAGS_SEARCH it is found.
# Seen:
#   search_for with its default: {'office': 0, 'five': 0, 'waffle': 0, 'and': 1}
#   with flags=TEXTFLAGS_SEARCH: {'office': 1, 'five': 1, 'waffle': 1, 'and': 1}
# Source: pymupdf.readthedocs.io, "Text Extraction Flags Defaults" and Page.search_for; the default
#   in the source of search_for; seen by running this
# Matters: whoever highlights a search term on a page misses it in every well-set book, though the
#   search that led there has found it.

set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check \
    'pymupdf==2.0'
venv/bin/python - <<'PYTHON'
import pymupdf

WORDS = ("office", "five", "waffle", "and")

document = pymupdf.open()
page = document.new_page()
page.insert_htmlbox((72, 72, 500, 300), "<p>five waffle irons and an office</p>")
plain = {word: len(page.search_for(word)) for word in WORDS}
flagged = {word: len(page.search_for(word, flags=pymupdf.TEXTFLAGS_SEARCH)) for word in WORDS}
print("search_for with its default:", plain)
print("with flags=TEXTFLAGS_SEARCH:", flagged)
if list(plain.values()) != [0, 0, 0, 1] or list(flagged.values()) != [1, 1, 1, 1]:
    raise SystemExit("changed: search_for and ligatures")
PYTHON
