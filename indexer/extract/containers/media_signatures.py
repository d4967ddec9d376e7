"""Pictures, sounds and films by their first bytes, and FFmpeg's name of their container."""

from __future__ import annotations

from pathlib import PurePath
from typing import Literal

Media = Literal["picture", "sound", "video"]

# Pictures of the ISO family (HEIF, AVIF); any other brand is sound or film.
_PICTURE_BRANDS = frozenset(b"heic heix heim heis hevc hevx mif1 msf1 avif avis miaf".split())
_SOUND_BRANDS = frozenset([b"M4A ", b"M4B ", b"M4P "])
_ATOMS = frozenset([b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"])
# Raw photos of cameras are TIFF files, but their first image is a small preview.
_RAW_NAMES = frozenset(".dng .nef .nrw .cr2 .arw .sr2 .orf .rw2 .pef .srw .3fr .iiq".split())
_RAW_BRANDS = frozenset([b"crx "])  # raw photos of Canon, which are tracks of a film in form
TIFF = (b"II*\0", b"MM\0*", b"II+\0\x08\0", b"MM\0+\0\x08")
_BMP_HEADERS = frozenset([12, 40, 52, 56, 64, 108, 124])
_ASF = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")


def media_by_content(head: bytes, name: str = "") -> Media | None:
    """The medium of a file with these first bytes; None where it is no picture, sound or film."""
    if _is_picture(head, name):
        return "picture"
    match detect_demuxer(head, name):
        case None:
            return None
        case "mp4":
            return "sound" if head[8:12] in _SOUND_BRANDS else "video"
        case "matroska" | "avi":
            return "video"
        case "asf":
            return "sound" if _suffix(name) == ".wma" else "video"
        case "ogg":
            return "video" if b"\x80theora" in head[:4096] else "sound"
        case _:
            return "sound"


def detect_demuxer(head: bytes, name: str = "") -> str | None:
    """FFmpeg's name for the container these bytes begin."""
    if head[4:8] == b"ftyp":
        return None if _brands(head) & (_PICTURE_BRANDS | _RAW_BRANDS) else "mp4"
    if head[4:8] in _ATOMS and _suffix(name) in (".mov", ".qt", ".mp4"):
        return "mp4"
    if head.startswith(b"\x1a\x45\xdf\xa3"):
        return "matroska"
    if head[:4] in (b"RIFF", b"RF64", b"RIFX") and head[8:12] in (b"WAVE", b"AVI "):
        return "avi" if head[8:12] == b"AVI " else "wav"
    if head[:4] == b"FORM" and head[8:12] in (b"AIFF", b"AIFC"):
        return "aiff"
    for start, demuxer in _STARTS.items():
        if head.startswith(start):
            return demuxer
    if head[:1] == b"\xff":
        if _suffix(name) == ".aac" and head[1] & 0xF6 == 0xF0:
            return "aac"
        if _is_mp3(head, name):
            return "mp3"
    return None


_STARTS = {
    b".snd": "au",
    b"caff\0\1\0\0": "caf",
    b"OggS": "ogg",
    b"fLaC": "flac",
    b"ID3": "mp3",
    b"#!AMR": "amr",
    _ASF: "asf",
}


def _is_picture(head: bytes, name: str) -> bool:
    if head.startswith((b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF87a", b"GIF89a")):
        return True
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return True
    if head.startswith(TIFF):
        return _suffix(name) not in _RAW_NAMES
    if head[:2] == b"BM" and int.from_bytes(head[14:18], "little") in _BMP_HEADERS:
        return head[6:10] == bytes(4)
    return head[4:8] == b"ftyp" and bool(_brands(head) & _PICTURE_BRANDS)


def _brands(head: bytes) -> set[bytes]:
    """The major brand of an ISO file; for a generic one, with its compatible brands."""
    size = min(int.from_bytes(head[:4], "big"), 256, len(head))
    others = {head[at : at + 4] for at in range(16, size - 3, 4)}
    # a film may be compatible with picture formats: its major brand decides
    return {head[8:12]} if head[8:12] not in (b"mif1", b"msf1") else {head[8:12]} | others


def _suffix(name: str) -> str:
    return PurePath(name).suffix.lower()


def _is_mp3(head: bytes, name: str) -> bool:
    """A frame of MPEG audio (layer I, II or III), and another one after it or a suffix of it."""
    length = _mp3_frame_bytes(head[:4])
    if length is None:
        return False
    if _suffix(name) in (".mp3", ".mp2", ".mp1", ".mpga"):
        return True
    return _mp3_frame_bytes(head[length : length + 4]) is not None


# Bit rates in kbit/s by their number, for MPEG-1 and for MPEG-2, of layers I, II and III.
_V1_KBIT = (
    (0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
)
_V2_KBIT_I = (0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256)
_V2_KBIT = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
_V1_HZ = (44_100, 48_000, 32_000)


def _mp3_frame_bytes(header: bytes) -> int | None:
    if len(header) < 4 or header[0] != 0xFF or header[1] & 0xE0 != 0xE0:
        return None
    version, rate, bits = header[1] >> 3 & 3, header[2] >> 2 & 3, header[2] >> 4
    layer = 4 - (header[1] >> 1 & 3)  # 4 is none
    if version == 1 or layer == 4 or rate == 3 or bits in (0, 15):
        return None
    is_v1 = version == 3
    rate_hz = _V1_HZ[rate] // (1 if is_v1 else 2 if version == 2 else 4)
    kbit = _V1_KBIT[layer - 1][bits] if is_v1 else (_V2_KBIT_I if layer == 1 else _V2_KBIT)[bits]
    padding = header[2] >> 1 & 1
    if layer == 1:
        return 4 * (12 * kbit * 1000 // rate_hz + padding)
    return (72 if layer == 3 and not is_v1 else 144) * kbit * 1000 // rate_hz + padding
