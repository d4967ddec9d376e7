"""Photos: PNG, JPEG and WebP, turned upright and into sRGB, within a bound of pixels."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from indexer.extract import Extracted, Facts, Part, Unreadable, title_of
from indexer.extract.pictures import shrunk, thumb

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

FORMATS = ("PNG", "JPEG", "WEBP")
MAX_PIXELS = 179_000_000
MAX_THUMB_SOURCE_PX = 2_048

DAMAGED = "The picture is damaged and cannot be opened."
TOO_LARGE = "The picture has more pixels than Recollect opens (179 million)."

# EXIF tags, by their numbers in the standard.
_DATE_TIME, _EXIF = 0x0132, 0x8769
_ORIGINAL, _OFFSET, _ORIENTATION = 0x9003, 0x9011, 0x0112


def extract(path: Path) -> Iterator[Extracted]:
    """Facts, a thumbnail, and one Part: the photo itself."""
    picture, size, made_at = _opened(path, MAX_THUMB_SOURCE_PX)
    small, colour = thumb(picture)
    yield Facts(title_of(path), width_px=size[0], height_px=size[1], made_at=made_at, colour=colour)
    yield small
    yield Part(None)


def upright(path: Path, longest_px: int) -> Picture:
    """The picture as it is meant to be seen, its longest side at most `longest_px`. Raises
    Unreadable."""
    return shrunk(_opened(path, longest_px)[0], longest_px)


def _opened(path: Path, longest_px: int) -> tuple[Picture, tuple[int, int], float | None]:
    """The pixels, upright and sRGB, at least `longest_px` long where there are as many; the whole
    size in pixels, upright; when it was taken, in unix seconds."""
    from PIL import Image

    Image.MAX_IMAGE_PIXELS = None  # the bound is ours, below, and does not warn
    try:
        with warnings.catch_warnings(), Image.open(path, formats=FORMATS) as picture:
            warnings.simplefilter("ignore")
            width, height = picture.size
            if width * height > MAX_PIXELS:
                raise Unreadable("too_large", TOO_LARGE)
            orientation, made_at = _exif(picture)
            picture.draft("RGB", (longest_px, longest_px))
            picture.load()
            turn = _TURNS.get(orientation)
            pixels = _srgb(shrunk(picture, longest_px) if picture.mode == "RGB" else picture)
            if turn is not None:
                pixels = pixels.transpose(Image.Transpose[turn])
            size = (height, width) if orientation in (5, 6, 7, 8) else (width, height)
            return pixels, size, made_at
    except (Unreadable, MemoryError):
        raise
    except OSError as problem:
        if problem.errno is not None:
            raise
        raise Unreadable("corrupt", DAMAGED) from problem
    except Exception as problem:  # decoders raise what they like
        raise Unreadable("corrupt", DAMAGED) from problem


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
    return orientation, _unix_s(taken, offset)


def _unix_s(taken: object, offset: object) -> float | None:
    """EXIF writes `2024:06:01 12:30:00`, and `+02:00` apart; without it, it is local time."""
    try:
        moment = datetime.strptime(str(taken).strip("\0 "), "%Y:%m:%d %H:%M:%S")
        if isinstance(offset, str) and offset.strip("\0 "):
            moment = datetime.strptime(f"{moment:%Y%m%d%H%M%S}{offset.strip()}", "%Y%m%d%H%M%S%z")
        return moment.timestamp()
    except (ValueError, OverflowError, OSError):
        return None


def _srgb(picture: Picture) -> Picture:
    """8-bit RGB; what is transparent becomes white, a colour profile is applied where it is one."""
    from PIL import Image

    if picture.mode.startswith(("I", "F")):  # 16 bits a pixel; Pillow would cut them off at 255
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
