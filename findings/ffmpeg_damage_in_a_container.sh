#!/usr/bin/env bash
# In short: foreign bytes inside an MP3 are packets that do not decode; inside a WebM they leave no sign at all
# Versions: av 18.1.0
# Expected: what was damaged is marked as corrupt or does not decode, in every format, so that a program can say
#   where a recording has a hole.
# Instead: the reader of WebM and Matroska passes over what is no packet to the next one. No packet is marked, none
#   fails; the log, which is one for the whole process, is the only place that tells.
# Seen:
#   a.mp3 : packets that fail: 3, marked as corrupt: 0, seconds missing: 0.54
#   a.webm: packets that fail: 0, marked as corrupt: 0, seconds missing: 4.82
# Source: seen by running this. Three thousand bytes in the middle are replaced by random ones here, on purpose.
# Matters: a recording with a hole is called whole. The jump in its times proves nothing: a pause that was never
#   recorded leaves one too.

set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check 'av==18.1.0' 'numpy==2.4.6'
venv/bin/python -W ignore - <<'PYTHON'
import pathlib
import av
import numpy as np

RATE = 48_000
sound = (0.3 * np.sin(np.arange(20 * RATE) * 0.06)).astype(np.float32)[None]


def write(name: str, codec: str) -> None:
    with av.open(name, "w") as out:
        stream = out.add_stream(codec, rate=RATE)
        stream.layout = "mono"
        frame = av.AudioFrame.from_ndarray(sound, "flt", "mono")
        frame.rate = RATE
        for part in (*av.AudioResampler(stream.format, "mono", RATE).resample(frame), None):
            out.mux(stream.encode(part))


def read(name: str) -> tuple[int, int, float]:
    failed = marked = 0
    heard_s = 0.0
    with av.open(name) as file:
        for packet in file.demux(file.streams.audio[0]):
            marked += packet.is_corrupt
            try:
                heard_s += sum(frame.samples / frame.sample_rate for frame in packet.decode())
            except av.error.FFmpegError:
                failed += 1
    return failed, marked, heard_s


seen = {}
for name, codec in (("a.mp3", "libmp3lame"), ("a.webm", "libopus")):
    write(name, codec)
    whole_s = read(name)[2]
    data = bytearray(pathlib.Path(name).read_bytes())
    half = len(data) // 2
    data[half : half + 3_000] = np.random.default_rng(1).bytes(3_000)
    pathlib.Path(name).write_bytes(data)
    failed, marked, heard_s = read(name)
    seen[name] = (failed > 0, marked > 0, whole_s - heard_s > 0.1)
    print(f"{name:6}: packets that fail: {failed}, marked as corrupt: {marked},", end=" ")
    print(f"seconds missing: {whole_s - heard_s:.2f}")
if seen != {"a.mp3": (True, False, True), "a.webm": (False, False, True)}:
    raise SystemExit("changed: damage inside a WebM or an MP3")
PYTHON
