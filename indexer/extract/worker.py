"""What runs in the child: one job after the other, each within limits the kernel keeps.

Started by `child.Reader` as `python -m indexer.extract.worker`. It ends with its parent: when the
lifeline pipe closes, the kernel itself ends this process, even in the middle of a decoder that
never comes back to Python.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import resource
import signal
import stat
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from indexer.extract import (
    PageWords,
    Reason,
    Unreadable,
    extract,
    file_format,
    pulse,
    unopened,
)
from indexer.extract.attached import Attached, File
from indexer.extract.frames import packed, unpacked
from indexer.extract.replies import member_of, message_of, place_of
from indexer.extract.sandbox import lock_in
from indexer.passages import Page, Span

TOO_MUCH_MEMORY = "Opening this file takes more memory than Recollect gives to one file."
Answer = Iterator[tuple[dict[str, Any], bytes]]

MOST_OPEN_FILES = 128
# What a file says is gathered for as long, so that a small one is told in one go.
GATHERED_S = 0.1

_fences: list[str] = []


def main(lifeline: int, memory_bytes: int) -> None:
    orders, answers = _own_pipes()
    _limit(lifeline, memory_bytes)
    _fences.extend(lock_in())  # from here on nothing is written, connected to or started

    def alive() -> None:
        answers.write(packed({"alive": True}))
        answers.flush()

    pulse.listen(alive)

    def read(count: int) -> bytes:
        data = orders.read(count)
        if len(data) < count:
            os._exit(0)  # the parent is gone
        return bytes(data)

    while True:
        job, _ = unpacked(read)
        _allow_seconds(job["cpu_s"])
        told_s = time.monotonic()
        for message, at_once in _answers(job):
            answers.write(message)
            if at_once or time.monotonic() - told_s > GATHERED_S:
                answers.flush()
                told_s = time.monotonic()
        _tidy()


def _own_pipes() -> tuple[Any, Any]:
    """Standard input and output become ours; what libraries print goes where errors go."""
    orders, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb", 1 << 16)
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    os.close(nothing)
    return orders, answers


def _limit(lifeline: int, memory_bytes: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGIO, signal.SIG_DFL)  # its default is to end the process
    fcntl.fcntl(lifeline, fcntl.F_SETOWN, os.getpid())
    flags = fcntl.fcntl(lifeline, fcntl.F_GETFL)
    fcntl.fcntl(lifeline, fcntl.F_SETFL, flags | os.O_ASYNC | os.O_NONBLOCK)
    try:
        if os.read(lifeline, 1) == b"":
            os._exit(0)  # it closed before we listened
    except BlockingIOError:
        pass
    _set_limit(resource.RLIMIT_CORE, 0, for_good=True)
    _set_limit(resource.RLIMIT_FSIZE, 0, for_good=True)  # nothing is ever written to a file
    _set_limit(resource.RLIMIT_AS, memory_bytes, for_good=True)
    _set_limit(resource.RLIMIT_NOFILE, MOST_OPEN_FILES, for_good=True)


def _set_limit(which: int, value: int, for_good: bool = False) -> None:
    _, hard = resource.getrlimit(which)
    most = value if hard == resource.RLIM_INFINITY else min(value, hard)
    with contextlib.suppress(ValueError, OSError):  # macOS does not keep every limit
        resource.setrlimit(which, (most, most if for_good else hard))


def _allow_seconds(seconds: float) -> None:
    """Processor time for the job that begins now, on top of what was used so far."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    _set_limit(resource.RLIMIT_CPU, int(used.ru_utime + used.ru_stime + seconds) + 2)


def _answers(job: dict[str, Any]) -> Iterator[tuple[bytes, bool]]:
    """What is said, and whether that is at once: an attachment is named before it is opened, so
    that it is known which one has ended the child."""
    try:
        for head, body in JOBS[job["do"]](job):
            yield packed(head, body), head["is"] == "member"
        yield packed({"done": True}), True
    except Unreadable as problem:
        yield _refusal(problem.reason, problem.sentence)
    except MemoryError:
        yield _refusal("too_large", TOO_MUCH_MEMORY)
    except OSError as problem:
        refused = unopened(problem)
        yield _refusal(refused.reason, refused.sentence)
    except Exception as problem:
        if "malloc" in str(problem) or "memory" in str(problem).lower():
            yield _refusal("too_large", TOO_MUCH_MEMORY)
        else:
            print(f"{type(problem).__name__}: {problem}", file=sys.stderr)
            yield _refusal("corrupt", "This file is damaged and cannot be read.")


def _refusal(reason: Reason, sentence: str) -> tuple[bytes, bool]:
    return packed({"reason": reason, "sentence": sentence}), True


def _tidy() -> None:
    pymupdf = sys.modules.get("pymupdf")
    if pymupdf is not None:
        pymupdf.TOOLS.store_shrink(100)


# The jobs


# The attachment that was asked about last: a page or a stretch of sound seldom comes alone.
_held: tuple[object, Attached] | None = None


def _file(job: dict[str, Any]) -> File:
    """The file at a path, or the attachment of it that is meant; as long as that is the same."""
    global _held
    path = Path(job["path"])
    if job["member"] is None:
        return path
    from indexer.extract import mail

    member, found = member_of(job["member"]), path.stat()
    if not stat.S_ISREG(found.st_mode):
        raise Unreadable("vanished", "The mail this was attached to is not there any more.")
    key = (path, found.st_size, found.st_mtime_ns, member)
    if _held is None or _held[0] != key:
        _held = None
        _held = key, mail.attached(path, member.at, member.content)
    return _held[1]


def _extract(job: dict[str, Any]) -> Answer:
    for piece in extract(Path(job["path"]), job["leave_out"]):
        yield message_of(piece)


def _original(job: dict[str, Any]) -> Answer:
    from indexer.extract import photo, sound, video
    from indexer.extract.pictures import pixels_of

    path, place = _file(job), place_of(job["place"])
    if isinstance(place, Span) and not place.is_moment:
        heard = sound.clip(path, place)
        yield {"is": "sound", "rate_hz": heard.rate_hz}, heard.samples.tobytes()
        return
    if isinstance(place, Page):
        picture = _page_picture(path, place.page, None, job["longest_px"])
    elif isinstance(place, Span):
        picture = video.frame(path, place.start_s, job["longest_px"])
    else:
        picture = photo.upright(path, job["longest_px"])
    pixels = pixels_of(picture)
    yield (
        {"is": "image", "height_px": pixels.shape[0], "width_px": pixels.shape[1]},
        (pixels.tobytes()),
    )


def _page(job: dict[str, Any]) -> Answer:
    from indexer.extract.pictures import webp

    picture = _page_picture(_file(job), job["page"], job["width_px"], None)
    yield {"is": "bytes"}, webp(picture)


def _page_picture(path: File, number: int, width_px: int | None, longest_px: int | None) -> Any:
    from indexer.extract import scan
    from indexer.extract.pictures import rendered

    if file_format(path) == "scan":
        return scan.page(path, number, width_px=width_px, longest_px=longest_px)
    return _with_page(
        path, number, lambda page: rendered(page, width_px=width_px, longest_px=longest_px)
    )


def _with_page(path: File, number: int, see: Callable[[Any], Any]) -> Any:
    """What `see` makes of a page of a document, whether it was set or is laid out by us."""
    from indexer.extract import paged, pdf

    found = file_format(path)
    if found == "pdf":
        with pdf.opened(path) as document:
            return see(pdf.page(document, number))
    if (read := paged.sections_of(found)) is None:
        raise Unreadable("unsupported", "This file has no pages.")
    with paged.page(path, number, read).document() as document:
        return see(document[0])


def _words(job: dict[str, Any]) -> Answer:
    file = _file(job)
    if file_format(file) == "scan":
        from indexer.extract import scan

        picture = scan.page(file, job["page"])
        yield {"is": "page", "width": picture.width, "height": picture.height, "words": []}, b""
        return
    yield {"is": "page", **_with_page(file, job["page"], page_words)}, b""


def page_words(page: Any) -> PageWords:
    """The words of a pymupdf page with their boxes in points."""
    from indexer.extract.characters import clean
    from indexer.extract.mupdf import pymupdf

    lines: dict[tuple[int, int], int] = {}
    words: list[tuple[float, float, float, float, str, int]] = []
    flags = pymupdf.TEXT_PRESERVE_WHITESPACE | pymupdf.TEXT_MEDIABOX_CLIP  # letters, no ligatures
    for x0, y0, x1, y1, word, block, line, _ in page.get_text("words", flags=flags):
        shown = clean(word)
        if shown:
            number = lines.setdefault((block, line), len(lines))
            box = round(x0, 2), round(y0, 2), round(x1, 2), round(y1, 2)
            words.append((*box, shown, number))
    return {
        "width": round(page.rect.width, 2),
        "height": round(page.rect.height, 2),
        "words": words,
    }


def _picture(job: dict[str, Any]) -> Answer:
    from indexer.extract import photo
    from indexer.extract.pictures import webp

    if job["at_s"] is None:
        picture = photo.upright(_file(job), job["longest_px"])
    else:
        from indexer.extract import video

        picture = video.frame(_file(job), job["at_s"], job["longest_px"])
    yield {"is": "bytes"}, webp(picture)


def _peaks(job: dict[str, Any]) -> Answer:
    from indexer.extract import sound

    yield {"is": "peaks", "peaks": sound.peaks(_file(job), job["count"])}, b""


def _stretch(job: dict[str, Any]) -> Answer:
    with _file(job).open("rb") as file:
        file.seek(job["start"])
        yield {"is": "bytes"}, file.read(job["length"])


def _fences_held(job: dict[str, Any]) -> Answer:
    yield {"is": "fences", "fences": _fences}, b""


def _wave(job: dict[str, Any]) -> Answer:
    from indexer.extract import sound

    yield {"is": "bytes"}, sound.wave(_file(job), job["start_s"], job["length_s"], job["rate_hz"])


JOBS: dict[str, Callable[[dict[str, Any]], Answer]] = {
    "extract": _extract,
    "original": _original,
    "page": _page,
    "words": _words,
    "picture": _picture,
    "peaks": _peaks,
    "wave": _wave,
    "stretch": _stretch,
    "fences": _fences_held,
}


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
