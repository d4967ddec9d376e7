"""Photos: PNG, JPEG, WebP, GIF, TIFF, BMP, HEIC and AVIF, turned upright and into sRGB, within a
bound of pixels. Of what moves, the first picture."""

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
MOVES = "Of this animation, the first picture was looked at."

# EXIF tags, by their numbers in the standard.
_DATE_TIME, _EXIF = 0x0132, 0x8769
_ORIGINAL, _OFFSET, _ORIENTATION = 0x9003, 0x9011, 0x0112


@dataclass(frozen=True, slots=True)
class DecodedPicture:
    """The pixels, upright and sRGB; the whole `size` in pixels, upright; when it was taken, in unix
    seconds; and whether there is more of it than one picture."""

    pixels: Picture
    size: tuple[int, int]
    made_at: float | None
    moves: bool


def extract(path: File) -> Iterator[Extracted]:
    """Facts, a thumbnail, and one Part: the photo itself."""
    photo = open_picture(path, MAX_THUMB_SOURCE_PX)
    small, colour = make_thumb(photo.pixels)
    yield Facts(
        title_from_name(path),
        width_px=photo.size[0],
        height_px=photo.size[1],
        made_at=photo.made_at,
        colour=colour,
        note=MOVES if photo.moves else None,
    )
    yield small
    yield MediaPart(None)


def read_upright(path: File, longest_px: int) -> Picture:
    """The picture as it is meant to be seen, its longest side at most `longest_px`. Raises
    UnreadableError."""
    return shrink(open_picture(path, longest_px).pixels, longest_px)


def open_picture(path: File, longest_px: int, page: int = 0) -> DecodedPicture:
    """A picture at least `longest_px` long where there are as many pixels; of a file of several
    pages, that one (from 0). Raises UnreadableError."""
    from PIL import Image

    Image.MAX_IMAGE_PIXELS = None  # the bound is ours, below, and does not warn
    _add_heif(path)
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
            pixels = _srgb(_early_shrunk(picture, longest_px))
            if turn is not None:
                pixels = pixels.transpose(Image.Transpose[turn])
            size = (height, width) if orientation in (5, 6, 7, 8) else (width, height)
            moves = picture.format in _MOVING and bool(getattr(picture, "is_animated", False))
            return DecodedPicture(pixels, size, made_at, moves)
    except (UnreadableError, MemoryError):
        raise
    except OSError as problem:
        if problem.errno is not None:
            raise
        raise UnreadableError("corrupt", DAMAGED) from problem
    except Exception as problem:  # decoders raise what they like
        raise UnreadableError("corrupt", DAMAGED) from problem


# Turned as they are decoded: their size is the upright one already.
_UPRIGHT = ("TIFF", "HEIF")
_MOVING = ("GIF", "WEBP", "PNG", "AVIF")
# Shrunk before they are turned into sRGB, so that large ones exist once in full and not thrice.
_SHRINK_FIRST = frozenset("RGB RGBA L LA CMYK YCbCr".split())


def _early_shrunk(picture: Picture, longest_px: int) -> Picture:
    if picture.mode not in _SHRINK_FIRST or "transparency" in picture.info:
        return picture
    small = shrink(picture, longest_px)
    small.info.update(picture.info)
    return small


def _add_heif(path: File) -> None:
    """Pillow opens HEIC by a plugin, which is brought only for files that need it."""
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
    """How the camera was held (1 to 8), and when it was. Broken EXIF says nothing."""
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


def _srgb(picture: Picture) -> Picture:
    """8-bit RGB; what is transparent becomes white, a colour profile is applied where it is one."""
    from PIL import Image

    if picture.mode.startswith("I;16"):  # Pillow would cut them off at 255
        deep = np.asarray(picture)
        deep = deep >> 8 if deep.size and deep.max() > 255 else deep
        picture = Image.fromarray(deep.astype(np.uint8))
    elif picture.mode.startswith(("I", "F")):
        values = np.asarray(picture, dtype=np.float32)
        highest = 65_535.0 if values.size and values.max() > 255 else 255.0
        picture = Image.fromarray((values.clip(0, highest) * (255 / highest)).astype(np.uint8))
    if picture.mode in ("LA", "PA", "RGBA", "RGBa", "La") or "transparency" in picture.info:
        shown = picture.convert("RGBA")
        white = Image.new("RGBA", shown.size, "white")
        return Image.alpha_composite(white, shown).convert("RGB")
    profiled = _profiled(picture)
    return profiled if profiled.mode == "RGB" else profiled.convert("RGB")


def _profiled(picture: Picture) -> Picture:
    """In sRGB, if the picture brings a profile of its own; a bad profile is ignored."""
    from PIL import ImageCms

    profile = picture.info.get("icc_profile")
    if not profile or picture.mode not in ("RGB", "CMYK", "L"):
        return picture
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        target = ImageCms.createProfile("sRGB")
        made = ImageCms.profileToProfile(picture, source, target, outputMode="RGB")
    except (ImageCms.PyCMSError, OSError, ValueError):
        return picture
    return picture if made is None else made
