#!/usr/bin/env bash
# In short: page.annots() gives none of the annotations that fpdf2 writes, first_annot gives them all
# Versions: PyMuPDF 2.0, fpdf2 2.8.9
# Expected: page.annots() is every annotation of a page, as first_annot and next walk them. A PDF may
#   write an annotation into the array of its page; it need not be an object with a number.
# Instead: annots() goes by those numbers. Annotations without one are left out, and nothing is said.
# Seen:
#   annots(): []
#   first_annot and next: ['a note', 'a remark']
# Source: the source of Page.annots and annot_xrefs; ISO 32000-2, 12.5.2; seen by running this
# Matters: comments and attached files of every PDF by fpdf2 are lost to whoever reads annots().

set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check \
    'pymupdf==2.0' 'fpdf2==2.8.9'
venv/bin/python - <<'PYTHON'
import fpdf
import pymupdf

made = fpdf.FPDF()
made.add_page()
made.set_font("helvetica", size=12)
made.text_annotation(50, 50, "a note")
with made.highlight("a remark"):
    made.cell(text="marked")
page = pymupdf.open("pdf", bytes(made.output()))[0]
listed = [annotation.info["content"] for annotation in page.annots()]
walked, annotation = [], page.first_annot
while annotation:
    walked.append(annotation.info["content"])
    annotation = annotation.next
print("annots():", listed)
print("first_annot and next:", walked)
if listed or walked != ["a note", "a remark"]:
    raise SystemExit("changed: annotations within the page")
PYTHON
