#!/usr/bin/env bash
# In short: a PDF that says what its glyphs stand for (ActualText) is believed by two libraries
#   and ignored by two
# Versions: pypdf 7.1.1 and pdfplumber 0.11.10 (pdfminer.six 20260107); pypdfium2 5.15.2 and
#   PyMuPDF 2.0 as the other readers
# Expected: ActualText is the standard's own means to give the words where glyphs do not:
#   ligatures, initials drawn as pictures, Indic scripts, words broken by a hyphen. Every
#   extractor honours it.
# Instead: PDFium and MuPDF give the replacement. pypdf and pdfplumber give the glyphs' codes,
#   here "q7", and no sign that there was something better.
# Seen:
#   {'MuPDF': 'Offset', 'PDFium': 'Offset', 'pypdf': 'q7', 'pdfplumber': 'q7'}
# Source: ISO 32000-1, 14.9.4 (replacement text); seen by running this.
# Matters: files from TeX, InDesign and LibreOffice carry ActualText exactly where the glyphs
#   mislead, so the index holds garbage for the words that were marked with care.

set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check \
    'pypdf==7.1.1' 'pypdfium2==5.15.2' 'pdfplumber==0.11.10' 'pdfminer.six==20260107' 'pymupdf==2.0'
venv/bin/python - <<'PYTHON'
import io

import pdfplumber
import pymupdf
import pypdf
import pypdfium2

document = pymupdf.open()
page = document.new_page()
page.insert_text((50, 50), "q7")
(content,) = page.get_contents()
stream = document.xref_stream(content)
stream = stream.replace(b"BT", b"/Span <</ActualText (Offset)>> BDC BT").replace(b"ET", b"ET EMC")
document.update_stream(content, stream)
data = document.tobytes()

texts = {
    "MuPDF": pymupdf.open("pdf", data)[0].get_text(),
    "PDFium": pypdfium2.PdfDocument(data)[0].get_textpage().get_text_range(),
    "pypdf": pypdf.PdfReader(io.BytesIO(data)).pages[0].extract_text(),
    "pdfplumber": pdfplumber.open(io.BytesIO(data)).pages[0].extract_text(),
}
texts = {library: text.strip() for library, text in texts.items()}
print(texts)
if texts != {"MuPDF": "Offset", "PDFium": "Offset", "pypdf": "q7", "pdfplumber": "q7"}:
    raise SystemExit("changed: ActualText")
PYTHON
