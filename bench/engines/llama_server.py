"""llama.cpp's server on GGUF files, in the environment that `make engines` makes.

    .venv/engines/llamacpp/bin/python -m bench.engines.llama_server FOLDER PORT [OPTION]

The option is `--embeddings` or `--drafter`.

Prints the address and serves until it is killed.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import xllamacpp

SLOTS = 2
CONTEXT_TOKENS = 8192 * SLOTS  # llama.cpp divides it among its slots
# Pocket's own budget for a picture; llama.cpp's default for the architecture makes it larger than
# anything the model was trained on.
PICTURE_TOKENS = 70
DRAFT_TOKENS = 4


def parameters(folder: Path, port: int, embeddings: bool, drafter: bool) -> xllamacpp.CommonParams:
    """Of one server with one thread: pocket is so small that more cost more than they save."""
    chosen = xllamacpp.CommonParams()
    chosen.model.path = str(folder / "model.gguf")
    chosen.n_ctx = CONTEXT_TOKENS
    chosen.n_parallel = SLOTS
    chosen.cpuparams.n_threads = chosen.cpuparams_batch.n_threads = 1
    chosen.warmup = False
    chosen.port = port
    chosen.verbosity = 0
    if embeddings:
        chosen.embedding = True
        chosen.pooling_type = xllamacpp.llama_pooling_type.LLAMA_POOLING_TYPE_MEAN
        chosen.n_ubatch = chosen.n_batch
        return chosen
    chosen.mmproj.path = str(folder / "mmproj.gguf")
    chosen.image_max_tokens = PICTURE_TOKENS
    if drafter:
        mtp = xllamacpp.common_speculative_type.COMMON_SPECULATIVE_TYPE_DRAFT_MTP
        chosen.speculative.types = [mtp]
        chosen.speculative.draft.mparams.path = str(folder / "drafter.gguf")
        chosen.speculative.draft.n_max = DRAFT_TOKENS
    return chosen


def main() -> None:
    folder, port = Path(sys.argv[1]), int(sys.argv[2])
    chosen = parameters(folder, port, "--embeddings" in sys.argv, "--drafter" in sys.argv)
    server = xllamacpp.Server(chosen)
    print(server.listening_address, flush=True)
    while True:
        time.sleep(3600)


if __name__ == "__main__":
    main()
