"""Formats of files that are read: the kind of each, and the suffixes of their names."""

from __future__ import annotations

from pathlib import PurePath
from typing import Literal

from indexer.types.places import Kind

Format = Literal[
    "text", "pdf", "picture", "scan", "sound", "video",
    "docx", "pptx", "xlsx", "odf", "html", "epub", "mail", "mbox", "legacy",
]  # fmt: skip

KINDS: dict[Format, Kind] = {
    "text": Kind.DOCUMENT,
    "pdf": Kind.DOCUMENT,
    "picture": Kind.PHOTO,
    "scan": Kind.DOCUMENT,
    "sound": Kind.RECORDING,
    "video": Kind.RECORDING,
    "docx": Kind.DOCUMENT,
    "pptx": Kind.DOCUMENT,
    "xlsx": Kind.DOCUMENT,
    "odf": Kind.DOCUMENT,
    "html": Kind.DOCUMENT,
    "epub": Kind.DOCUMENT,
    "mail": Kind.DOCUMENT,
    "mbox": Kind.DOCUMENT,
    "legacy": Kind.DOCUMENT,
}

SUFFIXES: dict[Format, str] = {
    # Old western encodings, which any bytes could be, are accepted only under these names.
    "text": """.txt .text .md .markdown .mkd .qmd .rmd .rst .org .adoc .asciidoc .textile .wiki .nfo
        .log .csv .tsv .tab .json .jsonl .ndjson .geojson .ipynb .xml .svg .rss .atom .opml .yaml
        .yml .toml .ini .cfg .conf .properties .env .desktop .service .tex .bib .sty .cls .ltx .srt
        .vtt .sub .ass .lrc .ics .vcf .ldif .po .pot .diff .patch .sql .graphql .proto .css .scss
        .less .js .mjs .cjs .jsx .ts .tsx .vue .svelte .php .py .pyi .rb .pl .pm .lua .r .jl .m
        .java .kt .kts .scala .groovy .gradle .swift .go .rs .c .h .cc .cpp .cxx .hh .hpp .cs .fs
        .vb .d .zig .nim .hs .ml .clj .ex .exs .erl .el .lisp .scm .asm .s .f .f90 .pas .ada .v .vhd
        .tcl .sh .bash .zsh .fish .ps1 .bat .cmd .awk .sed .mk .cmake .dockerfile .tf .nix .man .1
        .3 .5 .7 .8 .changes .dsc""",
    "pdf": ".pdf",
    "picture": ".png .jpg .jpeg .jpe .webp .gif .tif .tiff .bmp .dib .heic .heif .hif .avif",
    "sound": """.wav .wave .flac .ogg .oga .opus .mp3 .mp2 .mpga .m4a .m4b .aac .aif .aiff .aifc
        .wma .amr .weba .au .snd .caf""",
    "video": ".mp4 .m4v .mov .qt .3gp .3g2 .mkv .webm .avi .wmv .ogv",
    "docx": ".docx .docm .dotx .dotm",
    "pptx": ".pptx .pptm .ppsx .potx",
    "xlsx": ".xlsx .xlsm .xltx",
    "odf": ".odt .ods .odp .odg .ott .ots .otp",
    "html": ".html .htm .xhtml .xht",
    "epub": ".epub",
    "mail": ".eml .emlx .mht .mhtml",
    "mbox": ".mbox",
    "legacy": ".doc .xls .ppt .rtf .msg",
}
_FORMATS = {suffix: named for named, names in SUFFIXES.items() for suffix in names.split()}
_KINDS_BY_SUFFIX = {suffix.encode(): KINDS[named] for suffix, named in _FORMATS.items()}


def format_by_name(name: str) -> Format | None:
    """The format that the suffix of a name promises. None for legacy ones: those are refused with
    a reason that only the content gives."""
    named = _FORMATS.get(PurePath(name).suffix.lower())
    return None if named == "legacy" else named


def kind_by_name(path: bytes) -> Kind | None:
    """The kind that the suffix of a path promises, until its content has been read."""
    return _KINDS_BY_SUFFIX.get(b"." + path.rpartition(b".")[2].lower())
