#!/usr/bin/env bash
# In short: of an MP3 of 36 seconds with a changing bit rate and no length header, 6 seconds are
#   read
# Versions: soundfile 0.14.0 with libsndfile 1.2.2; PyAV 18.1.0 with FFmpeg 8.1.2 as the other
#   reader
# Expected: a read to the end of the file gives all of it; a wrong guess of the length is a matter
#   of the progress bar.
# Instead: where the Xing header is missing, as in a stream that was cut or recorded, libsndfile
#   computes the number of frames from the first frame's bit rate and the file's size, and stops
#   there. The last 30 seconds are in the file and are never decoded. No error, no warning. FFmpeg
#   decodes to the end of the file.
# Seen:
#   seconds encoded: 36.0
#   seconds read by libsndfile: 6.0
#   seconds decoded by FFmpeg: 36.0
# Source: seen by running this.
# Matters: what was said after the guessed end is missing from the transcript of a recording, and
#   nothing shows it. The length an audio library announces must not bound what is read.

set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check \
    'soundfile==0.14.0' 'av==18.1.0' 'numpy==2.4.6'
venv/bin/python - <<'PYTHON'
import av
import numpy as np
import soundfile

RATE_HZ = 44_100
noise = np.random.default_rng(0)
parts = noise.normal(0, 0.2, 4 * RATE_HZ), np.zeros(30 * RATE_HZ), noise.normal(0, 0.2, 2 * RATE_HZ)
signal = np.concatenate(parts).astype("f4")

with av.open("noise-silence-noise.mp3", "w", options={"write_xing": "0"}) as container:
    stream = container.add_stream("libmp3lame", rate=RATE_HZ, layout="mono")
    stream.codec_context.flags |= av.codec.context.Flags.qscale
    stream.codec_context.global_quality = 2 * 118  # quality 2 in FFmpeg's lambda units
    frame = av.AudioFrame.from_ndarray(signal[None], format="fltp", layout="mono")
    frame.sample_rate = RATE_HZ
    for packet in [*stream.encode(frame), *stream.encode(None)]:
        container.mux(packet)

read, _ = soundfile.read("noise-silence-noise.mp3")
with av.open("noise-silence-noise.mp3") as container:
    decoded = sum(frame.samples for frame in container.decode(audio=0))
print("seconds encoded:", len(signal) / RATE_HZ)
print("seconds read by libsndfile:", round(len(read) / RATE_HZ, 1))
print("seconds decoded by FFmpeg:", round(decoded / RATE_HZ, 1))
if not (len(read) < len(signal) / 2 and decoded >= len(signal)):
    raise SystemExit("changed: libsndfile and the length of an MP3 without a Xing header")
PYTHON
