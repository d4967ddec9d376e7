"""Photos: PNG, JPEG, WebP, GIF, TIFF, BMP, HEIC and AVIF, upright and in sRGB, up to a number of
pixels. Of an animation, the first picture."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from indexer.extract.dates import parse_exif_s
from indexer.extract.pages.rasters import make_thumb, shrink
from indexer.types.attachments import File
from indexer.types.pieces import Extracted, Facts, MediaPart, UnreadableError, title_from_name

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "TIFF", "BMP", "HEIF", "AVIF")
MAX_PIXELS = 179_000_000
MAX_THUMB_SOURCE_PX = 2_048

DAMAGED = "The picture is damaged and cannot be opened."
TOO_LARGE = "The picture has more pixels than Recollect opens (179 million)."
ANIMATED_NOTE = "Of this animation, the first picture was looked at."

# EXIF tags, by their numbers in the standard.
_DATE_TIME, _EXIF = 0x0132, 0x8769
_ORIGINAL, _OFFSET, _ORIENTATION = 0x9003, 0x9011, 0x0112


@dataclass(frozen=True, slots=True)
class DecodedPicture:
    """The pixels, upright and in sRGB; the full `size` (width, height) of the upright picture in
    pixels; when it was taken, in unix seconds; and whether it is an animation."""

    pixels: Picture
    size: tuple[int, int]
    made_at: float | None
    is_animated: bool


def extract(path: File) -> Iterator[Extracted]:
    """Facts, a Thumb, and one MediaPart: the photo itself."""
    photo = open_picture(path, MAX_THUMB_SOURCE_PX)
    small, colour = make_thumb(photo.pixels)
    yield Facts(
        title_from_name(path),
        width_px=photo.size[0],
        height_px=photo.size[1],
        made_at=photo.made_at,
        colour=colour,
        note=ANIMATED_NOTE if photo.is_animated else None,
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
            orientation, made_at = _exif(picture)
            if picture.format in _UPRIGHT:
                orientation = 1
            picture.draft("RGB", (longest_px, longest_px))
            picture.load()
            turn = _TURNS.get(orientation)
            pixels = _to_srgb(_shrink_early(picture, longest_px))
            if turn is not None:
                pixels = pixels.transpose(Image.Transpose[turn])
            size = (height, width) if orientation in (5, 6, 7, 8) else (width, height)
            is_animated = picture.format in _ANIMATED and getattr(picture, "is_animated", False)
            return DecodedPicture(pixels, size, made_at, bool(is_animated))
    except (UnreadableError, MemoryError):
        raise
    except OSError as problem:
        if problem.errno is not None:
            raise
        raise UnreadableError("corrupt", DAMAGED) from problem
    except Exception as problem:  # decoders raise any class of error
        raise UnreadableError("corrupt", DAMAGED) from problem


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
    if head[4:8] == b"ftyp" and not head[8:12].startswith(b"avi"):
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


def _exif(picture: Picture) -> tuple[int, float | None]:
    """EXIF's orientation (1 to 8), and when the photo was taken; 1 and None for damaged EXIF."""
    try:
        exif = picture.getexif()
        inner = exif.get_ifd(_EXIF)
        orientation = exif.get(_ORIENTATION)
        taken = inner.get(_ORIGINAL) or exif.get(_DATE_TIME)
        offset = inner.get(_OFFSET)
    except Exception:
        return 1, None
    orientation = orientation if isinstance(orientation, int) and 1 <= orientation <= 8 else 1
    return orientation, parse_exif_s(taken, offset)


def _to_srgb(picture: Picture) -> Picture:
    """8-bit RGB: transparent pixels become white, and a colour profile is applied."""
    from PIL import Image

    if picture.mode.startswith("I;16"):  # Pillow would clip them at 255
        deep = np.asarray(picture)
        deep = deep >> 8 if deep.size and deep.max() > 255 else deep
        picture = Image.fromarray(deep.astype(np.uint8))
    elif picture.mode.startswith(("I", "F")):
        values = np.asarray(picture, dtype=np.float32)
        highest = 65_535.0 if values.size and values.max() > 255 else 255.0
        picture = Image.fromarray((values.clip(0, highest) * (255 / highest)).astype(np.uint8))
    if picture.mode in ("LA", "PA", "RGBA", "RGBa", "La") or "transparency" in picture.info:
        layer = picture.convert("RGBA")
        white = Image.new("RGBA", layer.size, "white")
        return Image.alpha_composite(white, layer).convert("RGB")
    converted = _apply_profile(picture)
    return converted if converted.mode == "RGB" else converted.convert("RGB")


def _apply_profile(picture: Picture) -> Picture:
    """The picture in sRGB, if it has a colour profile; an invalid one is ignored."""
    from PIL import ImageCms

    profile = picture.info.get("icc_profile")
    if not profile or picture.mode not in ("RGB", "CMYK", "L"):
        return picture
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        target = ImageCms.createProfile("sRGB")
        converted = ImageCms.profileToProfile(picture, source, target, outputMode="RGB")
    except (ImageCms.PyCMSError, OSError, ValueError):
        return picture
    return picture if converted is None else converted
