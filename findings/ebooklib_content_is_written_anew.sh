#!/usr/bin/env bash
# In short: the content of a chapter is not what is in the book: title, body id and language are
#   others
# Versions: EbookLib 0.20
# Expected: after `read_epub`, `item.get_content()` returns the bytes of the file in the archive,
#   as it does for pictures and styles.
# Instead: for chapters it builds a new page around the children of the body: the title and styles
#   in the head are gone, the body's id and class too, and `lang` is that of the whole book, here
#   "en" for a German chapter. A prefix nobody declared is added. The bytes of the file are in
#   `item.content`.
# Seen:
#   <title>Erstes Kapitel in the file: True, in get_content(): False
#   id="start" in the file: True, in get_content(): False
#   lang="de" in the file: True, in get_content(): False
#   Es war einmal. in the file: True, in get_content(): True
#   lang="en" in the file: False in get_content(): True
# Source: `EpubHtml.get_content` in ebooklib/epub.py; seen by running this.
# Matters: links to the body's id lead nowhere, a chapter's name is lost, and its words are
#   stemmed in the wrong language.

set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check \
    'ebooklib==0.20'
venv/bin/python - <<'PYTHON'
import warnings
import zipfile

from ebooklib import epub

warnings.simplefilter("ignore")  # it warns of its own use of lxml
XHTML = 'xmlns="http://www.w3.org/1999/xhtml"'
CHAPTER = f"""<html {XHTML} lang="de"><head><title>Erstes Kapitel</title></head>
<body id="start"><p>Es war einmal.</p></body></html>"""
NAV = f"""<html {XHTML} xmlns:epub="http://www.idpf.org/2007/ops"><head><title>x</title></head><body>
<nav epub:type="toc"><ol><li><a href="one.xhtml#start">Eins</a></li></ol></nav></body></html>"""
PACKAGE = """<package xmlns="http://www.idpf.org/2007/opf" version="3.0" unique-identifier="i">
<metadata xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:identifier id="i">x</dc:identifier>
<dc:title>Tales</dc:title><dc:language>en</dc:language>
<meta property="dcterms:modified">2025-01-01T00:00:00Z</meta></metadata>
<manifest><item id="a" href="one.xhtml" media-type="application/xhtml+xml"/>
<item id="n" href="nav.xhtml" media-type="application/xhtml+xml" properties="nav"/></manifest>
<spine><itemref idref="a"/></spine></package>"""
CONTAINER = """<container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container">
<rootfiles><rootfile full-path="book.opf" media-type="application/oebps-package+xml"/></rootfiles>
</container>"""
with zipfile.ZipFile("book.epub", "w") as book:
    book.writestr("mimetype", "application/epub+zip")
    book.writestr("META-INF/container.xml", CONTAINER)
    book.writestr("book.opf", PACKAGE)
    book.writestr("one.xhtml", CHAPTER)
    book.writestr("nav.xhtml", NAV)

item = epub.read_epub("book.epub").get_item_with_href("one.xhtml")
content = item.get_content().decode()
signs = []
for sign in ("<title>Erstes Kapitel", 'id="start"', 'lang="de"', "Es war einmal."):
    signs.append(sign in content)
    print(f"{sign} in the file: {sign in CHAPTER}, in get_content(): {sign in content}")
print('lang="en" in the file:', 'lang="en"' in CHAPTER, "in get_content():", 'lang="en"' in content)
if signs != [False, False, False, True] or item.content.decode() != CHAPTER:
    raise SystemExit("changed: the content of a chapter")
PYTHON
