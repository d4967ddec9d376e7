#!/usr/bin/env bash
# In short: Arabic and Hindi that PyMuPDF itself wrote to a PDF are read back by it as other
#   letters
# Versions: PyMuPDF 2.0
# Expected: the library writes HTML to a PDF page with fonts of its own and reads the page;
#   Hebrew, Thai and Japanese come back as they were, so do the others.
# Instead: Arabic comes back in presentation forms, some of them letters of other alphabets (Latin
#   Ǆ for lam), and Hindi as Latin letters and stray vowels. The page looks right: shaping picks
#   glyphs that stand for no one letter, and the map from glyphs to letters in the file
#   (ToUnicode) names whatever has that number.
# Seen:
#   Hebrew: wrote שלום עולם, read שלום עולם
#   Thai: wrote สวัสดีชาวโลก, read สวัสดีชาวโลก
#   Japanese: wrote 日本語のテキスト, read 日本語のテキスト
#   Arabic: wrote مرحبا بالعالم, read ﻣﺮﺣﺒﺎ ﺑﺎǄﻌﺎǄﻢ
#   Hindi: wrote नमस्ते दुनिया, read नमĚते Ȟ नə या
# Source: seen by running this; NFKC normalization mends the presentation forms and not the rest.
# Matters: test documents made this way prove nothing about reading these languages, and real ones
#   from such writers are searchable by picture only.

set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check \
    'pymupdf==2.0'
venv/bin/python - <<'PYTHON'
import io
import unicodedata

import pymupdf

TEXTS = {
    "Hebrew": "שלום עולם", "Thai": "สวัสดีชาวโลก", "Japanese": "日本語のテキスト",
    "Arabic": "مرحبا بالعالم", "Hindi": "नमस्ते दुनिया",
}
kept = []
for language, text in TEXTS.items():
    file = io.BytesIO()
    writer = pymupdf.DocumentWriter(file)
    page = pymupdf.paper_rect("a5")
    story = pymupdf.Story(f"<p>{text}</p>")
    device = writer.begin_page(page)
    story.place(page + (36, 36, -36, -36))
    story.draw(device)
    writer.end_page()
    writer.close()
    read = pymupdf.open("pdf", file.getvalue())[0].get_text().strip()
    mended = unicodedata.normalize("NFKC", read)
    if mended == text:
        kept.append(language)
    print(f"{language}: wrote {text}, read {read}")
if kept != ["Hebrew", "Thai", "Japanese"]:
    raise SystemExit(f"changed: read back as written are {kept}")
PYTHON
