"""Voice activity detection: Silero's model, run on numpy.

The weights are those of its wheel (silero-vad, MIT). The wheel runs them on torch, which maps more
memory than the child may have and takes seconds to import, or on onnxruntime, which reports to its
maker. The model is five small layers and one recurrent cell; tests compare the implementation here
with the wheel's own on torch.
"""

from __future__ import annotations

import functools
import importlib.util
from pathlib import Path

import numpy as np

from model.interface import Float32

CHUNK = 512  # samples at 16 kHz for one probability
_CONTEXT = 64  # samples of the chunk before
_PADDING = 64  # mirrored behind the chunk
_FFT, _STRIDE, _BINS = 256, 128, 129
_CELL = 128
_BATCH = 512  # chunks


class SpeechDetector:
    """Detects speech in one recording, fed from its start: mono float32 at 16 kHz, in blocks of any
    size."""

    def __init__(self) -> None:
        self._weights = _weights()
        self._samples = np.zeros(_CONTEXT, np.float32)  # the context, and an incomplete chunk
        self._hidden = np.zeros(_CELL, np.float32)
        self._memory = np.zeros(_CELL, np.float32)

    def feed(self, samples: Float32) -> Float32:
        """The probability of speech (n,) in each chunk of 512 samples that is complete."""
        self._samples = np.concatenate([self._samples, samples])
        probabilities: list[Float32] = []
        while (count := min(_BATCH, (self._samples.size - _CONTEXT) // CHUNK)) > 0:
            batch = self._samples[: _CONTEXT + count * CHUNK]
            chunks = np.lib.stride_tricks.sliding_window_view(batch, _CONTEXT + CHUNK)[::CHUNK]
            probabilities.append(self._recurrent(self._features(chunks)))
            self._samples = self._samples[count * CHUNK :]
        return np.concatenate([np.zeros(0, np.float32), *probabilities])

    def finish(self) -> Float32:
        """The probability (0 or 1 of them) of an incomplete chunk, padded with silence."""
        left = self._samples.size - _CONTEXT
        return (
            self.feed(np.zeros(CHUNK - left, np.float32)) if left else self.feed(self._samples[:0])
        )

    def _features(self, chunks: Float32) -> Float32:
        """(n, 576) samples -> (n, 128): magnitudes of four short spectra, and four convolutions."""
        w = self._weights
        mirrored = chunks[:, -_PADDING - 1 : -1][:, ::-1]
        padded = np.concatenate([chunks, mirrored], axis=1)
        frames = np.lib.stride_tricks.sliding_window_view(padded, _FFT, axis=1)[:, ::_STRIDE]
        spectra = frames @ w["stft_conv.weight"][:, 0].T  # (n, 4, 258): real parts, imaginary ones
        x = np.sqrt(spectra[..., :_BINS] ** 2 + spectra[..., _BINS:] ** 2)
        for layer, stride in (("conv1", 1), ("conv2", 2), ("conv3", 2), ("conv4", 1)):
            x = _convolve(x, w[f"{layer}.weight"], w[f"{layer}.bias"], stride)
        features: Float32 = x[:, 0]
        return features

    def _recurrent(self, features: Float32) -> Float32:
        """(n, 128) -> (n,): one step of the cell for each chunk."""
        w = self._weights
        # A logistic is a tanh of half its argument: one tanh does all four gates of a step.
        scale = np.repeat(np.array([0.5, 0.5, 1.0, 0.5], np.float32), _CELL)
        inputs = features @ w["lstm_cell.weight_ih"].T
        inputs = (inputs + w["lstm_cell.bias_ih"] + w["lstm_cell.bias_hh"]) * scale
        recurrent = w["lstm_cell.weight_hh"] * scale[:, None]
        hidden, memory = self._hidden, self._memory
        states = np.empty((len(features), _CELL), np.float32)
        for n, step in enumerate(inputs):
            gates = np.tanh(recurrent @ hidden + step).reshape(4, _CELL)
            input_gate, forget_gate, candidate, output_gate = gates
            memory = (forget_gate + 1) * memory
            memory += (input_gate + 1) * candidate
            memory *= 0.5
            hidden = (output_gate + 1) * np.tanh(memory)
            hidden *= 0.5
            states[n] = hidden
        self._hidden, self._memory = hidden, memory
        last = np.maximum(states, 0) @ w["final_conv.weight"][0, :, 0] + w["final_conv.bias"]
        speech: Float32 = 0.5 * np.tanh(0.5 * last) + 0.5
        return speech


def _convolve(x: Float32, weight: Float32, bias: Float32, stride: int) -> Float32:
    """(n, frames, in) -> (n, frames / stride, out), a frame of zeros on both sides, rectified."""
    padded = np.pad(x, ((0, 0), (1, 1), (0, 0)))
    starts = range(0, x.shape[1], stride)
    rows = np.stack([padded[:, at : at + 3].reshape(len(x), -1) for at in starts], axis=1)
    flat = weight.transpose(2, 1, 0).reshape(-1, weight.shape[0])
    output: Float32 = np.maximum(rows @ flat + bias, 0)
    return output


@functools.cache
def _weights() -> dict[str, Float32]:
    from safetensors.numpy import load_file

    package = importlib.util.find_spec("silero_vad")  # found, not imported: that imports torch
    if package is None or not package.submodule_search_locations:
        raise ImportError("silero-vad is not installed")
    folder = Path(package.submodule_search_locations[0])
    return dict(load_file(folder / "data" / "silero_vad_16k.safetensors"))
