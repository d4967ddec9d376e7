"""Photos: PNG, JPEG, WebP, GIF, TIFF, BMP, HEIC and AVIF, upright and in sRGB, up to a number of
pixels. Of an animation, the first picture."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from indexer.extract.dates import CaptureTime
from indexer.extract.media.capture_time import captured_at
from indexer.extract.media.colour import to_srgb
from indexer.extract.media.depth import correct_byte_order, register_depths, unknown_depth
from indexer.extract.pages.rasters import make_thumb, shrink
from indexer.types.attachments import File
from indexer.types.notes import Note, NoteCode
from indexer.types.pieces import Extracted, Facts, MediaPart, UnreadableError, title_from_name

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

# AVIF before HEIF: both take the generic brand `mif1`, and only AVIF's plugin then looks further.
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "TIFF", "BMP", "AVIF", "HEIF")
MAX_PIXELS = 179_000_000
MAX_THUMB_SOURCE_PX = 2_048

DAMAGED = (
    "The picture is damaged and cannot be opened; get another copy of it, or save it anew as PNG."
)
TOO_LARGE = (
    "The picture has more pixels than Recollect opens (179 million); save a smaller copy of it."
)
ANIMATED = Note(
    NoteCode.PICTURES_LEFT_OUT, "Of this animation, only the first picture is looked at."
)

# The EXIF tag, by its number in the standard.
_ORIENTATION = 0x0112


@dataclass(frozen=True, slots=True)
class DecodedPicture:
    """The pixels, upright and in sRGB; the full `size` (width, height) of the upright picture in
    pixels; when it was taken; and whether it is an animation."""

    pixels: Picture
    size: tuple[int, int]
    captured: CaptureTime | None
    is_animated: bool


def extract(path: File) -> Iterator[Extracted]:
    """Facts, a Thumb, and one MediaPart: the photo itself."""
    photo = open_picture(path, MAX_THUMB_SOURCE_PX)
    small, colour = make_thumb(photo.pixels)
    yield Facts(
        title_from_name(path),
        width_px=photo.size[0],
        height_px=photo.size[1],
        made_at=photo.captured.at_s if photo.captured else None,
        made_offset_s=photo.captured.offset_s if photo.captured else None,
        colour=colour,
        notes=(ANIMATED,) if photo.is_animated else (),
    )
    yield small
    yield MediaPart(None)


def read_upright(path: File, longest_px: int) -> Picture:
    """The picture upright and in sRGB, its longest side at most `longest_px`. Raises
    UnreadableError."""
    return shrink(open_picture(path, longest_px).pixels, longest_px)


def open_picture(path: File, longest_px: int, page: int = 0) -> DecodedPicture:
    """A picture whose longest side is at least `longest_px`, or its own; of a file of several
    pages, the one at `page` (from 0). Raises UnreadableError."""
    from PIL import Image

    Image.MAX_IMAGE_PIXELS = None  # the limit below raises, where this one warns
    _register_heif(path)
    register_depths()
    try:
        with (
            warnings.catch_warnings(),
            path.open("rb") as file,
            Image.open(file, formats=FORMATS) as picture,
        ):
            warnings.simplefilter("ignore")
            if page:
                picture.seek(page)
            width, height = picture.size
            if width * height > MAX_PIXELS:
                raise UnreadableError("too_large", TOO_LARGE)
            orientation = 1 if picture.format in _UPRIGHT else _orientation(picture)
            captured = captured_at(picture, path.name)
            correct_byte_order(picture)
            picture.draft("RGB", (longest_px, longest_px))
            picture.load()
            turn = _TURNS.get(orientation)
            pixels = to_srgb(_shrink_early(picture, longest_px))
            if turn is not None:
                pixels = pixels.transpose(Image.Transpose[turn])
            size = (height, width) if orientation in (5, 6, 7, 8) else (width, height)
            is_animated = picture.format in _ANIMATED and getattr(picture, "is_animated", False)
            return DecodedPicture(pixels, size, captured, bool(is_animated))
    except (UnreadableError, MemoryError):
        raise
    except OSError as problem:
        if problem.errno is not None:
            raise
        with path.open("rb") as file:
            raise unknown_depth(file) or UnreadableError("corrupt", DAMAGED) from problem
    except Exception as problem:  # decoders raise any class of error
        with path.open("rb") as file:
            raise unknown_depth(file) or UnreadableError("corrupt", DAMAGED) from problem


# Formats that are turned as they are decoded: their size is that of the upright picture.
_UPRIGHT = ("TIFF", "HEIF")
_ANIMATED = ("GIF", "WEBP", "PNG", "AVIF")
# Modes that are shrunk before they are converted, so that a large picture is in memory once.
_SHRINK_FIRST = frozenset("RGB RGBA L LA CMYK YCbCr".split())


def _shrink_early(picture: Picture, longest_px: int) -> Picture:
    if picture.mode not in _SHRINK_FIRST or "transparency" in picture.info:
        return picture
    small = shrink(picture, longest_px)
    small.info.update(picture.info)
    return small


def _register_heif(path: File) -> None:
    """Register Pillow's plugin for HEIC, only for files that need it."""
    with path.open("rb") as file:
        head = file.read(64)
    if head[4:8] == b"ftyp":
        import pillow_heif

        pillow_heif.register_heif_opener(thumbnails=False)


_TURNS = {
    2: "FLIP_LEFT_RIGHT",
    3: "ROTATE_180",
    4: "FLIP_TOP_BOTTOM",
    5: "TRANSPOSE",
    6: "ROTATE_270",
    7: "TRANSVERSE",
    8: "ROTATE_90",
}


def _orientation(picture: Picture) -> int:
    """EXIF's orientation, 1 to 8; 1 for damaged EXIF."""
    try:
        orientation = picture.getexif().get(_ORIENTATION)
    except Exception:
        return 1
    return orientation if isinstance(orientation, int) and 1 <= orientation <= 8 else 1
