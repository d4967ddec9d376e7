#!/usr/bin/env bash
# In short: a Word document with another one inserted whole (altChunk) cannot be opened at all
# Versions: python-docx 1.2.0
# Expected: a part that is inserted into a document is an opaque file to a library that does not
#   read such parts, and the document around it opens.
# Instead: the inserted file, a zip archive, has the same content type as a document's main part,
#   so it is parsed as XML when the package is opened, and `Document()` raises XMLSyntaxError.
# Seen:
#   without: 1 paragraph
#   with: XMLSyntaxError
# Source: docx/opc/part.py, PartFactory: the class of a part depends on its content type alone;
#   ECMA-376 part 1, 11.3.1 (Alternative Format Import Part) allows that type.
# Matters: programs that put letters together with the Open XML SDK insert documents so, and each
#   such letter looks damaged. A program that indexes files has to load these parts itself.

set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check 'python-docx==1.2.0' 'lxml==6.0.2'
venv/bin/python - <<'PYTHON'
import io

from docx import Document
from docx.opc.constants import CONTENT_TYPE, RELATIONSHIP_TYPE
from docx.opc.packuri import PackURI
from docx.opc.part import Part
from docx.oxml import parse_xml

W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
R = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def saved(document):
    stream = io.BytesIO()
    document.save(stream)
    return stream


inner = Document()
inner.add_paragraph("inner words")
outer = Document()
outer.add_paragraph("outer words")
print("without:", len(Document(saved(outer)).paragraphs), "paragraph")
part = Part(
    PackURI("/word/inner.docx"), CONTENT_TYPE.WML_DOCUMENT_MAIN, saved(inner).getvalue(),
    outer.part.package,
)
relation = outer.part.relate_to(part, RELATIONSHIP_TYPE.A_F_CHUNK)
chunk = f'<w:altChunk xmlns:w="{W}" xmlns:r="{R}" r:id="{relation}"/>'
outer.element.body.insert(0, parse_xml(chunk))
try:
    Document(saved(outer))
except Exception as problem:
    print("with:", type(problem).__name__)
else:
    raise SystemExit("changed: the document opens")
PYTHON
