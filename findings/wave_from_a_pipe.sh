#!/usr/bin/env bash
# In short: a WAV file that was written to a pipe has 2,147,483,647 frames for Python's `wave`
# Versions: Python 3.11.7 (module wave); PyAV 18.1.0 with FFmpeg 8.1.2 as the writer, soundfile
#   0.14.0 as the other reader
# Expected: `getnframes()` is the number of frames in the file: one second here.
# Instead: who writes to a pipe cannot go back to fill in the length and writes 0xFFFFFFFF, as
#   FFmpeg does. The module believes it: 37 hours of sound from one second, though the file has 32
#   kB. `readframes(n)` then returns what is there. libsndfile corrects the number by the size of
#   the file.
# Seen:
#   size of the file in bytes: 32078
#   frames by wave: 2147483647 of which it reads 16000
#   frames by libsndfile: 16000
# Source: `Wave_read.initfp` in Lib/wave.py divides the size that the chunk claims by the size of
#   a frame; the rest seen by running this.
# Matters: a limit on the length of recordings refuses the file, a progress bar stands at 0
#   percent, and a buffer made by that number does not fit into memory.

set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check \
    'av==18.1.0' 'soundfile==0.14.0' 'numpy==2.4.6'
venv/bin/python - <<'PYTHON'
import io
import wave

import av
import numpy as np
import soundfile


class Pipe(io.RawIOBase):
    """Takes what is written, and cannot seek."""

    def __init__(self):
        self.taken = bytearray()

    def writable(self):
        return True

    def write(self, data):
        self.taken += bytes(data)
        return len(data)


pipe = Pipe()
with av.open(pipe, "w", format="wav") as container:
    stream = container.add_stream("pcm_s16le", rate=16_000, layout="mono")
    samples = np.zeros((1, 16_000), "i2")
    frame = av.AudioFrame.from_ndarray(samples, format="s16", layout="mono")
    frame.sample_rate = 16_000
    for packet in [*stream.encode(frame), *stream.encode(None)]:
        container.mux(packet)

data = bytes(pipe.taken)
with wave.open(io.BytesIO(data)) as file:
    claimed, read = file.getnframes(), len(file.readframes(100_000)) // 2
print("size of the file in bytes:", len(data))
print("frames by wave:", claimed, "of which it reads", read)
print("frames by libsndfile:", soundfile.info(io.BytesIO(data)).frames)
if not (claimed == 2**31 - 1 and read == 16_000):
    raise SystemExit("changed: the length of a WAV file from a pipe")
PYTHON
