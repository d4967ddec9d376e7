"""Pages and photos as upright sRGB pixels of a bounded size, without metadata."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np

from indexer.types.pieces import Thumb
from model.interface import Uint8

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

THUMB_PX = 480
MAX_SIDE_PX = 4_000


def render(page: Any, *, width_px: int | None = None, longest_px: int | None = None) -> Picture:
    """A pymupdf page as a picture of that width, or with that longest side; at most 4,000 px
    either way, whatever size the page says it has."""
    from PIL import Image

    from indexer.extract.pages.mupdf import pymupdf

    width, height = max(page.rect.width, 1e-3), max(page.rect.height, 1e-3)
    zoom_to_width = (width_px or MAX_SIDE_PX) / width
    max_zoom = min(longest_px or MAX_SIDE_PX, MAX_SIDE_PX) / max(width, height)
    zoom = min(zoom_to_width, max_zoom)
    pixels = page.get_pixmap(matrix=pymupdf.Matrix(zoom, zoom), alpha=False, annots=True)
    if pixels.n != 3:
        pixels = pymupdf.Pixmap(pymupdf.csRGB, pixels)
    return Image.frombytes("RGB", (pixels.width, pixels.height), pixels.samples)


def make_thumb(source: Any) -> tuple[Thumb, str]:
    """The thumbnail of a photo or pymupdf page, and its mean colour as `#rrggbb`."""
    from PIL import Image

    picture = source if isinstance(source, Image.Image) else render(source, longest_px=THUMB_PX)
    small = shrink(picture, THUMB_PX)
    colour = small.resize((1, 1), Image.Resampling.BOX).tobytes().hex()
    encoded = encode_webp(small, quality=80, method=0)
    return Thumb(encoded, small.width, small.height), f"#{colour}"


def shrink(picture: Picture, longest_px: int) -> Picture:
    """A copy whose longest side is at most that; never enlarged, and each side at least 1 px."""
    from PIL import Image

    scale = longest_px / max(picture.size)
    if scale >= 1:
        return picture
    size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    return picture.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)


def encode_webp(picture: Picture, quality: int = 85, method: int = 2) -> bytes:
    """`method` 0 to 6: faster to smaller."""
    stream = io.BytesIO()
    picture.save(stream, "WEBP", quality=quality, method=method)
    return stream.getvalue()


def pixel_array(picture: Picture) -> Uint8:
    """(height_px, width_px, 3) uint8."""
    return np.array(picture, dtype=np.uint8)
