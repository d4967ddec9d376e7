#!/usr/bin/env bash
# In short: words inserted with "track changes", in a form field or in a text box are not in a
#   paragraph's text
# Versions: python-docx 1.2.0
# Expected: `paragraph.text` is the text that Word shows for the paragraph.
# Instead: only runs and hyperlinks that are children of the paragraph count. Tracked insertions
#   (w:ins), content controls (w:sdt), fields (w:fldSimple) and the text of boxes are children of
#   other elements and left out; a content control around a whole paragraph hides it from
#   `document.paragraphs` as well.
# Seen:
#   in the file:    The rent is 1,200 euros, paid by Bob Miller on the third.
#   paragraph.text: The rent is euros, paid by on the
# Source: `CT_P.inner_content_elements` in docx/oxml/text/paragraph.py selects `./w:r |
#   ./w:hyperlink`; seen by running this.
# Matters: contracts under revision and filled-in forms are what people search for, and the words
#   that were filled in are the ones that are missing.

set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check \
    'python-docx==1.2.0'
venv/bin/python - <<'PYTHON'
import io

import docx
from docx.oxml import parse_xml

W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
document = docx.Document()
paragraph = document.add_paragraph("The rent is ")
for xml in (
    f'<w:ins {W} w:id="1" w:author="Ann"><w:r><w:t>1,200 </w:t></w:r></w:ins>',
    f'<w:r {W}><w:t>euros, paid by </w:t></w:r>',
    f'<w:sdt {W}><w:sdtContent><w:r><w:t>Bob Miller </w:t></w:r></w:sdtContent></w:sdt>',
    f'<w:r {W}><w:t>on the </w:t></w:r>',
    f'<w:fldSimple {W} w:instr="REF day"><w:r><w:t>third.</w:t></w:r></w:fldSimple>',
):
    paragraph._p.append(parse_xml(xml))
file = io.BytesIO()
document.save(file)

(read,) = docx.Document(file).paragraphs
everything = "".join(read._p.xpath(".//w:t/text()"))
print("in the file:   ", everything)
print("paragraph.text:", read.text)
if read.text != "The rent is euros, paid by on the ":
    raise SystemExit("changed: what a paragraph's text leaves out")
PYTHON
