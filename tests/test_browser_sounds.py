"""The second that is shown is the second that is heard, in a real browser, for every format."""

from __future__ import annotations

import io
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile
from playwright.sync_api import Browser

from tests.browser import Visit, chromium, visit
from tests.films import film, recording, stereo, variable_mp3
from tests.pitches import rising, second_played
from tests.served import Running, running, small_library

pytestmark = [pytest.mark.browser, pytest.mark.slow]  # thirty sounds, each played three times

DATA = Path(__file__).parent / "data"
LENGTH_S = 60.0
SECONDS = [50.3, 7.1, 31.7]
MAX_ERROR_S = 0.1
TRIES = 3  # on a busy machine the browser plays a moment late
# Each encoder adds a few hundredths of a second of silence at the joints.
JOINED_S = {"joined.mp3": 0.25, "chained.ogg": 0.1}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


def write_sounds(folder: Path) -> None:
    """The same minute in every format, each with bytes of its own."""
    folder.mkdir()
    sound, narrow = rising(LENGTH_S, 44_100), rising(LENGTH_S, 8_000)
    wide = rising(LENGTH_S, 48_000)
    for subtype in ("PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW", "ALAW"):
        soundfile.write(folder / f"{subtype}.wav", sound, 44_100, subtype)
    for subtype in ("MS_ADPCM", "IMA_ADPCM"):
        soundfile.write(folder / f"{subtype}.wav", sound, 44_100, subtype)
    for subtype in ("GSM610", "G721_32", "NMS_ADPCM_32"):
        soundfile.write(folder / f"{subtype}.wav", narrow, 8_000, subtype)
    soundfile.write(folder / "big endian.wav", sound, 44_100, "PCM_16", endian="BIG")
    with soundfile.SoundFile(folder / "a.ogg", "w", 44_100, 1) as vorbis:
        for block in np.array_split(sound, 60):  # libsndfile cannot write a minute at once
            vorbis.write(block)
    for name in ("a.flac", "constant.mp3", "a.aiff", "a.au", "a.caf"):
        soundfile.write(folder / name, sound, 44_100)
    recording(folder / "a.opus", wide, 48_000, "libopus", container="ogg")
    noise = np.random.default_rng(0).normal(0, 0.2, 4 * 44_100).astype(np.float32)
    uneven = np.concatenate([noise, sound[noise.size :]])
    variable_mp3(folder / "variable.mp3", uneven, 44_100, header=True)
    variable_mp3(folder / "headless.mp3", uneven, 44_100, header=False)
    recording(folder / "layer two.mp3", wide, 48_000, "mp2", container="mp2")
    for name, codec, container in (
        ("a.m4a", "aac", "ipod"),
        ("lossless.m4a", "alac", "ipod"),
        ("a.webm", "libopus", "webm"),
        ("a.mka", "flac", "matroska"),
        ("flac.ogg", "flac", "ogg"),
        ("a.wma", "wmav2", "asf"),
        ("a.amr", "libopencore_amrnb", None),
    ):
        is_narrow = codec == "libopencore_amrnb"
        tone, rate_hz = (narrow, 8_000) if is_narrow else (wide, 48_000)
        recording(folder / name, tone, rate_hz, codec, container=container)
    recording(folder / "a.aac", wide, 48_000, "aac", container="adts")
    recording(folder / "a.weba", wide, 48_000, "libopus", container="webm")
    stereo(folder / "antiphase.m4a", np.stack([wide, -wide]))
    late = rising(56, 48_000, from_s=4)
    for name, video, audio in (
        ("a.mp4", "mpeg4", "aac"),
        ("a.mov", "mpeg4", "pcm_s16le"),
        ("a.mkv", "mpeg4", "libopus"),
        ("a.3gp", "mpeg4", "aac"),
        ("film.webm", "libvpx", "libopus"),
        ("a.avi", "mpeg4", "mp3"),
        ("a.wmv", "wmv2", "wmav2"),
    ):
        begins = {"sound": wide} if name == "a.avi" else {"sound": late, "later_s": 4.0}
        film(folder / name, **begins, audio=audio, video=video, scenes_s=(60,), size=(64, 48))
    recording(folder / "late.m4a", late, 48_000, "aac", container="ipod", later_s=4.0)
    for name, kind, subtype, whole, rate_hz in (
        ("joined.mp3", "MP3", "MPEG_LAYER_III", sound, 44_100),
        ("chained.ogg", "OGG", "OPUS", wide, 48_000),
    ):
        parts = [io.BytesIO() for _ in range(3)]
        for part, third in zip(parts, np.split(whole, 3), strict=True):
            soundfile.write(part, third, rate_hz, format=kind, subtype=subtype)
        (folder / name).write_bytes(b"".join(part.getvalue() for part in parts))
    # `speexenc --quality 2` of the narrow one: nothing installed here writes Speex.
    shutil.copy(DATA / "rising.spx", folder / "a.spx")
    lost = bytearray((folder / "PCM_16.wav").read_bytes())
    lost[4:8] = lost[40:44] = bytes(4)
    (folder / "lost power.wav").write_bytes(lost)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    base = tmp_path_factory.mktemp("sounds")
    write_sounds(base / "files")
    with small_library(base / "files", base / "data") as library, running(library) as server:
        yield server


@pytest.fixture(scope="module")
def tab(browser: Browser, served: Running) -> Iterator[Visit]:
    with visit(browser, served) as opened:
        yield opened


def test_the_second_shown_is_the_second_heard(tab: Visit, served: Running) -> None:
    errors: dict[str, object] = {}
    names = sorted(file["name"] for file in served.library.files(limit=1000)["files"])
    for name in names:
        address = f"{served.url}/api/items/{served.item(name)}/audio"
        for second in SECONDS:
            most_s = MAX_ERROR_S + JOINED_S.get(name, 0.0)
            for _ in range(TRIES):
                try:
                    heard_s, duration_s = second_played(tab.page, address, second)
                except Exception as problem:
                    errors[f"{name} at {second} s"] = str(problem)[:100]
                    continue
                error_s = heard_s - second
                if abs(error_s) <= most_s and abs(duration_s - LENGTH_S) <= most_s:
                    errors.pop(f"{name} at {second} s", None)
                    break
                errors[f"{name} at {second} s"] = error_s
    assert errors == {}
    # The page's own player needs no such processor; the browser warns of ours.
    assert all("ScriptProcessor" in line for line in tab.unexpected), tab.unexpected
    tab.unexpected.clear()
