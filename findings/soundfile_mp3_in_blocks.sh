#!/usr/bin/env bash
# In short: an MP3 read in blocks is not the MP3 read at once; each block begins with wrong
#   samples
# Versions: soundfile 0.14.0 with libsndfile 1.2.2
# Expected: reading a file in blocks of 10,000 frames and joining them gives the samples of one
#   whole read; decoding goes on where it stopped.
# Instead: after each read soundfile seeks to where the file already stands. For MP3 a seek
#   restarts the decoder, which then lacks the bits that earlier frames had saved for later ones
#   (the bit reservoir), so some thousand samples after each seam are wrong, by more than half of
#   full scale for a steady tone. The lengths agree, and noise, which saves no bits, comes out
#   right.
# Seen:
#   frames, at once and in blocks: 176400 176400
#   wrong frames: 63813 first at 10000
#   largest difference: 0.71
#   the same with FLAC, wrong frames: 0
# Source: `SoundFile._cdata_io` in soundfile.py calls `seek` after each transfer on a seekable
#   file; the rest seen by running this.
# Matters: a long recording is read in blocks to bound memory; a transcript is then made from
#   damaged sound, and no error tells. Reading from a file object whose `seekable()` is false
#   avoids it.

set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check \
    'soundfile==0.14.0' 'numpy==2.4.6'
venv/bin/python - <<'PYTHON'
import numpy as np
import soundfile

RATE_HZ, BLOCK = 44_100, 10_000
time = np.arange(4 * RATE_HZ) / RATE_HZ
tone = (0.4 * np.sin(2 * np.pi * 440 * time) + 0.2 * np.sin(2 * np.pi * 1234 * time)).astype("f4")


def whole_and_blocks(name, signal):
    soundfile.write(name, signal, RATE_HZ)
    whole, _ = soundfile.read(name, dtype="float32")
    with soundfile.SoundFile(name) as file:
        blocks = []
        while len(block := file.read(BLOCK, dtype="float32")):
            blocks.append(block)
    return whole, np.concatenate(blocks)


whole, joined = whole_and_blocks("tone.mp3", tone)
wrong = np.abs(whole - joined) > 0.001
print("frames, at once and in blocks:", len(whole), len(joined))
print("wrong frames:", int(wrong.sum()), "first at", int(wrong.argmax()))
print("largest difference:", round(float(np.abs(whole - joined).max()), 2))
pcm, pcm_joined = whole_and_blocks("tone.flac", tone)
print("the same with FLAC, wrong frames:", int((pcm != pcm_joined).sum()))
if not (len(whole) == len(joined) and wrong.argmax() == BLOCK and wrong.sum() > 10_000):
    raise SystemExit("changed: MP3 read in blocks")
PYTHON
