"""Safetensors files, read tensor by tensor: their headers, and whether they are complete.

Read with plain reads into memory that is allocated already. Mapping a whole shard, as the library
does, counts every touched page as memory of this process, gigabytes of them.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from model.interface import ModelError
from model.weights.model_file import open_regular

ITEM_BYTES = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2, "I64": 8, "I32": 4, "I8": 1, "U8": 1}
ITEM_BYTES |= {"F8_E4M3": 1, "F8_E5M2": 1, "I16": 2, "BOOL": 1}
BLOCK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class StoredTensor:
    """One tensor in its file: bytes `start` to `end`, `dtype` as safetensors calls it."""

    file: Path
    dtype: str
    shape: tuple[int, ...]
    start: int
    end: int

    @property
    def size_bytes(self) -> int:
        return self.end - self.start

    @property
    def count(self) -> int:
        return self.size_bytes // ITEM_BYTES.get(self.dtype, 1)

    def read(self, into: memoryview) -> None:
        """All its bytes. Raises ModelError where the file ends too soon."""
        with open_regular(self.file) as file:
            file.seek(self.start)
            done = 0
            while done < len(into):
                count = file.readinto(into[done:])
                if not count:
                    raise damaged_shard(self.file)
                done += count


def same_bytes(stored: StoredTensor, other: StoredTensor, blocks: int | None = None) -> bool:
    """Whether two tensors hold the same bytes; with `blocks`, compared in so many samples."""
    if (stored.dtype, stored.shape) != (other.dtype, other.shape):
        return False
    count = blocks or -(-stored.size_bytes // BLOCK_BYTES)
    for index in range(count):
        start = index * BLOCK_BYTES if blocks is None else stored.size_bytes * index // count
        size = min(BLOCK_BYTES, stored.size_bytes - start)
        contents = [bytearray(size), bytearray(size)]
        for tensor, into in zip((stored, other), contents, strict=True):
            begin = tensor.start + start
            replace(tensor, start=begin, end=begin + size).read(memoryview(into))
        if contents[0] != contents[1]:
            return False
    return True


def read_json_object(file: Path) -> dict[str, Any]:
    """A JSON object from a file, empty where there is none. Raises ModelError where the file is
    something else."""
    try:
        with open_regular(file) as opened:
            content = json.loads(opened.read().decode())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise ModelError(
            f"{file} cannot be read ({error}); download the checkpoint again."
        ) from error
    return content if isinstance(content, dict) else {}


def shard_files(directory: Path) -> list[Path]:
    """The files that hold a checkpoint's weights, whether they are there or not."""
    index = read_json_object(directory / "model.safetensors.index.json").get("weight_map")
    if index:
        names = sorted({str(name) for name in index.values()})
        if any(Path(name).name != name for name in names):
            raise ModelError(f"The index of {directory} names files elsewhere; do not use it.")
        return [directory / name for name in names]
    single = directory / "model.safetensors"
    return [single] if single.is_file() else []


def stored_tensors(directory: Path) -> dict[str, StoredTensor]:
    """Every tensor of a checkpoint by its name."""
    return {
        name: tensor
        for shard in shard_files(directory)
        for name, tensor in read_shard_header(shard).items()
    }


def check_shards(directory: Path) -> None:
    """Raises ModelError unless every shard is there to its last byte, and none is pickled."""
    files = shard_files(directory)
    if not files:
        pickled = any(directory.glob("*.bin")) or any(directory.glob("*.pt*"))
        raise ModelError(
            f"The weights in {directory} are pickled, and loading them could run code; "
            "use a checkpoint in safetensors."
            if pickled
            else f"{directory} has no weights (*.safetensors); download the checkpoint again."
        )
    for shard in files:
        read_shard_header(shard)


def read_shard_header(shard: Path) -> dict[str, StoredTensor]:
    """The tensors in a shard's header. Raises ModelError unless the file holds every byte of
    them."""
    try:
        with open_regular(shard) as file:
            length = int.from_bytes(file.read(8), "little")
            size_bytes = shard.stat().st_size
            header = json.loads(file.read(length)) if 8 + length <= size_bytes else None
    except OSError as error:
        raise ModelError(f"{shard} cannot be read ({error}).") from error
    except ValueError:
        header = None
    if not isinstance(header, dict):
        raise damaged_shard(shard)
    header.pop("__metadata__", None)
    begin = 8 + length
    try:
        ends = [int(entry["data_offsets"][1]) for entry in header.values()]
        tensors = {
            name: StoredTensor(shard, entry["dtype"], tuple(entry["shape"]),
                               begin + entry["data_offsets"][0], begin + entry["data_offsets"][1])
            for name, entry in header.items()
        }  # fmt: skip
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise damaged_shard(shard) from error
    if size_bytes != begin + max(ends, default=0):
        raise damaged_shard(shard)
    return tensors


def damaged_shard(shard: Path) -> ModelError:
    return ModelError(f"{shard} is damaged or was not downloaded to its end; download it again.")
