"""Grey pictures of more than 8 bits a sample: TIFF in every depth and byte order, and their range
brought to 8 bits."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from indexer.types.pieces import UnreadableError

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

# Numbers and values of TIFF's tags.
_BITS, _PHOTOMETRIC, _SAMPLE_FORMAT = 258, 262, 339
_WHITE_IS_ZERO, _BLACK_IS_ZERO = 0, 1
_UNSIGNED, _SIGNED, _FLOAT = 1, 2, 3
_LITTLE, _BIG = b"II", b"MM"

# Grey TIFF that Pillow knows how to decode, but not in this byte order, or not as a negative:
# (byte order, sample format, bits) to its mode, and its name of the samples in the file.
_DECODABLE = {
    (_LITTLE, _UNSIGNED, 12): ("I;16", "I;12"),
    (_BIG, _UNSIGNED, 12): ("I;16", "I;12"),
    (_LITTLE, _UNSIGNED, 16): ("I;16", "I;16"),
    (_BIG, _UNSIGNED, 16): ("I;16B", "I;16B"),
    (_LITTLE, _SIGNED, 16): ("I", "I;16S"),
    (_BIG, _SIGNED, 16): ("I", "I;16BS"),
    (_LITTLE, _UNSIGNED, 32): ("I", "I;32S"),
    (_BIG, _UNSIGNED, 32): ("I", "I;32BS"),
    (_LITTLE, _SIGNED, 32): ("I", "I;32S"),
    (_BIG, _SIGNED, 32): ("I", "I;32BS"),
    (_LITTLE, _FLOAT, 32): ("F", "F;32F"),
    (_BIG, _FLOAT, 32): ("F", "F;32BF"),
    (_LITTLE, _FLOAT, 64): ("F", "F;64F"),
    (_BIG, _FLOAT, 64): ("F", "F;64BF"),
}
# libtiff decompresses into the byte order of the machine, which Pillow knows of 16 bits alone.
_OF_THE_MACHINE = {
    "I;32S": "I;32NS",
    "I;32BS": "I;32NS",
    "F;32F": "F;32NF",
    "F;32BF": "F;32NF",
    "F;64F": "F;64NF",
    "F;64BF": "F;64NF",
}

UNKNOWN_DEPTH = (
    "This TIFF has samples that Recollect cannot read ({bits} bits each); save it with 8 bits."
)


def register_depths() -> None:
    """Have Pillow open every grey TIFF that it can decode."""
    from PIL.TiffImagePlugin import OPEN_INFO

    for (order, sample_format, bits), modes in _DECODABLE.items():
        for photometric in (_WHITE_IS_ZERO, _BLACK_IS_ZERO):
            key = (order, photometric, (sample_format,), 1, (bits,), ())
            OPEN_INFO.setdefault(key, modes)


def correct_byte_order(picture: Picture) -> None:
    """Before an opened picture is loaded: the names of the samples as libtiff gives them."""
    from PIL.ImageFile import ImageFile

    if not isinstance(picture, ImageFile):
        return
    picture.tile = [
        tile._replace(args=(_OF_THE_MACHINE.get(tile.args[0], tile.args[0]), *tile.args[1:]))
        if tile.codec_name == "libtiff" and isinstance(tile.args, tuple)
        else tile
        for tile in picture.tile
    ]


def to_eight_bits(picture: Picture) -> Picture:
    """The picture with 8 bits a sample, white where it is seen as white; one of deeper samples
    keeps its whole range. In values up to 255 that is the range, however deep the samples are."""
    from PIL import Image

    if not picture.mode.startswith(("I", "F")):
        return picture
    values = np.asarray(picture)
    tags: Any = getattr(picture, "tag_v2", {})
    bits = int((tags.get(_BITS) or (16 if picture.mode.startswith("I;16") else 32,))[0])
    is_negative = tags.get(_PHOTOMETRIC) == _WHITE_IS_ZERO
    if picture.mode == "F":
        levels = _float_levels(values, is_negative)
    else:
        if bits == 32 and _sample_format(tags) == _UNSIGNED:
            values = values.view(np.uint32)
        levels = _integer_levels(values.astype(np.int64), bits, is_negative)
    return Image.fromarray(levels)


def _integer_levels(values: NDArray[np.int64], bits: int, is_negative: bool) -> NDArray[np.uint8]:
    if is_negative:
        values = (1 << bits) - 1 - values
    highest = int(values.max(initial=0))
    full = 8 if highest <= 255 else 16 if bits > 16 and highest <= 65_535 else bits
    return (values.clip(0, (1 << full) - 1) >> (full - 8)).astype(np.uint8)


def _float_levels(values: NDArray[np.float32], is_negative: bool) -> NDArray[np.uint8]:
    """Floats have no full scale of their own: it is 1, or that of 8 or 16 bits, or the highest."""
    values = np.nan_to_num(np.asarray(values, np.float32), posinf=0.0, neginf=0.0)
    highest = float(values.max(initial=0.0))
    full = next((scale for scale in (1.0, 255.0, 65_535.0) if highest <= scale), highest)
    levels = values.clip(0, full) * (255 / full)
    return np.rint(255 - levels if is_negative else levels).astype(np.uint8)


def _sample_format(tags: Any) -> int:
    return int((tags.get(_SAMPLE_FORMAT) or (_UNSIGNED,))[0])


def unknown_depth(file: IO[bytes]) -> UnreadableError | None:
    """Why an open file cannot be shown, where it is a TIFF of samples that no decoder here has."""
    from PIL.TiffImagePlugin import ImageFileDirectory_v2

    file.seek(0)
    try:
        directory = ImageFileDirectory_v2(file.read(8))
        file.seek(directory.next)
        directory.load(file)
        bits = {int(count) for count in directory.get(_BITS, ())}
    except Exception:  # no TIFF, or a damaged one
        return None
    if not bits - {1, 2, 4, 8}:
        return None
    return UnreadableError("unsupported", UNKNOWN_DEPTH.format(bits=max(bits)))
