"""Formats that are not read, by the suffixes of their names, and what can be done about each."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath

NOT_READ_YET = "This is not a kind of file Recollect reads yet."


@dataclass(frozen=True, slots=True)
class UnreadFormat:
    """`what` it is, with its article, and the `cure`."""

    suffixes: str
    what: str
    cure: str

    @property
    def sentence(self) -> str:
        return f"This is {self.what}, which is not read; {self.cure}."


_UNPACK = "unpack it into a watched folder, and what is in it is read"
_AS_PICTURE = "save it as JPEG or PNG in the program it was made with"

UNREAD_FORMATS = (
    UnreadFormat(
        """.cr2 .cr3 .crw .nef .nrw .arw .srf .sr2 .dng .orf .rw2 .raf .pef .srw .3fr .iiq .rwl
        .x3f .erf .mef .mrw .kdc .dcr .gpr""",
        "a raw photo of a camera",
        "export it as JPEG or HEIC, or have the camera keep both",
    ),
    UnreadFormat(
        ".jp2 .j2k .jpf .jpx .jpm .j2c",
        "a JPEG 2000 picture",
        _AS_PICTURE,
    ),
    UnreadFormat(
        ".jxl",
        "a JPEG XL picture",
        _AS_PICTURE,
    ),
    UnreadFormat(
        ".psd .psb .xcf .kra .afphoto",
        "a picture in layers",
        _AS_PICTURE,
    ),
    UnreadFormat(
        ".ai .eps .ps .indd .afdesign .afpub .cdr",
        "a drawing for print",
        "export it as PDF",
    ),
    UnreadFormat(
        ".ico .icns .cur .tga .dds .exr .hdr .pcx .wmf .emf",
        "a picture of a kind that few programs open",
        _AS_PICTURE,
    ),
    UnreadFormat(
        ".key",
        "a Keynote presentation, or a key",
        "export a presentation as PowerPoint or PDF",
    ),
    UnreadFormat(
        ".pages",
        "a Pages document",
        "export it as Word or PDF",
    ),
    UnreadFormat(
        ".numbers",
        "a Numbers spreadsheet",
        "export it as Excel or CSV",
    ),
    UnreadFormat(
        ".one .onetoc2",
        "a OneNote notebook",
        "export its pages as PDF or Word",
    ),
    UnreadFormat(
        ".mobi .azw .azw3 .kfx .lit .fb2 .lrf",
        "a book of another format",
        "convert it to EPUB",
    ),
    UnreadFormat(
        ".djvu .djv .xps .oxps .cbz .cbr .cb7",
        "a book of page pictures",
        "convert it to PDF",
    ),
    UnreadFormat(
        ".pst .ost .dbx .nsf",
        "a mail store",
        "export its mails as .mbox or .eml",
    ),
    UnreadFormat(
        """.zip .7z .rar .tar .tgz .gz .bz2 .xz .zst .lz .lzma .cab .ace .arj .lha
        .jar .war .apk""",
        "an archive",
        _UNPACK,
    ),
    UnreadFormat(
        ".p7m",
        "a message or a file that is encrypted, or wrapped in its signature",
        "open it in the mail or signature program it was made for, and save what is in it",
    ),
    UnreadFormat(
        ".p7s .p7c .sig",
        "a signature",
        "the file that it belongs to is read by itself",
    ),
    UnreadFormat(
        ".iso .img .dmg .vhd .vhdx .vmdk .vdi .qcow2 .wim",
        "a disk image",
        "mount it, and copy what is to be read into a watched folder",
    ),
    UnreadFormat(
        ".sqlite .sqlite3 .db .mdb .accdb .odb .parquet .feather .sas7bdat .dta .sav",
        "a database",
        "export its tables as CSV",
    ),
    UnreadFormat(
        ".dwg .dxf .skp .stl .step .stp .blend .3ds .fbx",
        "a technical drawing or model",
        "export its views as PDF",
    ),
    UnreadFormat(
        ".mpp .vsd .vsdx .pub .wps .wpd .sxw .sxc .sxi",
        "a document of an office program that is not read",
        "export it as PDF",
    ),
    UnreadFormat(
        ".mid .midi .ape .wv .mpc .tta .dsf .dff .ra .shn",
        "sound of a kind that is not played here",
        "convert it to FLAC or MP3",
    ),
    UnreadFormat(
        ".flv .swf .vob .mpg .mpeg .m2ts .mts .ts .rm .rmvb .f4v",
        "a film of a kind that is not played here",
        "convert it to MP4",
    ),
)
_BY_SUFFIX = {suffix: unread for unread in UNREAD_FORMATS for suffix in unread.suffixes.split()}
# Attachments of a mail that hold nothing for a person: its signatures.
_SIGNATURES = frozenset([".p7s", ".asc", ".sig"])


def is_signature(name: str) -> bool:
    """Whether an attachment of this name is the signature of its mail."""
    return PurePath(name).suffix.lower() in _SIGNATURES


def unread_sentence(name: str) -> str:
    """Why a file of this name, whose content is of no format that is read, is not."""
    unread = _BY_SUFFIX.get(PurePath(name).suffix.lower())
    return unread.sentence if unread is not None else NOT_READ_YET
