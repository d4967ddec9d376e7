"""Pictures in the colours they are seen in: 8-bit sRGB, by their profile or gamma, on white."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np

from indexer.extract.media.depth import to_eight_bits

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

_WITH_ALPHA = ("LA", "PA", "RGBA", "RGBa", "La")
_USUAL_GAMMA, _SAME_GAMMA = 1 / 2.2, 0.01
_LEAST_GAMMA, _MOST_GAMMA = 0.1, 5.0  # others are mistakes


def to_srgb(picture: Picture) -> Picture:
    """8-bit RGB: a colour profile or a gamma is applied, then transparent pixels become white."""
    from PIL import Image

    colours, alpha = to_eight_bits(picture), None
    if colours.mode in _WITH_ALPHA or "transparency" in picture.info:
        layer = colours.convert("RGBA")
        alpha = layer.getchannel("A")
        colours = colours.convert("L") if colours.mode == "LA" else layer.convert("RGB")
    elif colours.mode == "P":
        colours = colours.convert("RGB")
    colours = _apply_colour_space(colours, picture.info)
    colours = colours if colours.mode == "RGB" else colours.convert("RGB")
    if alpha is None:
        return colours
    white = Image.new("RGB", colours.size, "white")
    white.paste(colours, mask=alpha)
    return white


def _apply_colour_space(picture: Picture, info: dict[Any, Any]) -> Picture:
    """The picture in sRGB, by the profile or else the gamma in `info`; invalid ones are ignored."""
    from PIL import ImageCms

    profile = info.get("icc_profile")
    if picture.mode == "LAB":
        return _convert(picture, ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")))
    if profile and picture.mode in ("RGB", "CMYK", "L"):
        try:
            return _convert(picture, ImageCms.ImageCmsProfile(io.BytesIO(profile)))
        except (ImageCms.PyCMSError, OSError, ValueError):
            return picture
    gamma = info.get("gamma")
    if "srgb" not in info and isinstance(gamma, float) and picture.mode in ("RGB", "L"):
        return _apply_gamma(picture, gamma)
    return picture


def _convert(picture: Picture, source: Any) -> Picture:
    """The picture in sRGB. Raises PyCMSError, OSError or ValueError for an invalid profile."""
    from PIL import ImageCms

    target = ImageCms.createProfile("sRGB")
    converted = ImageCms.profileToProfile(picture, source, target, outputMode="RGB")
    return picture if converted is None else converted


def _apply_gamma(picture: Picture, gamma: float) -> Picture:
    """The picture in sRGB, whose samples are linear light to the power of `gamma` (PNG's gAMA)."""
    if abs(gamma - _USUAL_GAMMA) < _SAME_GAMMA or not _LEAST_GAMMA <= gamma <= _MOST_GAMMA:
        return picture
    light = (np.arange(256) / 255) ** (1 / gamma)
    shown = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    table = np.rint(255 * shown).astype(int).tolist()
    return picture.point(table * len(picture.getbands()))
