#!/usr/bin/env bash
# In short: paragraphs that were deleted with "track changes" are read as part of the document
# Versions: odfpy 1.4.1
# Expected: `getElementsByType(P)`, the way every example reads a document, yields the paragraphs
#   that are shown.
# Instead: OpenDocument keeps deleted text in `text:tracked-changes` at the head of the body, as
#   paragraphs like any other. They come first, before the title. Insertions are only marked, so
#   they are read as well: the text is that of no version of the document.
# Seen:
#   The price is 900 euros.
#   Offer
#   The price is 1,200 euros.
# Source: OpenDocument 1.3, part 3, section 5.5.1 (text:tracked-changes); seen by running this.
# Matters: a price that was struck out of an offer is found and quoted as if it stood there. The
#   opposite of python-docx, which loses insertions.

set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check \
    'odfpy==1.4.1'
venv/bin/python - <<'PYTHON'
import io
import zipfile

from odf import teletype, text
from odf.opendocument import load

NAMES = "urn:oasis:names:tc:opendocument:xmlns"
MANIFEST = f"""<manifest:manifest xmlns:manifest="{NAMES}:manifest:1.0" manifest:version="1.3">
<manifest:file-entry manifest:full-path="/"
  manifest:media-type="application/vnd.oasis.opendocument.text"/>
<manifest:file-entry manifest:full-path="content.xml" manifest:media-type="text/xml"/>
</manifest:manifest>"""
CONTENT = f"""<office:document-content xmlns:office="{NAMES}:office:1.0"
  xmlns:text="{NAMES}:text:1.0" xmlns:dc="http://purl.org/dc/elements/1.1/" office:version="1.3">
<office:body><office:text>
<text:tracked-changes><text:changed-region text:id="c1"><text:deletion>
<office:change-info><dc:creator>Ann</dc:creator><dc:date>2025-01-01T10:00:00</dc:date>
</office:change-info><text:p>The price is 900 euros.</text:p>
</text:deletion></text:changed-region></text:tracked-changes>
<text:p>Offer</text:p><text:change text:change-id="c1"/><text:p>The price is 1,200 euros.</text:p>
</office:text></office:body></office:document-content>"""
file = io.BytesIO()
with zipfile.ZipFile(file, "w") as package:
    package.writestr("mimetype", "application/vnd.oasis.opendocument.text")
    package.writestr("META-INF/manifest.xml", MANIFEST)
    package.writestr("content.xml", CONTENT)
file.seek(0)
read = [teletype.extractText(paragraph) for paragraph in load(file).getElementsByType(text.P)]
for paragraph in read:
    print(paragraph)
if read != ["The price is 900 euros.", "Offer", "The price is 1,200 euros."]:
    raise SystemExit("changed: deleted paragraphs")
PYTHON
