"""The jobs of the child by name, and what answers each.

A job is a JSON object; an answer is messages, which `messages` reads again. What is wrong with a
file is raised, and `worker` turns it into a refusal.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from indexer.extract.containers.file_format import detect_format
from indexer.extract.dispatch import extract, find_member, section_reader
from indexer.extract.pages.page_words import page_words
from indexer.extract.pages.typesetting import PageSource
from indexer.extract.process.cuts import with_cuts
from indexer.extract.process.messages import member_from_json, message_from_piece
from indexer.extract.process.protocol import Message
from indexer.files.opening import open_regular
from indexer.types.attachments import File, MemoryFile
from indexer.types.formats import Format
from indexer.types.pieces import PageWords, UnreadableError
from indexer.types.places import Page, Span, place_from

Answer = Iterator[Message]

sandbox_layers: list[str] = []  # names of what confines this process; set by `worker`

# The attachment that was asked for last: several of its pages or seconds are asked for in a row.
_last_attachment: tuple[object, MemoryFile] | None = None


def _file(job: dict[str, Any]) -> File:
    """The file at a path, or the attachment of it that is meant. Raises UnreadableError."""
    global _last_attachment
    path = Path(job["path"])
    os.close(open_regular(path))
    if job["member"] is None:
        return path
    member, status = member_from_json(job["member"]), path.stat()
    if not stat.S_ISREG(status.st_mode):
        raise UnreadableError("vanished", "The file this was part of is not there any more.")
    key = (path, status.st_size, status.st_mtime_ns, member)
    if _last_attachment is None or _last_attachment[0] != key:
        _last_attachment = None
        _last_attachment = key, find_member(path, member)
    return _last_attachment[1]


def _extract(job: dict[str, Any]) -> Answer:
    for piece in extract(Path(job["path"]), job["leave_out"]):
        yield message_from_piece(with_cuts(piece))


def _original(job: dict[str, Any]) -> Answer:
    from indexer.extract.media import photo, sound, video
    from indexer.extract.pages.rasters import pixel_array

    path, place = _file(job), place_from(job["place"])
    if isinstance(place, Span) and not place.is_moment:
        clip = sound.read_clip(path, place)
        yield {"is": "sound", "rate_hz": clip.rate_hz}, clip.samples.tobytes()
        return
    if isinstance(place, Page):
        picture = _page_picture(path, place.page, None, job["longest_px"])
    elif isinstance(place, Span):
        picture = video.read_frame(path, place.start_s, job["longest_px"])
    else:
        picture = photo.read_upright(path, job["longest_px"])
    pixels = pixel_array(picture)
    yield (
        {"is": "image", "height_px": pixels.shape[0], "width_px": pixels.shape[1]},
        pixels.tobytes(),
    )


def _page(job: dict[str, Any]) -> Answer:
    from indexer.extract.pages.rasters import encode_webp

    picture = _page_picture(_file(job), job["page"], job["width_px"], None)
    yield {"is": "bytes"}, encode_webp(picture)


def _page_picture(path: File, number: int, width_px: int | None, longest_px: int | None) -> Any:
    from indexer.extract.formats.pdf.opening import load_page, open_pdf
    from indexer.extract.media import scan
    from indexer.extract.pages.rasters import render

    file_format = detect_format(path)
    if file_format == "scan":
        return scan.draw_page(path, number, width_px=width_px, longest_px=longest_px)
    if file_format == "pdf":
        with open_pdf(path) as document:
            page = load_page(document, number)
            return render(page, width_px=width_px, longest_px=longest_px)
    with _page_source(path, file_format, number).document() as document:
        return render(document[0], width_px=width_px, longest_px=longest_px)


def _page_source(path: File, file_format: Format | None, number: int) -> PageSource:
    """A page of a document that is laid out here. Raises UnreadableError."""
    from indexer.extract.formats import block_documents

    if (read := section_reader(file_format)) is None:
        raise UnreadableError("unsupported", "This file has no pages.")
    return block_documents.find_page_source(path, number, read)


def _words(job: dict[str, Any]) -> Answer:
    yield {"is": "page", **_page_words(_file(job), job["page"])}, b""


def _page_words(file: File, number: int) -> PageWords:
    from indexer.extract.formats.pdf.opening import load_page, open_pdf
    from indexer.extract.media import scan

    file_format = detect_format(file)
    if file_format == "scan":
        picture = scan.draw_page(file, number)
        return {"width": picture.width, "height": picture.height, "words": []}
    if file_format == "pdf":
        with open_pdf(file) as document:
            return page_words(load_page(document, number))
    return _page_source(file, file_format, number).words()


def _picture(job: dict[str, Any]) -> Answer:
    from indexer.extract.media import photo
    from indexer.extract.pages.rasters import encode_webp

    if job["at_s"] is None:
        picture = photo.read_upright(_file(job), job["longest_px"])
    else:
        from indexer.extract.media import video

        picture = video.read_frame(_file(job), job["at_s"], job["longest_px"])
    yield {"is": "bytes"}, encode_webp(picture)


def _peaks(job: dict[str, Any]) -> Answer:
    from indexer.extract.media import sound

    yield {"is": "peaks", "peaks": sound.read_peaks(_file(job), job["count"], job["track"])}, b""


def _playable(job: dict[str, Any]) -> Answer:
    from indexer.extract.media.playback import playable_type

    yield {"is": "playable", "type": playable_type(_file(job))}, b""


def _member_bytes(job: dict[str, Any]) -> Answer:
    with _file(job).open("rb") as file:
        file.seek(job["start"])
        yield {"is": "bytes"}, file.read(job["length"])


def _sandbox_layers(job: dict[str, Any]) -> Answer:
    yield {"is": "sandbox_layers", "layers": sandbox_layers}, b""


def _pcm(job: dict[str, Any]) -> Answer:
    from indexer.extract.media import sound

    yield (
        {"is": "bytes"},
        sound.read_pcm(_file(job), job["start_s"], job["length_s"], job["rate_hz"], job["track"]),
    )


JOBS: dict[str, Callable[[dict[str, Any]], Answer]] = {
    "extract": _extract,
    "original": _original,
    "page": _page,
    "words": _words,
    "picture": _picture,
    "peaks": _peaks,
    "pcm": _pcm,
    "playable": _playable,
    "member_bytes": _member_bytes,
    "sandbox_layers": _sandbox_layers,
}
