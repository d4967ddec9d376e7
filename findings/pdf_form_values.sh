#!/usr/bin/env bash
# In short: what a person typed into a PDF form is in MuPDF's text and not in that of pypdf,
#   PDFium and pdfplumber
# Versions: pypdf 7.1.1, pypdfium2 5.15.2, pdfplumber 0.11.10; PyMuPDF 2.0 writes the file and is
#   the fourth reader
# Expected: extracted text is the text that a viewer shows and a printer prints.
# Instead: a field's value is drawn by an annotation of its own (a widget's appearance), not by
#   the page's content. MuPDF runs both; the others read the content only, PDFium even after
#   `init_forms()`. The form's labels are there and all answers are missing.
# Seen:
#   MuPDF: Name of the tenant: / Ann Miller
#   pypdf: Name of the tenant:
#   PDFium: Name of the tenant:
#   pdfplumber: Name of the tenant:
# Source: ISO 32000-1, 12.5.5 (appearance streams) and 12.7.3.3 (variable text); seen by running
#   this.
# Matters: a filled-in form is found by the words that all its copies share, and not by the name
#   that is in it alone.

set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check \
    'pypdf==7.1.1' 'pypdfium2==5.15.2' 'pdfplumber==0.11.10' 'pymupdf==2.0'
venv/bin/python - <<'PYTHON'
import io

import pdfplumber
import pymupdf
import pypdf
import pypdfium2

document = pymupdf.open()
page = document.new_page()
page.insert_text((50, 40), "Name of the tenant:")
field = pymupdf.Widget()
field.field_name, field.field_type = "name", pymupdf.PDF_WIDGET_TYPE_TEXT
field.rect, field.field_value = pymupdf.Rect(50, 50, 300, 70), "Ann Miller"
page.add_widget(field)
data = document.tobytes()

texts = {"MuPDF": pymupdf.open("pdf", data)[0].get_text()}
texts["pypdf"] = pypdf.PdfReader(io.BytesIO(data)).pages[0].extract_text()
pdf = pypdfium2.PdfDocument(data)
pdf.init_forms()
texts["PDFium"] = pdf[0].get_textpage().get_text_range()
texts["pdfplumber"] = pdfplumber.open(io.BytesIO(data)).pages[0].extract_text()
for library, text in texts.items():
    print(f"{library}: {' / '.join(text.split(chr(10))).strip(' /')}")
having = [library for library, text in texts.items() if "Miller" in text]
if having != ["MuPDF"] or not all("tenant" in text for text in texts.values()):
    raise SystemExit(f"changed: the value is read by {having}")
PYTHON
