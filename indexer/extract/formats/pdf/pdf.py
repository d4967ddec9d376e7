"""PDF: the words of every page in their order in the file, and the pages that are pictures.

MuPDF only reads text and draws pages here: scripts are not run, links not followed. Files within a
PDF are read as its members, each by its own format.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Collection, Iterator
from dataclasses import replace
from typing import Any

from indexer.extract.formats.members import ExtractMember, MemberReader
from indexer.extract.formats.pdf.attachments import (
    PINNED,
    attachment_bytes,
    find_pinned,
    page_annotations,
    pinned_file,
    read_attachments,
)
from indexer.extract.formats.pdf.hyphens import complete_last_word
from indexer.extract.formats.pdf.layers import HiddenLayers
from indexer.extract.formats.pdf.metadata import (
    described_by,
    made_at_s,
    read_metadata,
    read_outline,
)
from indexer.extract.formats.pdf.opening import broken, is_cut_off, open_pdf
from indexer.extract.formats.pdf.pdf_text import read_line_blocks, text_of
from indexer.extract.formats.pdf.running_lines import RunningLines
from indexer.extract.limits import MAX_CHARS, MAX_PAGES
from indexer.extract.pages.blocks import DocumentMetadata, lines_not_in
from indexer.extract.pages.rasters import make_thumb
from indexer.types.attachments import File, MemoryFile
from indexer.types.notes import Note, NoteCode
from indexer.types.pieces import (
    Extracted,
    Facts,
    MediaPart,
    PageText,
    title_from_name,
)
from indexer.types.places import Page
from indexer.types.text.characters import clean

# A page with fewer characters than the first is looked at as a picture; one with fewer than the
# second is where an image covers this share of it.
PICTURE_CHARS, STAMPED_CHARS = 20, 200
LARGE_SHARE = 0.5
# More drawn shapes than this are a picture; fewer are lines and frames.
MAX_FRAME_SHAPES = 12


def extract(
    path: File, extract_member: ExtractMember, leave_out: Collection[int] | None = ()
) -> Iterator[Extracted]:
    """One PageText for each page with words, a MediaPart for each that is a picture; then the files
    within it except those with the numbers in `leave_out` (None: all), each read by
    `extract_member`. Pages that cannot be read are counted in a note. Raises UnreadableError when
    none can be read."""
    metadata = DocumentMetadata()
    with open_pdf(path) as document:
        reader = _PageReader(document)
        # a page is held back until the next one is read, where its last word may go on
        held: PageText | None = None
        for number in range(1, reader.count + 1):
            pieces = reader.read(number)
            for piece in pieces:
                if isinstance(piece, PageText):
                    if held is not None:
                        yield _completed(held, piece)
                    held = piece
                else:
                    yield piece
            if reader.is_full:
                break
        if held is not None:
            yield held
        if reader.first is None or (not reader.used and is_cut_off(path)):
            raise broken(path)
        members = MemberReader(metadata, leave_out, extract_member)
        for attachment in read_attachments(document, reader.pinned):
            yield from members.read(attachment)
        picture, colour = make_thumb(reader.first)
        metadata.notes.extend(reader.notes)
        yield Facts(
            reader.own_title or _large_line(reader.first) or title_from_name(path),
            pages=document.page_count,
            made_at=made_at_s(reader.metadata),
            colour=colour,
            notes=metadata.notes.all(),
        )
        yield picture


def _completed(page: PageText, following: PageText) -> PageText:
    text = complete_last_word(page.text, following.text)
    return page if text is page.text else replace(page, text=text)


class _PageReader:
    """Reads the pages of a pymupdf document: `count` is how many of them, `first` the first that
    can be read, `used` how many have words or are pictures, `pinned` what annotations say
    of files."""

    def __init__(self, document: Any) -> None:
        self._document = document
        self.count = min(document.page_count, MAX_PAGES)
        self.first: Any = None
        self.used = self._chars = self._readable = 0
        self.pinned: list[Any] = []
        self.metadata = read_metadata(document)
        self.own_title = _own_title(self.metadata.get("title", ""))
        self._hidden = HiddenLayers(document)
        self._running = RunningLines(document, self.count)
        self._outline = read_outline(document)
        self._described = described_by(self.metadata, self.own_title)

    @property
    def is_full(self) -> bool:
        """Whether no more words are read; the pages behind are left out then."""
        return self._chars > MAX_CHARS

    def read(self, number: int) -> list[PageText | MediaPart]:
        """The words of a page, from 1, and whether it is to be looked at."""
        try:
            page = self._document[number - 1]
            # raises where the page is cut off and only looks blank
            self._document.xref_get_keys(page.xref)
            blocks = self._running.blocks(page)
            own = self._running.leave_out(number, blocks)
            whole = text_of(blocks)
            text = whole if own is blocks else text_of(own)
            is_picture = len(whole) < STAMPED_CHARS and _is_picture(page, len(whole))
            if _is_meaningless(whole):
                text, is_picture = "", True
            more = [self._hidden.words(page, blocks), *self._comments(page)]
            text = "\n\n".join(filter(None, (text, *more)))
            standing = "\n\n".join(filter(None, (whole, *more)))
        except MemoryError:
            raise
        except Exception:  # MuPDF raises many kinds; the page is counted in the note
            return []
        self._readable += 1
        besides = self._outline.get(number, [])
        if self.first is None:
            self.first = page
            besides = [*self._described, *besides]
        if missing := lines_not_in(standing, besides):
            text = "\n\n".join(filter(None, (text, "\n".join(missing))))
        self._chars += len(text)
        self.used += bool(whole) or is_picture
        if self.is_full:
            self.count = number
        place = Page(number)
        pieces: list[PageText | MediaPart] = [PageText(text, place)] if text else []
        return [*pieces, MediaPart(place)] if is_picture else pieces

    def _comments(self, page: Any) -> list[str]:
        """What readers wrote beside the page: notes, and comments on what they marked."""
        contents: list[str] = []
        for annotation in page_annotations(page):
            kind = annotation.type[1]
            if kind == PINNED:
                self.pinned.append(pinned_file(annotation))
            if kind != _TYPED_ON_PAGE:
                contents.append(" ".join(clean(annotation.info["content"] or "").split()))
        return list(dict.fromkeys(filter(None, contents)))

    @property
    def notes(self) -> Iterator[Note]:
        """What of the pages was left out."""
        pages = self._document.page_count
        if self.count < pages:
            sentence = f"Only the first {self.count:,} of {pages:,} pages were read."
            yield Note(NoteCode.PAGES_LEFT_OUT, sentence)
        if self._readable < self.count:
            missing = self.count - self._readable
            sentence = f"{missing:,} of {pages:,} pages are damaged and could not be read."
            yield Note(NoteCode.PAGES_DAMAGED, sentence)
        if (note := self._hidden.note) is not None:
            yield note


def files_at(path: File, at: int | None) -> Iterator[MemoryFile]:
    """The file within a PDF that the object with this number holds, or all. Raises
    UnreadableError."""
    with open_pdf(path) as document:
        if at is not None:
            yield MemoryFile("", attachment_bytes(document, at))
            return
        for attachment in read_attachments(document, find_pinned(document)):
            yield attachment.load()


def _is_picture(page: Any, chars: int) -> bool:
    """Whether the content of the page is drawn: on one with hardly a word, any image or more than a
    few shapes; on one with a line or two (a stamp, a scanner's footer), a large image."""
    shapes = 0
    area = max(1.0, page.rect.width * page.rect.height)
    for operation, (x0, y0, x1, y1), *_ in page.get_bboxlog():
        is_large = (x1 - x0) * (y1 - y0) > LARGE_SHARE * area
        if operation in ("fill-image", "fill-imgmask") and (chars < PICTURE_CHARS or is_large):
            return True
        shapes += operation in ("fill-path", "stroke-path", "fill-shade")
    return chars < PICTURE_CHARS and shapes > MAX_FRAME_SHAPES


_WITHOUT_MEANING = re.compile("[\ufffd\ue000-\uf8ff\U000f0000-\U0010ffff]")


def _is_meaningless(text: str) -> bool:
    """Whether most of the letters are glyphs of which the file does not say what they mean."""
    if text.isascii():
        return False
    return len(_WITHOUT_MEANING.findall(text)) * 2 > len("".join(text.split())) > 0


# Drawn on the page, and so among its words.
_TYPED_ON_PAGE = "FreeText"

_EMPTY_TITLE = re.compile(r"(untitled|unknown|title|document|doc|slide|page|pdf|scan)?\W*\d*", re.I)
_PROGRAM_NAME = re.compile(r"^(microsoft (word|powerpoint|excel)|print(ing)?) *[-:] *", re.I)
_SUFFIX = re.compile(r"\.(docx?|pptx?|xlsx?|odt|rtf|tex|dvi|indd|qxd|pdf|txt|html?|ps)$", re.I)


def _own_title(written: str) -> str:
    """The title in the metadata; empty where it is a placeholder."""
    title = _PROGRAM_NAME.sub("", written)
    is_sane = not _EMPTY_TITLE.fullmatch(title) and not _SUFFIX.search(title) and len(title) >= 4
    return title[:200] if is_sane else ""


def _large_line(page: Any) -> str | None:
    """The line in the largest type on the upper half of a page, if it is larger than most."""
    lines: list[tuple[float, float, str]] = []
    for line in itertools.chain(*read_line_blocks(page, clipped=False)):
        text = re.sub(r"\s+", " ", clean(line.text)).strip()
        if text:
            lines.append((round(line.size_pt, 1), line.y0, text))
    if not lines:
        return None
    usual = sorted(size for size, _, _ in lines)[(len(lines) - 1) // 2]
    for size, top, text in sorted(lines, key=lambda line: (-line[0], line[1])):
        if size < usual * 1.15:
            return None
        letters = sum(char.isalpha() for char in text)
        if letters >= 4 and len(text) <= 150 and top < page.rect.height / 2:
            return text
    return None
