"""The full shape of the 12B in packed int4: what loading and using it takes, against the plan."""

from __future__ import annotations

import gc
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from bench.report import Report, Row
from bench.shape import FULL, FULL_DRAFTER, QUICK, QUICK_DRAFTER, write
from model.weights.installed import find_checkpoint

GOAL_BYTES = 12e9
PLAN_WITHIN = 0.05
ANSWER_TOKENS = 8
# Planned for; the question, its source and the longest answer nearly fill it.
CONTEXT_TOKENS, SOURCE_TOKENS = 1024, 370


def run(quick: bool) -> Report:
    place = Path(tempfile.mkdtemp(prefix="recollect-shape-", dir=Path.cwd()))
    try:
        write(place, QUICK if quick else FULL, QUICK_DRAFTER if quick else FULL_DRAFTER)
        return _measured(place, quick)
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _measured(directory: Path, quick: bool) -> Report:
    import torch

    from model.gemma import Gemma
    from model.interface import AnswerEnd, Evidence, Image, Sound, Text
    from model.weights import memory_plan
    from model.weights.placement import Placement

    checkpoint = replace(find_checkpoint(directory), context_tokens=CONTEXT_TOKENS)
    on_cpu = Placement("cpu", "bfloat16", "the bench measures the processor's memory")
    plan = memory_plan.plan_memory(checkpoint, on_cpu)
    rng = np.random.default_rng(0)
    picture = Image(rng.integers(0, 256, (720, 960, 3), dtype=np.uint8))
    sound = Sound(rng.uniform(-0.5, 0.5, 160_000).astype(np.float32), 16_000)
    gc.collect()
    log(f"planned: {plan.needed_bytes / 1e9:.2f} GB")
    took: dict[str, float] = {}
    with _Peak() as peak:
        began = time.perf_counter()
        model = Gemma(checkpoint, on_cpu)
        took["load"] = time.perf_counter() - began
        loaded_bytes, loading_bytes = peak.now, peak.most
        log(f"loaded in {took['load']:.0f} s, peak so far {loading_bytes / 1e9:.2f} GB")
        text = _tokens(model, 512)
        for name, content in (("picture", picture), ("sound", sound), ("text", Text(text))):
            began = time.perf_counter()
            (vectors,) = model.embed([content])
            vector = vectors.gist if vectors.body is None else vectors.body
            assert vector is not None, name
            assert np.isfinite(vector).all(), name
            took[name] = time.perf_counter() - began
            log(f"{name} in {took[name]:.0f} s, peak so far {peak.most / 1e9:.2f} GB")
        drafted = _Drafts(model)
        began = time.perf_counter()
        events = list(_few(model, model.answer("Which words are here?", [
            Evidence(1, "words.txt", _tokens(model, SOURCE_TOKENS), None)])))  # fmt: skip
        took["answer"] = time.perf_counter() - began
    parts: list[Any] = [model._model, model._decoder.drafter]
    held = {id(item): item for part in parts for item in [*part.parameters(), *part.buffers()]}
    weight_bytes = sum(item.numel() * item.element_size() for item in held.values())
    finished = next(item for item in events if isinstance(item, AnswerEnd))
    kinds = {type(item).__name__ for item in model._model.modules()}
    assert "PackedLinear" in kinds
    plain_bytes = checkpoint.weight_count * 2
    biggest = max(item.numel() * item.element_size() for item in held.values())
    shape = "a hundredth of the 12B" if quick else "the full 12B shape"
    rows = [
        Row("peak", f"peak resident memory, {shape} with its drafter: load, embed a picture, a "
            "10 s sound and a 512-token text, answer with drafting; the whole process",
            peak.most / 1e9, "GB", goal=GOAL_BYTES / 1e9, at_most=True),
        Row("plan", "memory planned for it before loading, over what it then took at its peak",
            plan.needed_bytes / 1e9, "GB", reference=(peak.most - peak.before) / 1e9),
        Row("plan_off", "how far the plan is from what was measured, share",
            abs(plan.needed_bytes / (peak.most - peak.before) - 1), "",
            goal=None if quick else PLAN_WITHIN, at_most=True),
        Row("weights", "weights as planned, over the tensors that are held",
            plan.weight_bytes / 1e9, "GB", reference=weight_bytes / 1e9),
        Row("loading", "most memory while loading, over the bfloat16 model's weights",
            (loading_bytes - peak.before) / 1e9, "GB", reference=plain_bytes / 1e9,
            goal=None if quick else 0.5, at_most=True),
        Row("biggest", "the largest tensor held, over the whole model in bfloat16", biggest / 1e9,
            "GB", reference=plain_bytes / 1e9),
        Row("resident", "resident after loading, without the program itself",
            (loaded_bytes - peak.before) / 1e9, "GB"),
        Row("load_s", "seconds to load it", took["load"], "s"),
        Row("picture_s", "seconds to embed a picture of 280 tokens", took["picture"], "s"),
        Row("sound_s", "seconds to embed 10 s of sound, 250 tokens", took["sound"], "s"),
        Row("text_s", "seconds to embed a text of 512 tokens", took["text"], "s"),
        Row("answer_tokens", "tokens answered, with drafting", finished.tokens, "tokens"),
        Row("answer_s", "seconds for that answer, prompt and all", took["answer"], "s"),
        Row("drafts", "times the drafter proposed in that answer", drafted.count, "", goal=1),
    ]  # fmt: skip
    if torch.get_num_threads() > 0:
        rows.append(Row("threads", "threads it ran on", torch.get_num_threads(), ""))
    return Report("memory", rows, seeds=[0])


def log(text: str) -> None:
    """A long run says how far it is."""
    print(text, file=sys.stderr, flush=True)


class _Peak:
    """Watches this process's resident memory: `before`, `now`, and the `most` there was."""

    def __init__(self) -> None:
        self._process = psutil.Process()
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self.before = self.most = self.now

    @property
    def now(self) -> int:
        return int(self._process.memory_info().rss)

    def __enter__(self) -> _Peak:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._done.wait(0.02):
            self.most = max(self.most, self.now)


class _Drafts:
    """Counts how often the drafter is asked."""

    def __init__(self, model: Any) -> None:
        self.count = 0
        drafter = model._decoder.drafter
        drafter.pre_projection.register_forward_hook(self._asked)

    def _asked(self, *_: object) -> None:
        self.count += 1


def _few(model: Any, events: Iterator[Any]) -> Iterator[Any]:
    """The answer, its length bounded: random weights would write to the last token allowed."""
    from model import gemma

    before = gemma.ANSWER_LIMITS
    gemma.ANSWER_LIMITS = replace(before, tokens=ANSWER_TOKENS)
    try:
        yield from events
    finally:
        gemma.ANSWER_LIMITS = before


def _tokens(model: Any, count: int) -> str:
    """A text of so many tokens for this model's tokenizer."""
    words = ["red"]
    while len(model._tokenizer(" ".join(words))["input_ids"]) < count:
        words.append("red")
    return " ".join(words)
