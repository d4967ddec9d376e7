#!/usr/bin/env bash
# In short: the words of a text box come out twice, and by one of two libraries before the page's
#   first word
# Versions: docx2txt 0.9 and docx2python 3.7.1; mammoth 1.13.0 as the other reader
# Expected: a text box that Word shows once is in the text once.
# Instead: since Word 2010 a box is stored as `mc:AlternateContent`: a Choice for new programs and
#   a Fallback with the same words for old ones. A reader must take one of them. docx2txt and
#   docx2python take both. mammoth takes one.
# Seen:
#   mammoth: Dear guests, / Mind the step
#   docx2txt: Dear guests, / Mind the step / Mind the step
#   docx2python: Mind the step / Mind the step / Dear guests,
# Source: ECMA-376, part 3, section 9.3 (AlternateContent); seen by running this.
# Matters: doubled words weigh double in full-text scores, and a sentence that is quoted back
#   stands there twice.

set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check \
    'docx2txt==0.9' 'docx2python==3.7.1' 'mammoth==1.13.0' 'python-docx==1.2.0'
venv/bin/python - <<'PYTHON'
import docx
import docx2txt
import mammoth
from docx.oxml import parse_xml
from docx2python import docx2python

OPEN = "http://schemas.openxmlformats.org"
OFFICE = "http://schemas.microsoft.com/office/word/2010/wordprocessingShape"
BOX = "<w:txbxContent><w:p><w:r><w:t>Mind the step</w:t></w:r></w:p></w:txbxContent>"
XML = f"""<w:r xmlns:w="{OPEN}/wordprocessingml/2006/main" xmlns:wps="{OFFICE}"
    xmlns:mc="{OPEN}/markup-compatibility/2006" xmlns:v="urn:schemas-microsoft-com:vml"
    xmlns:wp="{OPEN}/drawingml/2006/wordprocessingDrawing" xmlns:a="{OPEN}/drawingml/2006/main">
  <mc:AlternateContent>
    <mc:Choice Requires="wps"><w:drawing><wp:inline><a:graphic><a:graphicData uri="{OFFICE}">
      <wps:wsp><wps:txbx>{BOX}</wps:txbx></wps:wsp>
    </a:graphicData></a:graphic></wp:inline></w:drawing></mc:Choice>
    <mc:Fallback><w:pict><v:shape><v:textbox>{BOX}</v:textbox></v:shape></w:pict></mc:Fallback>
  </mc:AlternateContent></w:r>"""
document = docx.Document()
document.add_paragraph("Dear guests,")._p.append(parse_xml(XML))
document.save("notice.docx")

with open("notice.docx", "rb") as file:
    texts = {"mammoth": mammoth.extract_raw_text(file).value}
texts["docx2txt"] = docx2txt.process("notice.docx")
texts["docx2python"] = docx2python("notice.docx").text
for library, text in texts.items():
    print(f"{library}: {' / '.join(text.split(chr(10) * 2)).strip(' /')}")
counts = {library: text.count("Mind the step") for library, text in texts.items()}
if counts != {"mammoth": 1, "docx2txt": 2, "docx2python": 2}:
    raise SystemExit(f"changed: {counts}")
PYTHON
