#!/usr/bin/env bash
# In short: an Ogg with pages missing in the middle is decoded as if they had never been, the rest too early
# Versions: soundfile 0.14.0 (libsndfile 1.2.2); av 18.1.0 as the other reader
# Expected: an error, or silence in place of what is missing: every page has its number, and the
#   position in samples of its last packet (RFC 3533).
# Instead: no error; the sound is shorter, and all that follows comes earlier by what is missing.
#   FFmpeg gives each block its time.
# Seen:
#   whole: soundfile 30.0 s, av to 30.0 s
#   a fifth of the pages missing: soundfile 24.0 s, av to 30.0 s
# Source: RFC 3533, section 6, "page_sequence_number"; seen by running this.
# Matters: a recording with one bad block of a disk in it. A word found at 20:00 is heard elsewhere
#   in every other player, and nothing tells that minutes are missing. The file is damaged: whole
#   pages were taken out, and all that is left is valid.

set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check \
    'soundfile==0.14.0' 'av==18.1.0' 'numpy==2.4.6'
venv/bin/python - <<'PYTHON'
import io
import re

import av
import numpy as np
import soundfile

RATE, SECONDS = 44_100, 30


def lengths(data: bytes) -> tuple[float, float]:
    """The seconds that soundfile decodes, and the time at which av's last block ends."""
    samples, rate = soundfile.read(io.BytesIO(data))
    with av.open(io.BytesIO(data)) as container:
        ends = [frame.time + frame.samples / rate for frame in container.decode(audio=0)]
    return len(samples) / rate, max(ends)


noise = np.random.default_rng(0).normal(0, 0.1, RATE * SECONDS)
file = io.BytesIO()
with soundfile.SoundFile(file, "w", RATE, 1, format="OGG", subtype="VORBIS") as ogg:
    for second in np.split(noise, SECONDS):  # all in one go is more than its stack holds
        ogg.write(second)
whole = file.getvalue()
starts = [match.start() for match in re.finditer(rb"OggS\0", whole)]
first, last = len(starts) * 2 // 5, len(starts) * 3 // 5
holed = whole[: starts[first]] + whole[starts[last] :]

seen = {}
for name, data in (("whole", whole), ("a fifth of the pages missing", holed)):
    seen[name] = lengths(data)
    print(f"{name}: soundfile {seen[name][0]:.1f} s, av to {seen[name][1]:.1f} s")
(one, other), (short, full) = seen.values()
if abs(one - other) > 0.1 or short > 27 or abs(full - SECONDS) > 0.1:
    raise SystemExit("changed: an Ogg with missing pages")
PYTHON
