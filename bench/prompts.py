"""Questions about text, pictures and sounds, put to the model that ships: the demonstration
library's own, each with the source that holds the answer and some that do not."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
from PIL import Image as Picture

from model.interface import Evidence, Image, Sound

POCKET = Path(__file__).parent.parent / "model" / "pocket"
LIBRARY = POCKET / "demonstration"
CLIP_S = 8.0


@dataclass(frozen=True, slots=True)
class Asked:
    """One prompt: a question with its sources, or a picture or sound to describe."""

    question: str
    evidence: tuple[Evidence, ...]


def picture(path: Path) -> Image:
    with Picture.open(path) as opened:
        opened.thumbnail((800, 800))
        return Image(np.asarray(opened.convert("RGB")))


def clip(path: Path) -> Sound:
    """The first seconds of a recording, mono."""
    rate_hz = soundfile.info(path).samplerate
    samples, _ = soundfile.read(path, int(CLIP_S * rate_hz), dtype="float32", always_2d=True)
    return Sound(np.ascontiguousarray(samples.mean(axis=1)), rate_hz)


def media() -> list[Image | Sound]:
    """Every picture and the beginning of every recording."""
    files = sorted(path for path in LIBRARY.rglob("*") if path.is_file())
    pictures = [picture(f) for f in files if f.suffix in {".png", ".jpg", ".webp"}]
    sounds = [clip(f) for f in files if f.suffix in {".wav", ".ogg", ".flac", ".mp3"}]
    return [*pictures, *sounds]


def asked() -> list[Asked]:
    """Every question of the demonstration, sources of text, pictures and sounds mixed."""
    facts = json.loads((POCKET / "demonstration.json").read_text())
    words = {
        file["path"]: " ".join(part["text"] for part in file["words"])[:600]
        for file in facts["files"]
    }
    paths = sorted(words)
    prompts = []
    for at, question in enumerate(facts["questions"]):
        others = [paths[(at * 7 + step) % len(paths)] for step in (3, 11)]
        chosen = [question["path"], *(path for path in others if path != question["path"])]
        evidence = tuple(
            Evidence(n, Path(path).name, words[path], _original(LIBRARY / path) if n == 1 else None)
            for n, path in enumerate(chosen, start=1)
        )
        prompts.append(Asked(question["question"], evidence))
    return prompts


def _original(path: Path) -> Image | Sound | None:
    if path.suffix in {".png", ".jpg", ".webp"}:
        return picture(path)
    return clip(path) if path.suffix in {".wav", ".ogg", ".flac", ".mp3"} else None
