#!/usr/bin/env bash
# In short: on a page with /Rotate 90 the boxes of words and search hits lie beside the words of
#   its picture
# Versions: PyMuPDF 2.0
# Expected: `page.rect`, `get_pixmap()`, `get_text("words")` and `search_for()` use one coordinate
#   system, so a box can be drawn on the picture.
# Instead: `rect` and the pixmap are turned (200 x 300), boxes are not: they lie on the page as it
#   was before turning (300 x 200). They must be multiplied by `page.rotation_matrix`. On the
#   other pages the matrix is the identity, so nothing is noticed.
# Seen:
#   the picture: 200 x 300
#   box of the word: IRect(220, 34, 252, 55) of the hit: IRect(220, 34, 252, 55)
#   darkest pixel of the picture in the box: None
#   box times rotation_matrix: IRect(145, 220, 166, 252) darkest pixel: 0
# Source: PyMuPDF's documentation of `Page.rotation_matrix` and the FAQ on rotated pages; seen by
#   running this.
# Matters: scanners turn pages by /Rotate all the time. The mark of a search hit stands elsewhere,
#   or outside of the page, on exactly these.

set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check \
    'pymupdf==2.0'
venv/bin/python - <<'PYTHON'
import pymupdf

document = pymupdf.open()
page = document.new_page(width=300, height=200)
page.insert_text((220, 50), "Hello", fontsize=14)
page.set_rotation(90)
page = pymupdf.open("pdf", document.tobytes())[0]

pixmap = page.get_pixmap(dpi=72, colorspace=pymupdf.csGRAY)


def darkest(box):
    """The darkest of the picture's pixels in a box; 255 is white paper."""
    box = pymupdf.IRect(box) & pixmap.irect
    return min((pixmap.pixel(x, y)[0] for x in range(box.x0, box.x1) for y in range(box.y0, box.y1)),
               default=None)


word = pymupdf.Rect(page.get_text("words")[0][:4])
(hit,) = page.search_for("Hello")
print("the picture:", pixmap.width, "x", pixmap.height)
print("box of the word:", word.irect, "of the hit:", hit.irect)
print("darkest pixel of the picture in the box:", darkest(word))
turned = word * page.rotation_matrix
print("box times rotation_matrix:", turned.irect, "darkest pixel:", darkest(turned))
if word.irect != hit.irect or darkest(word) not in (None, 255) or darkest(turned) > 100:
    raise SystemExit("changed: boxes on a turned page")
PYTHON
