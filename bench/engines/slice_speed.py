"""How fast llama.cpp reads and writes with a packed checkpoint of the benches, by processor time.

    .venv/engines/llamacpp/bin/python -m bench.engines.slice_speed write CHECKPOINT TEXT_CONFIG FILE
    .venv/engines/llamacpp/bin/python -m bench.engines.slice_speed measure FILE THREADS READ WRITTEN

The codes of 4 bits and their scales become `Q4_0`, whose blocks have the same 32 weights; the word
table stays bfloat16. `measure` reads READ tokens and writes WRITTEN, in one slot, and prints the
seconds of all its threads and by the clock as JSON, one line for every line of its input: what
measures beside it takes turns with it.
"""

from __future__ import annotations

import json
import random
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import xllamacpp
from numpy.typing import NDArray

from bench.engines.gguf_files import (
    LAYER,
    LAYER_NAMES,
    TOP_NAMES,
    add_vocabulary,
    describe_text,
    finish,
    global_shape,
    read_json,
)

GROUP = 32
FIRST_WORD, WORDS = 1000, 8000  # plain words of the vocabulary
STORED = {"BF16": np.uint16, "I32": np.int32, "I64": np.int64}


class Shards:
    """The tensors of a checkpoint in several safetensors files, mapped."""

    def __init__(self, checkpoint: Path) -> None:
        self.tensors: dict[str, NDArray[Any]] = {}
        for file in sorted(checkpoint.glob("*.safetensors")):
            data = np.memmap(file, mode="r")
            length = int.from_bytes(data[:8].tobytes(), "little")
            header = json.loads(data[8 : 8 + length].tobytes())
            for name, stored in header.items():
                start, end = (8 + length + offset for offset in stored["data_offsets"])
                values = data[start:end].view(STORED[stored["dtype"]])
                self.tensors[name] = values.reshape(stored["shape"])


def write_slice(checkpoint: Path, text: dict[str, Any], file: Path) -> None:
    tensors = Shards(checkpoint).tensors
    writer = gguf.GGUFWriter(str(file), "gemma4")
    describe_text(writer, text)
    add_vocabulary(writer, checkpoint)
    for name, values in tensors.items():
        name = name.replace("weight_packed", "weight")
        if match := LAYER.fullmatch(name):
            if match[2].endswith(("_scale", "_shape")):
                continue
            target = f"blk.{match[1]}.{LAYER_NAMES[match[2]]}"
            if values.dtype == np.int32:
                scales = tensors[f"{name.removesuffix('weight')}weight_scale"]
                kind = gguf.GGMLQuantizationType.Q4_0
                writer.add_tensor(target, q4_0_blocks(values, widened(scales)), raw_dtype=kind)
            else:
                writer.add_tensor(target, widened(values))
        elif short := TOP_NAMES.get(name.removeprefix("model.").removeprefix("language_model.")):
            if short == "token_embd.weight":
                kind = gguf.GGMLQuantizationType.BF16
                writer.add_tensor(short, values.view(np.uint8), raw_dtype=kind)
            else:
                writer.add_tensor(short, widened(values))
    width, _ = global_shape(text)
    turned = int(width * text["rope_parameters"]["full_attention"]["partial_rotary_factor"] / 2)
    factors = [1.0] * turned + [1e30] * (width // 2 - turned)
    writer.add_tensor("rope_freqs.weight", np.array(factors, dtype=np.float32))
    finish(writer)


def widened(values: NDArray[np.uint16]) -> NDArray[np.float32]:
    """bfloat16, the upper half of a float32, as float32."""
    return (values.astype(np.uint32) << np.uint32(16)).view(np.float32)


def q4_0_blocks(words: NDArray[np.int32], scales: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Codes (N, K/8) int32 and scales (N, K/32) -> blocks (N, K/32 * 18): a scale, then the codes
    of the first 16 weights in the low halves of bytes and those of the last 16 in the high ones."""
    rows, count = scales.shape
    packed = words.view(np.uint8)
    codes = np.stack([packed & 15, packed >> 4], axis=-1).reshape(rows, count, GROUP)
    blocks = np.empty((rows, count, 2 + GROUP // 2), np.uint8)
    blocks[..., :2] = scales.astype(np.float16).view(np.uint8).reshape(rows, count, 2)
    blocks[..., 2:] = codes[..., :16] | (codes[..., 16:] << 4)
    return blocks.reshape(rows, -1)


def measure(file: Path, threads: int, read: int, written: int) -> None:
    chosen = xllamacpp.CommonParams()
    chosen.model.path = str(file)
    chosen.n_ctx = read + written + 256
    chosen.n_parallel = 1
    chosen.cpuparams.n_threads = chosen.cpuparams_batch.n_threads = threads
    chosen.n_batch = chosen.n_ubatch = read
    chosen.warmup = True
    chosen.verbosity = 0
    chosen.cache_ram_mib = 0
    server = xllamacpp.Server(chosen)
    complete(server, 16, 2)
    print(json.dumps({}), flush=True)
    for _ in sys.stdin:
        prefill = timed(lambda: complete(server, read, 1))
        begun = timed(lambda: complete(server, 16, 1))
        whole = timed(lambda: complete(server, 16, 1 + written))
        decode = [after - before for after, before in zip(whole, begun, strict=True)]
        print(json.dumps({"prefill": prefill, "decode": decode}), flush=True)


def complete(server: Any, read: int, written: int) -> None:
    words = [random.randrange(FIRST_WORD, WORDS) for _ in range(read)]
    answer = server.handle_completions(
        {"prompt": words, "n_predict": written, "ignore_eos": True, "temperature": 0.0,
         "cache_prompt": False}
    )  # fmt: skip
    timings = answer["timings"]
    if (timings["prompt_n"], timings["predicted_n"]) != (read, written):
        raise SystemExit(f"llama.cpp did something else than was asked: {timings}")


def timed(work: Callable[[], None]) -> list[float]:
    """Seconds of the processor, of all threads, and by the clock."""
    began = time.process_time(), time.perf_counter()
    work()
    return [time.process_time() - began[0], time.perf_counter() - began[1]]


if __name__ == "__main__":
    if sys.argv[1] == "write":
        write_slice(Path(sys.argv[2]), read_json(Path(sys.argv[3])), Path(sys.argv[4]))
    else:
        measure(Path(sys.argv[2]), *map(int, sys.argv[3:6]))
