"""One build of the product on one checkpoint, timed in a process of its own, in turns with others.

    python -P bench/prefill_process.py CHECKPOINT THREADS READ WRITTEN

`PYTHONPATH` names the tree that is measured, which may be of an earlier commit: what is used here
was there at 51c9949, under one name or another. Prints one line of JSON once it is loaded, and one
of seconds, of all threads of the processor, for every line of its input.
"""

from __future__ import annotations

import importlib
import json
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

FIRST_WORD, WORDS = 1000, 8000  # plain words of the vocabulary
SHORT, LONG, TOGETHER = 10, 120, 8


def imported(*names: str) -> Any:
    """The first of these modules that there is."""
    for name in names:
        try:
            return importlib.import_module(name)
        except ModuleNotFoundError:
            continue
    raise ImportError(names)


def main() -> None:
    import torch

    directory, threads, read, written = sys.argv[1], *map(int, sys.argv[2:])
    torch.set_num_threads(threads)
    installed = imported("model.weights.installed", "model.checkpoint")
    find = getattr(installed, "find_checkpoint", None) or installed.find
    placement = imported("model.weights.placement", "model.placement").Placement
    gemma_module, interface = imported("model.gemma"), imported("model.interface")
    checkpoint = replace(find(directory), drafter=None, context_tokens=2048)
    began = time.perf_counter()
    gemma: Any = gemma_module.Gemma(checkpoint, placement("cpu", "bfloat16", "the bench says so"))
    loaded_s = time.perf_counter() - began

    rng = np.random.default_rng(0)
    text = interface.Text(_words(gemma, read))
    lengths = rng.integers(SHORT, LONG, TOGETHER)
    texts = [interface.Text(_words(gemma, int(length))) for length in lengths]
    tokens = sum(len(gemma._tokenizer(each.text)["input_ids"]) for each in texts)
    gemma.embed(texts[:1])
    print(json.dumps({"load": loaded_s, "together_tokens": tokens}), flush=True)
    for _ in sys.stdin:
        seconds = {
            "embed": timed(lambda: gemma.embed([text])),
            "together": timed(lambda: gemma.embed(texts)),
        }
        if hasattr(gemma._decoder, "prefill"):  # only a build of now is compared with others here
            inputs = imported("model.prompt.inputs")
            ids = rng.integers(FIRST_WORD, WORDS, read)
            row = inputs.Inputs(ids, np.zeros_like(ids))
            seconds["prefill"] = timed(partial(gemma._decoder.prefill, row))
            context = gemma._decoder.prefill(inputs.split_inputs(row, 16)[0])
            seconds["decode"] = timed(partial(decode, gemma, context, rng, written))
        print(json.dumps(seconds), flush=True)


def decode(gemma: Any, context: Any, rng: np.random.Generator, count: int) -> None:
    """Read one token after the other, as if each had been chosen from the scores before it."""
    import torch

    with torch.inference_mode():
        for _ in range(count):
            logits, _ = gemma._decoder.forward(context, [int(rng.integers(FIRST_WORD, WORDS))])
            logits.argmax()


def timed(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


def _words(gemma: Any, count: int) -> str:
    """A text of so many tokens."""
    words = ["red"] * count
    while len(gemma._tokenizer(" ".join(words))["input_ids"]) > count:
        words.pop()
    return " ".join(words)


if __name__ == "__main__":
    main()
