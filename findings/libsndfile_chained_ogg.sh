#!/usr/bin/env bash
# In short: of an Ogg file made of two recordings one after the other, only the first is read
# Versions: soundfile 0.14.0 with libsndfile 1.2.2; PyAV 18.1.0 with FFmpeg 8.1.2 as the other
#   reader
# Expected: Ogg allows one logical stream after another in one file ("chaining"); a recorder that
#   pauses and a web radio that changes the title write such files. A reader gives all of it, or
#   an error.
# Instead: libsndfile reports the length of the first link and reads no further, for Vorbis and
#   for Opus. The second half is silently missing. FFmpeg decodes both.
# Seen:
#   VORBIS: written 6.0 s, libsndfile 3.0 s, FFmpeg 6.0 s
#   OPUS: written 6.0 s, libsndfile 3.0 s, FFmpeg 6.0 s
# Source: RFC 3533, section 4 (chained physical bitstreams); the rest seen by running this.
# Matters: `cat a.ogg b.ogg` is a valid way to join recordings, and half of the words would never
#   be searchable.

set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check \
    'soundfile==0.14.0' 'av==18.1.0' 'numpy==2.4.6'
venv/bin/python - <<'PYTHON'
import io

import av
import numpy as np
import soundfile

for codec, rate_hz in (("VORBIS", 44_100), ("OPUS", 48_000)):
    links = b""
    for pitch_hz in (440, 660):
        time = np.arange(3 * rate_hz) / rate_hz
        file = io.BytesIO()
        tone = 0.3 * np.sin(2 * np.pi * pitch_hz * time)
        soundfile.write(file, tone, rate_hz, format="OGG", subtype=codec)
        links += file.getvalue()
    read, _ = soundfile.read(io.BytesIO(links))
    with av.open(io.BytesIO(links)) as container:
        decoded = sum(frame.samples for frame in container.decode(audio=0))
    read_s, decoded_s = len(read) / rate_hz, decoded / rate_hz
    print(f"{codec}: written 6.0 s, libsndfile {read_s:.1f} s, FFmpeg {decoded_s:.1f} s")
    if not (2.9 < read_s < 3.1 and decoded_s > 5.9):
        raise SystemExit("changed: chained Ogg")
PYTHON
