"""`python -m docs.formats` writes docs/formats.md: for each format what is read, what is looked at,
and what is told as not read. With `--check` it writes nothing, and ends with 1 where it would.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Sequence
from functools import cache

from docs.imports import Graph, graph, reachable, sources
from docs.tree import ROOT, sentence
from indexer.files.excludes import describe_files, describe_folders
from indexer.types.formats import SUFFIXES, Format
from indexer.types.notes import NoteCode
from indexer.types.unread_formats import UNREAD_FORMATS

PAGE = ROOT / "docs" / "formats.md"
EXTRACT = ROOT / "indexer" / "extract"
HEAD = """# Formats

Made by `python -m docs.formats` from the tables and docstrings of the source; not typed.
`make check` fails where it is not current.

The format of a file is told by its first bytes; its name decides only where they fit several. What
is read is found by its words within seconds. What is looked at is shown to the model, and found
when it has been. What is not read has a note, which `recollect status FILE`, the page of the file
and `--json` show; `recollect status --partial` and the page of the library list all such files.
"""
UNTOLD = """No note tells of foreign bytes inside a WebM, a Matroska file or a WMA, nor of bytes put
in between those of an AVI: FFmpeg passes over them to the next packet and gives no sign, so a
stretch may be silent.
"""
# The module that reads a format; what it imports belongs to it.
MODULES: dict[Format, str] = {
    "text": "formats/texts/text.py",
    "pdf": "formats/pdf/pdf.py",
    "docx": "formats/office/word.py",
    "pptx": "formats/office/slides.py",
    "xlsx": "formats/office/sheets.py",
    "odf": "formats/office/opendocument.py",
    "html": "formats/texts/web.py",
    "epub": "formats/texts/book.py",
    "mail": "formats/mail/mail.py",
    "mbox": "formats/mail/mail.py",
    "legacy": "formats/office/legacy.py",
    "picture": "media/photo.py",
    "scan": "media/scan.py",
    "sound": "media/sound.py",
    "video": "media/video.py",
}
WITH_MEMBERS = frozenset({"pdf", "docx", "pptx", "xlsx", "odf", "epub", "mail", "mbox"})
_INSIDE = "pictures inside"
_EXTRACT = "indexer.extract."
LOOKED_AT: dict[Format, str] = {
    "pdf": "pages without words that can be read; attached pictures",
    "docx": _INSIDE,
    "pptx": _INSIDE,
    "xlsx": _INSIDE,
    "odf": _INSIDE,
    "epub": _INSIDE,
    "mail": "attached pictures; attached recordings are heard",
    "mbox": "attached pictures; attached recordings are heard",
    "picture": "the picture",
    "scan": "every page",
    "sound": "heard: every track",
    "video": "a frame every few seconds; every track is heard",
}
NOTES: dict[NoteCode, str] = {
    NoteCode.TEXT_LEFT_OUT: "the end of a very long text",
    NoteCode.PAGES_LEFT_OUT: "pages beyond the most that are read",
    NoteCode.PAGES_DAMAGED: "damaged pages",
    NoteCode.CHAPTERS_DAMAGED: "missing and damaged chapters",
    NoteCode.SLIDES_DAMAGED: "damaged slides",
    NoteCode.SHEETS_DAMAGED: "damaged sheets",
    NoteCode.ROWS_LEFT_OUT: "rows beyond the most that are read, or that are no values",
    NoteCode.CELLS_LEFT_OUT: "cells and columns beyond the most that are read",
    NoteCode.MESSAGES_LEFT_OUT: "messages beyond the most that are read",
    NoteCode.PARTS_LEFT_OUT: "parts that are too many, or nested too deep",
    NoteCode.PARTS_DAMAGED: "damaged parts: shapes, comments, headers",
    NoteCode.LAYERS_HIDDEN: "pictures in hidden layers, whose words are read",
    NoteCode.LETTERS_DAMAGED: "damaged letters",
    NoteCode.ATTACHMENTS_LEFT_OUT: "attachments that are too many, or inside attachments",
    NoteCode.ATTACHMENT_UNREAD: "attachments that are damaged, locked or of another kind",
    NoteCode.PICTURES_LEFT_OUT: "pictures that are not looked at",
    NoteCode.TRACKS_UNHEARD: "sound tracks that cannot be decoded",
    NoteCode.SOUND_CUT: "the rest of a recording that is damaged, breaks off or is too long",
    NoteCode.SOUND_DAMAGED: "damaged stretches of a recording",
    NoteCode.FILM_UNSEEN: "a picture that cannot be decoded",
    NoteCode.NOT_UNDERSTOOD: "parts on which the model failed",
    NoteCode.MORE: "how many notes there are besides those that are kept",
    NoteCode.EARLIER: "what an earlier version said",
}


def page() -> str:
    """The text of docs/formats.md."""
    imports = graph()
    read = [
        (
            " ".join(SUFFIXES.get(name, ".tif .tiff of several pages").split()),
            sentence(EXTRACT / module),
            LOOKED_AT.get(name, ""),
            "; ".join(
                NOTES[code] for code in sorted(codes(name, imports), key=list(NoteCode).index)
            ),
        )
        for name, module in MODULES.items()
    ]
    unread = [
        (" ".join(unread.suffixes.split()), unread.what, unread.cure) for unread in UNREAD_FORMATS
    ]
    notes = [(f"`{code}`", text) for code, text in NOTES.items()]
    return "\n".join(
        [
            f"{HEAD}\n## What is read\n",
            *_table(("files", "read", "looked at", "told where it is not read"), read),
            "\n## What is not read, and what to do\n",
            *_table(("files", "what they are", "to have them read"), unread),
            "\n## What is never read, by its name\n",
            f"Folders: {_code(describe_folders())}.\n",
            f"Files: {_code(describe_files())}.\n",
            "Links are not followed; pipes, sockets and devices are no files. `recollect status "
            "FILE` says of each the reason and the cure.",
            "\n## Notes\n",
            *_table(("code", "what was not read"), notes),
            f"\n{UNTOLD}",
            "",
        ]
    )


def codes(name: Format, imports: Graph) -> set[NoteCode]:
    """The notes that reading a file of this format may give."""
    module = _dotted(MODULES[name])
    modules = {module, *reachable(imports, module)}
    if MODULES[name].startswith("formats/") and name != "pdf":
        modules.add(_dotted("formats/block_documents.py"))
    if name in WITH_MEMBERS:
        modules.add(_dotted("formats/members.py"))
    return {code for module in modules if module.startswith(_EXTRACT) for code in _codes_in(module)}


def _dotted(file: str) -> str:
    return _EXTRACT + file.removesuffix(".py").replace("/", ".")


@cache
def _codes_in(module: str) -> frozenset[NoteCode]:
    return frozenset(
        NoteCode[node.attr]
        for node in ast.walk(ast.parse(sources()[module].read_text("utf-8")))
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "NoteCode"
    )


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    for row in rows:
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |"


def _code(names: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def main(arguments: list[str]) -> int:
    text = page()
    current = PAGE.read_text("utf-8") if PAGE.is_file() else ""
    if arguments == ["--check"]:
        if text != current:
            print("docs/formats.md is not current: run python -m docs.formats")
        return int(text != current)
    PAGE.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
