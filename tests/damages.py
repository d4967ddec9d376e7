"""What may befall the files of the tables: cut in half, gone, bits of them flipped."""

from __future__ import annotations

import functools
import random
from collections.abc import Callable
from pathlib import Path


def data_files(data: Path, table: str) -> list[Path]:
    return sorted((data / "lance").glob(f"{table}.lance/data/*"))


def halve(files: list[Path]) -> None:
    for file in files:
        held = file.read_bytes()
        file.write_bytes(held[: len(held) // 2])


def remove(files: list[Path]) -> None:
    for file in files:
        file.unlink()


def alter(data: Path, pattern: str, old: str, new: str) -> None:
    """Other letters, as many, wherever they stand in the files."""
    assert len(old) == len(new)
    altered = 0
    for file in (data / "lance").glob(pattern):
        held = file.read_bytes()
        altered += held.count(old.encode())
        file.write_bytes(held.replace(old.encode(), new.encode()))
    assert altered


def flip(seed: int, pattern: str, data: Path) -> None:
    """Thirty bits of the files together."""
    files = sorted(
        file for file in (data / "lance").glob(pattern) if file.is_file() and file.stat().st_size
    )
    chance = random.Random(seed)
    for _ in range(30):
        file = chance.choice(files)
        held = bytearray(file.read_bytes())
        held[chance.randrange(len(held))] ^= 1 << chance.randrange(8)
        file.write_bytes(bytes(held))


DAMAGES: dict[str, Callable[[Path], None]] = {
    "words cut in half": lambda data: halve(data_files(data, "words")),
    "words gone": lambda data: remove(data_files(data, "words")),
    "gist gone": lambda data: remove(data_files(data, "gist_*")),
    "body cut in half": lambda data: halve(data_files(data, "body_*")[:1]),
    "every vector gone": lambda data: remove(data_files(data, "[gb]*_*")),
    **{f"bits of the data {n}": functools.partial(flip, n, "*.lance/data/*") for n in range(4)},
    **{f"bits of any file {n}": functools.partial(flip, n, "**/*.*") for n in range(3)},
}
