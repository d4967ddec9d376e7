from __future__ import annotations

import io
import itertools
import struct
import zlib
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pillow_heif
import pytest
from PIL import Image, ImageCms, PngImagePlugin

from indexer.extract.containers.file_format import detect_kind
from indexer.extract.containers.tiff import count_pages
from indexer.extract.dispatch import extract
from indexer.extract.media import photo, scan
from indexer.extract.media.photo import read_upright
from indexer.extract.process.reader import ReaderProcess
from indexer.types.pieces import Facts, MediaPart, Thumb, UnreadableError
from indexer.types.places import Kind, Page
from model.interface import Image as Pixels
from tests.tiffs import grey_tiff


def scene(mode: str = "RGB", size: tuple[int, int] = (160, 80)) -> Image.Image:
    """Left half red, right half blue; the top left corner green."""
    picture = Image.new("RGB", size, (200, 30, 30))
    picture.paste((30, 30, 200), (size[0] // 2, 0, *size))
    picture.paste((30, 200, 30), (0, 0, size[0] // 8, size[1] // 4))
    return picture.convert(mode)


def read(path: Path) -> tuple[Facts, Thumb, MediaPart]:
    facts, thumb, part = list(extract(path))
    assert isinstance(facts, Facts)
    assert isinstance(thumb, Thumb)
    assert isinstance(part, MediaPart)
    return facts, thumb, part


@pytest.mark.parametrize(
    "name", "a.png a.jpg a.webp a.gif a.tif a.bmp a.heic a.avif nameless".split()
)
def test_fault_53_a_photo_is_facts_a_thumb_and_itself(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    if name in ("a.heic", "nameless"):
        pillow_heif.from_pillow(scene(size=(1600, 800))).save(path)
    else:
        scene(size=(1600, 800)).save(path)
    assert detect_kind(path) is Kind.PHOTO
    facts, thumb, part = read(path)
    assert (facts.title, facts.width_px, facts.height_px) == (path.stem, 1600, 800)
    assert part == MediaPart(None)
    assert (thumb.width_px, thumb.height_px) == (480, 240)
    colour = np.array([int(str(facts.colour)[at : at + 2], 16) for at in (1, 3, 5)])
    assert np.abs(colour - [110, 35, 113]).max() < 12


@pytest.mark.parametrize("brand", [b"avif", b"mif1"])
@pytest.mark.parametrize("before", ["nothing", "a HEIC"])
def test_an_avif_is_read_whatever_was_read_before(
    tmp_path: Path, brand: bytes, before: str
) -> None:
    """In the process that reads files, where no test has prepared anything."""
    path, other = tmp_path / "a.avif", tmp_path / "b.heic"
    scene().save(path, quality=95)
    data = bytearray(path.read_bytes())
    data[8:12] = brand  # the compatible brands stay
    path.write_bytes(data)
    pillow_heif.from_pillow(scene()).save(other)
    with ReaderProcess() as reader:
        if before == "a HEIC":
            reader.extract(other)
        facts = next(piece for piece in reader.extract(path) if isinstance(piece, Facts))
        pixels = reader.original(path, None)
    assert (facts.width_px, facts.height_px) == (160, 80)
    assert isinstance(pixels, Pixels)
    assert np.abs(pixels.pixels.astype(int) - np.asarray(scene(), dtype=int)).mean() < 6


TURNS = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


@pytest.mark.parametrize("orientation", TURNS)
@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.webp", "a.tif", "a.avif"])
def test_a_photo_is_turned_upright(tmp_path: Path, orientation: int, name: str) -> None:
    turn = TURNS[orientation]  # how the camera held it, so that the tag turns it back
    stored = scene() if turn is None else scene().transpose(turn)
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / name
    stored.save(path, exif=exif, quality=95)
    shown = np.asarray(read_upright(path, 1600), dtype=int)
    difference = np.abs(shown - np.asarray(scene(), dtype=int))
    assert difference.mean() < 6
    assert (read(path)[0].width_px, read(path)[0].height_px) == (160, 80)


def exif_bytes(tags: dict[int, str], inner: dict[int, str]) -> bytes:
    exif = Image.Exif()
    exif.update(tags)
    exif.get_ifd(0x8769).update(inner)
    return exif.tobytes()


def moment(year: int, month: int, day: int, hour: int, minute: int, second: int = 0) -> float:
    return datetime(year, month, day, hour, minute, second, tzinfo=UTC).timestamp()


H = 3600


@pytest.mark.parametrize(
    ("tags", "inner", "at_s", "offset_s"),
    [
        ({}, {0x9003: "2024:06:01 12:30:00", 0x9011: "+02:00"}, moment(2024, 6, 1, 10, 30), 2 * H),
        ({0x0132: "2023:01:02 03:04:00"}, {0x9011: "+00:00"}, moment(2023, 1, 2, 3, 4), 0),
        ({}, {0x9004: "2018:05:05 10:00:00", 0x9012: "-03:00"}, moment(2018, 5, 5, 13, 0), -3 * H),
        ({}, {0x9003: "2019:07:04 12:00:00", 0x9010: "+09:00"}, moment(2019, 7, 4, 3, 0), 9 * H),
        ({}, {0x9003: "2017:02:21 10:14:22.27-05:30"}, moment(2017, 2, 21, 15, 44, 22), -19_800),
        ({}, {0x9003: "2016:02:21 08:43:48Z"}, moment(2016, 2, 21, 8, 43, 48), 0),
        ({}, {0x9003: "2016:02:21T08:43:48 +0100"}, moment(2016, 2, 21, 7, 43, 48), H),
        ({}, {0x9003: "2015-02-21 10:14:22", 0x9011: "Z"}, moment(2015, 2, 21, 10, 14, 22), 0),
        ({}, {0x9003: "2015/02/21 10:14", 0x9011: "Z"}, moment(2015, 2, 21, 10, 14), 0),
        ({}, {0x9003: "2015.02.21 10.14.22", 0x9011: "Z"}, moment(2015, 2, 21, 10, 14, 22), 0),
        ({}, {0x9003: "20150221101422", 0x9011: "Z"}, moment(2015, 2, 21, 10, 14, 22), 0),
        ({}, {0x9003: "2015:2:1 9:14:22 PM", 0x9011: "Z"}, moment(2015, 2, 1, 21, 14, 22), 0),
        ({}, {0x9003: "2015:02:21", 0x9011: "Z"}, moment(2015, 2, 21, 12, 0), 0),
        ({}, {0x9003: "Sat Feb 21 10:14:22 2015", 0x9011: "Z"}, moment(2015, 2, 21, 10, 14, 22), 0),
        ({}, {0x9003: "2015:02:21 24:05:60\0\0", 0x9011: "Z"}, moment(2015, 2, 21, 0, 5, 59), 0),
        (
            {0x0132: "2020:01:01 00:00:00"},
            {0x9003: "0000:00:00 00:00:00", 0x9004: "2014:03:03 10:00:00", 0x9012: "+00:00"},
            moment(2014, 3, 3, 10, 0),
            0,
        ),
        (
            {0x0132: "2014:03:03 10:00:00"},
            {0x9003: "    :  :     :  :  ", 0x9010: "+00:00"},
            moment(2014, 3, 3, 10, 0),
            0,
        ),
        ({0x0132: "0000:00:00 00:00:00"}, {}, None, None),
        ({0x0132: "2023:02:30 03:04:00"}, {}, None, None),
        ({0x0132: "yesterday"}, {}, None, None),
        ({}, {}, None, None),
    ],
)
def test_when_it_was_taken(
    tmp_path: Path,
    tags: dict[int, str],
    inner: dict[int, str],
    at_s: float | None,
    offset_s: int | None,
) -> None:
    path = tmp_path / "a.jpg"
    scene().save(path, exif=exif_bytes(tags, inner))
    facts = read(path)[0]
    assert (facts.made_at, facts.made_offset_s) == (at_s, offset_s)


def test_without_a_zone_it_was_local_time(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    scene().save(path, exif=exif_bytes({}, {0x9003: "2024:06:01 12:30:00"}))
    clock = datetime(2024, 6, 1, 12, 30)
    offset = clock.astimezone().utcoffset()
    assert read(path)[0].made_at == clock.timestamp()
    assert offset is not None
    assert read(path)[0].made_offset_s == offset.total_seconds()


def test_dates_beside_exif(tmp_path: Path) -> None:
    packet = b'<x:xmpmeta><rdf:Description xmp:CreateDate="2012-05-06T10:11:12+02:00"/></x:xmpmeta>'
    xmp = tmp_path / "xmp.jpg"
    scene().save(xmp, xmp=packet)
    assert read(xmp)[0].made_at == moment(2012, 5, 6, 8, 11, 12)
    text = PngImagePlugin.PngInfo()
    text.add_text("Creation Time", "2011:12:13 14:15:16Z")
    png = tmp_path / "text.png"
    scene().save(png, pnginfo=text)
    assert read(png)[0].made_at == moment(2011, 12, 13, 14, 15, 16)
    gps = Image.Exif()
    gps.get_ifd(0x8825).update({29: "2010:01:02", 7: (3.0, 4.0, 5.0)})
    satellites = tmp_path / "gps.jpg"
    scene().save(satellites, exif=gps.tobytes())
    assert read(satellites)[0].made_at == moment(2010, 1, 2, 3, 4, 5)


def local_s(year: int, month: int, day: int, hour: int, minute: int = 0, second: int = 0) -> float:
    return datetime(year, month, day, hour, minute, second).timestamp()


@pytest.mark.parametrize(
    ("name", "clock"),
    [
        ("IMG-20130704-WA0003.jpg", (2013, 7, 4, 12)),
        ("Screenshot_20120506-101112.png", (2012, 5, 6, 10, 11, 12)),
        ("PXL_20240601_123000123.jpg", (2024, 6, 1, 12, 30, 0)),
        ("Screenshot 2024-06-01 at 12.30.00.png", (2024, 6, 1, 12, 30, 0)),
        ("WhatsApp Image 2019-08-09 at 10.11.12.jpeg", (2019, 8, 9, 10, 11, 12)),
        ("signal-2020-02-03-040506.jpg", (2020, 2, 3, 4, 5, 6)),
        ("123420240601.jpg", None),
        ("IMG_20241301.jpg", None),
        ("IMG_2024.jpg", None),
    ],
)
def test_the_name_has_the_day_where_nothing_else_has(
    tmp_path: Path, name: str, clock: tuple[int, ...] | None
) -> None:
    path = tmp_path / name
    scene().save(path)
    assert read(path)[0].made_at == (None if clock is None else local_s(*clock))
    scene().save(path, exif=exif_bytes({}, {0x9003: "2001:02:03 04:05:06", 0x9011: "Z"}))
    assert read(path)[0].made_at == moment(2001, 2, 3, 4, 5, 6)


@pytest.mark.parametrize("mode", ["L", "P", "RGBA", "LA", "CMYK", "1", "I;16"])
def test_every_mode_becomes_rgb(tmp_path: Path, mode: str) -> None:
    path = tmp_path / ("a.jpg" if mode == "CMYK" else "a.png")
    if mode == "I;16":
        grey = np.asarray(scene("L"), dtype=np.uint16) * 257
        Image.fromarray(grey).save(path)
        expected = scene("L").convert("RGB")
    else:
        scene(mode).save(path, quality=100)
        expected = scene(mode).convert("RGB")
    shown = np.asarray(read_upright(path, 1600), dtype=int)
    assert np.abs(shown - np.asarray(expected, dtype=int)).mean() <= 2


def test_what_is_transparent_becomes_white(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    Image.new("RGBA", (20, 20), (255, 0, 0, 0)).save(path)
    assert np.asarray(read_upright(path, 100)).min() == 255
    palette = Image.new("RGB", (20, 20), "red").quantize(2)
    palette.save(path, transparency=palette.getpixel((0, 0)))
    assert np.asarray(read_upright(path, 100)).min() == 255


def test_a_profile_is_applied_and_a_bad_one_ignored(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for icc in (profile, b"no profile", profile[:300]):
        scene().save(path, icc_profile=icc)
        shown = np.asarray(read_upright(path, 1600), dtype=int)
        assert np.abs(shown - np.asarray(scene(), dtype=int)).mean() <= 2


def swapped_profile() -> bytes:
    """sRGB with the red and the green primary in each other's place."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    count = int.from_bytes(profile[128:132], "big")
    entries = {bytes(profile[at : at + 4]): at for at in range(132, 132 + 12 * count, 12)}
    red, green = entries[b"rXYZ"], entries[b"gXYZ"]
    profile[red : red + 4], profile[green : green + 4] = b"gXYZ", b"rXYZ"
    return bytes(profile)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P"])
def test_a_profile_holds_in_every_mode(tmp_path: Path, mode: str) -> None:
    path = tmp_path / "a.png"
    plain = Image.new("RGB", (20, 20), (200, 30, 40))
    picture = plain.quantize(4) if mode == "P" else plain.convert(mode)
    picture.save(path, icc_profile=swapped_profile())
    shown = np.asarray(read_upright(path, 100), dtype=int)
    assert np.abs(shown - [30, 200, 40]).max() <= 4


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P", "L", "LA"])
@pytest.mark.parametrize(("gamma", "middle"), [(1.0, 188), (1 / 2.2, 128), (1e-5, 128)])
def test_the_gamma_of_a_png_is_applied(
    tmp_path: Path, mode: str, gamma: float, middle: int
) -> None:
    path = tmp_path / "a.png"
    grey = Image.new("L", (20, 20), 128)
    (grey.convert("RGB").quantize(2) if mode == "P" else grey.convert(mode)).save(path)
    data = path.read_bytes()
    content = b"gAMA" + round(gamma * 100_000).to_bytes(4, "big")
    chunk = (4).to_bytes(4, "big") + content + zlib.crc32(content).to_bytes(4, "big")
    path.write_bytes(data[:33] + chunk + data[33:])
    assert np.abs(np.asarray(read_upright(path, 100), dtype=int) - middle).max() <= 2


GREY = np.linspace(0, 1, 48)[None].repeat(24, axis=0)
GREY[:6] = GREY[:6, ::-1]


def test_grey_tiff_of_every_depth_is_as_it_is_seen(tmp_path: Path) -> None:
    """In both byte orders, as a positive and as a negative, in strips and tiles, compressed."""
    path, wrong = tmp_path / "a.tif", []
    kinds = [(bits, "u") for bits in (1, 2, 4, 8, 12, 16, 32)] + [(32, "f"), (64, "f")]
    flags = list(itertools.product((False, True), repeat=3))
    for (bits, kind), order, layout in itertools.product(kinds, "<>", flags):
        grey = GREY.round() if bits == 1 else GREY
        path.write_bytes(grey_tiff(grey, bits, kind, order, *layout))
        shown = np.asarray(read_upright(path, 100))[..., 1] / 255
        if np.abs(shown - grey).max() > 0.5 / (2 ** min(bits, 5) - 1):
            wrong.append((bits, kind, order, layout))
    assert wrong == []


@pytest.mark.parametrize(("bits", "kind"), [(10, "u"), (14, "u"), (24, "u"), (16, "f")])
def test_tiff_of_a_depth_that_is_not_read_says_so(tmp_path: Path, bits: int, kind: str) -> None:
    path = tmp_path / "a.tif"
    path.write_bytes(grey_tiff(GREY, bits, kind, "<", negative=False))
    with pytest.raises(UnreadableError) as problem:
        read_upright(path, 100)
    assert problem.value.reason == "unsupported"
    assert f"({bits} bits each); save it with 8 bits." in problem.value.sentence


def test_a_tiff_in_lab_has_its_colours(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    lab = ImageCms.profileToProfile(
        Image.new("RGB", (20, 20), (200, 30, 40)),
        ImageCms.createProfile("sRGB"),
        ImageCms.createProfile("LAB"),
        outputMode="LAB",
    )
    assert lab is not None
    lab.save(path)
    shown = np.asarray(read_upright(path, 100), dtype=int)
    assert np.abs(shown - [200, 30, 40]).max() <= 4


@pytest.mark.parametrize("size", [(1, 1), (1, 20_000), (20_000, 1), (7, 3)])
def test_odd_sizes(tmp_path: Path, size: tuple[int, int]) -> None:
    path = tmp_path / "a.png"
    Image.new("RGB", size, "navy").save(path)
    _, thumb, _ = read(path)
    assert min(thumb.width_px, thumb.height_px) >= 1
    assert max(thumb.width_px, thumb.height_px) <= 480


@pytest.mark.parametrize("size", [(0, 60), (90, 0)])
def test_a_picture_without_pixels_says_so(tmp_path: Path, size: tuple[int, int]) -> None:
    path = tmp_path / "a.bmp"
    Image.new("RGB", (90, 60)).save(path)
    data = bytearray(path.read_bytes())
    data[18:26] = struct.pack("<ii", *size)
    path.write_bytes(data)
    with pytest.raises(UnreadableError) as refused:
        read(path)
    assert refused.value.reason == "corrupt"


def test_a_large_jpeg_is_decoded_small(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    scene(size=(3000, 2000)).save(path)
    facts, _, _ = read(path)
    assert (facts.width_px, facts.height_px) == (3000, 2000)
    assert read_upright(path, 700).size == (700, 467)


def test_too_many_pixels_are_refused_from_the_header(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(photo, "MAX_PIXELS", 10_000)
    path = tmp_path / "a.png"
    scene().save(path)
    with pytest.raises(UnreadableError, match="more pixels") as refused:
        list(extract(path))
    assert refused.value.reason == "too_large"


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.webp"])
@pytest.mark.parametrize("share", [0.02, 0.5])
def test_a_damaged_picture_says_so(tmp_path: Path, name: str, share: float) -> None:
    stream = io.BytesIO()
    noise = Image.effect_noise((300, 300), 90).convert("RGB")
    noise.save(stream, {"png": "PNG", "jpg": "JPEG", "webp": "WEBP"}[name[2:]])
    data = stream.getvalue()
    path = tmp_path / name
    path.write_bytes(data[: max(30, int(len(data) * share))])
    with pytest.raises(UnreadableError, match="damaged and cannot be opened") as refused:
        list(extract(path))
    assert refused.value.reason == "corrupt"


@pytest.mark.parametrize("format", ["PPM", "EPS", "PCX", "TGA", "ICNS", "JPEG2000", "SGI"])
def test_fault_54_other_formats_are_not_decoded_under_a_good_name(
    tmp_path: Path, format: str
) -> None:
    path = tmp_path / "a.png"
    scene().save(path, format)
    with pytest.raises(UnreadableError):
        list(extract(path))


@pytest.mark.parametrize("name", ["a.webp", "a.gif", "a.png"])
def test_fault_51_an_animation_is_its_first_frame(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    scene().save(path, save_all=True, append_images=[Image.new("RGB", (160, 80), "white")] * 3)
    assert np.asarray(read_upright(path, 160))[40, 120, 2] > 150
    assert read(path)[0].notes[0].sentence.startswith("Of this animation")


def test_the_raw_photo_of_a_camera_is_not_taken_for_its_preview(tmp_path: Path) -> None:
    path = tmp_path / "a.nef"
    scene().save(path, "TIFF")
    assert detect_kind(path) is None


def test_fault_41_a_picture_under_the_name_of_a_text_is_a_picture(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    scene().save(path, "GIF")
    assert detect_kind(path) is Kind.PHOTO
    assert len(list(extract(path))) == 3


def pages_of(path: Path, colours: list[str], large: bool = False) -> Path:
    pictures = [Image.new("RGB", (120, 170), colour) for colour in colours]
    more: dict[str, object] = {"big_tiff": True} if large else {}
    pictures[0].save(path, "TIFF", save_all=True, append_images=pictures[1:], **more)
    return path


@pytest.mark.parametrize("large", [False, True])
def test_fault_51_a_tiff_of_several_pages_is_a_document(tmp_path: Path, large: bool) -> None:
    path = pages_of(tmp_path / "fax.tif", ["#aa0000", "#00aa00", "#0000aa"], large)
    assert detect_kind(path) is Kind.DOCUMENT
    pieces = list(extract(path))
    assert [p.place for p in pieces if isinstance(p, MediaPart)] == [Page(1), Page(2), Page(3)]
    facts = next(piece for piece in pieces if isinstance(piece, Facts))
    assert facts.pages == 3
    for number, channel in ((1, 0), (2, 1), (3, 2)):
        picture = scan.draw_page(path, number, width_px=60)
        assert picture.size == (60, 85)
        assert int(np.argmax(np.asarray(picture)[5, 5])) == channel
    with pytest.raises(UnreadableError, match="no page 4"):
        scan.draw_page(path, 4)


def test_fault_51_pages_beyond_counting_and_pages_in_a_circle(tmp_path: Path) -> None:
    path = pages_of(tmp_path / "a.tif", ["red", "green"])
    data = bytearray(path.read_bytes())
    first = int.from_bytes(data[4:8], "little")
    entries = int.from_bytes(data[first : first + 2], "little")
    link = first + 2 + 12 * entries
    data[link : link + 4] = first.to_bytes(4, "little")  # the next page is this one again
    path.write_bytes(data)
    with path.open("rb") as file:
        assert count_pages(file, 1_000) == 1
    many = tmp_path / "many.tif"
    head, entry = b"II*\0\x08\0\0\0", bytes(12)
    directory = b"\x01\0" + entry
    many.write_bytes(
        head
        + b"".join(
            directory + (8 + 18 * (n + 1) if n < 9_999 else 0).to_bytes(4, "little")
            for n in range(10_000)
        )
    )
    with many.open("rb") as file:
        assert count_pages(file, 100_000) == 10_000
        assert count_pages(file, 1_001) == 1_001
    with pytest.raises(UnreadableError):
        list(extract(many))


def test_fault_49_a_picture_with_alpha_is_held_once_and_not_thrice(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    whole = scene("RGBA", (3000, 1500))
    whole.putalpha(128)
    whole.save(path, compress_level=1)
    shown = np.asarray(read_upright(path, 300))
    assert shown.shape == (150, 300, 3)
    assert shown[100, 250] == pytest.approx([142, 142, 227], abs=3)
