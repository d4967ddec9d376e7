"""The full shape of the 12B in packed int4: what loading and using it takes, against the plan."""

from __future__ import annotations

import functools
import gc
import json
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
from model.checkpoint import POCKET, find

GOAL_BYTES = 12e9
PLAN_WITHIN = 0.05
SHARD_BYTES = 2_000_000_000
ANSWER_TOKENS = 8
# Planned for; the question, its source and the longest answer nearly fill it.
CONTEXT_TOKENS, SOURCE_TOKENS = 1024, 370
VOCABULARY = 262_144
# Of the published model; `quick` has its proportions and a hundredth of its weights.
FULL = {
    "hidden_size": 3840, "intermediate_size": 15_360, "num_hidden_layers": 48,
    "num_attention_heads": 16, "num_key_value_heads": 8, "num_global_key_value_heads": 1,
    "head_dim": 256, "global_head_dim": 512, "sliding_window": 1024, "vocab_size": VOCABULARY,
}  # fmt: skip
FULL_DRAFTER = {"hidden_size": 1024, "intermediate_size": 8192, "num_hidden_layers": 4}
QUICK = FULL | {"hidden_size": 384, "intermediate_size": 1536, "num_hidden_layers": 12}
QUICK_DRAFTER = {"hidden_size": 128, "intermediate_size": 512, "num_hidden_layers": 4}


def run(quick: bool) -> Report:
    place = Path(tempfile.mkdtemp(prefix="recollect-shape-", dir=Path.cwd()))
    try:
        write(place, QUICK if quick else FULL, QUICK_DRAFTER if quick else FULL_DRAFTER)
        return _measured(place, quick)
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _measured(directory: Path, quick: bool) -> Report:
    import torch

    from model import memory
    from model.gemma import Gemma
    from model.interface import Evidence, Finished, Image, Sound, Text
    from model.placement import Placement

    checkpoint = replace(find(directory), context_tokens=CONTEXT_TOKENS)
    on_cpu = Placement("cpu", "bfloat16", "the bench measures the processor's memory")
    plan = memory.plan(checkpoint, on_cpu)
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
            assert np.isfinite(vectors.gist).all(), name
            took[name] = time.perf_counter() - began
            log(f"{name} in {took[name]:.0f} s, peak so far {peak.most / 1e9:.2f} GB")
        drafted = _Drafts(model)
        began = time.perf_counter()
        events = list(_few(model, model.answer("Which words are here?", [
            Evidence(1, "words.txt", _tokens(model, SOURCE_TOKENS), None)])))  # fmt: skip
        took["answer"] = time.perf_counter() - began
    parts: list[Any] = [model._model, model._decoder.drafter]
    held = {id(one): one for part in parts for one in [*part.parameters(), *part.buffers()]}
    weight_bytes = sum(one.numel() * one.element_size() for one in held.values())
    finished = next(one for one in events if isinstance(one, Finished))
    kinds = {type(one).__name__ for one in model._model.modules()}
    assert "PackedLinear" in kinds
    plain_bytes = checkpoint.weight_count * 2
    biggest = max(one.numel() * one.element_size() for one in held.values())
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


def log(said: str) -> None:
    """A long run says how far it is."""
    print(said, file=sys.stderr, flush=True)


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


# --- the checkpoint


def write(
    directory: Path, shape: dict[str, Any], drafter: dict[str, Any], sparse: bool = False
) -> None:
    """A checkpoint of random codes in the layout of google/gemma-4-12B-it-qat-w4a16-ct, with a
    drafter in bfloat16, the shipped model's template, and its tokenizer filled up with words.
    `sparse` leaves holes in the files where the weights would be."""
    for name in ("tokenizer_config.json", "chat_template.jinja", "generation_config.json"):
        shutil.copy(POCKET / name, directory / name)
    tokenizer = json.loads((POCKET / "tokenizer.json").read_text())
    words = tokenizer["model"]["vocab"]
    first = 1 + max(*words.values(), *(one["id"] for one in tokenizer["added_tokens"]))
    words |= {f"unused{number}": number for number in range(first, VOCABULARY)}
    (directory / "tokenizer.json").write_text(json.dumps(tokenizer))
    shipped = json.loads((POCKET / "config.json").read_text())
    config = _config(shipped, shape)
    (directory / "config.json").write_text(json.dumps(config))
    _write_shards(directory, _model_tensors(config), 1, sparse)
    (directory / "assistant").mkdir()
    drafts = _drafter_config(shape, drafter)
    (directory / "assistant" / "config.json").write_text(json.dumps(drafts))
    _write_shards(directory / "assistant", _drafter_tensors(drafts), 2, sparse)


def _text(shape: dict[str, Any]) -> dict[str, Any]:
    layers = shape["num_hidden_layers"]
    kinds = ["full_attention" if at % 6 == 5 else "sliding_attention" for at in range(layers)]
    kinds[-1] = "full_attention"
    return shape | {
        "model_type": "gemma4_unified_text", "layer_types": kinds, "attention_k_eq_v": True,
        "final_logit_softcapping": 30.0, "tie_word_embeddings": True,
        "max_position_embeddings": 262_144, "use_bidirectional_attention": "vision",
    }  # fmt: skip


def _config(shipped: dict[str, Any], shape: dict[str, Any]) -> dict[str, Any]:
    ids = {name: value for name, value in shipped.items() if name.endswith(("_id", "_index"))}
    hidden = shape["hidden_size"]
    weights = {"num_bits": 4, "type": "int", "symmetric": True, "strategy": "group",
               "group_size": 32, "dynamic": False}  # fmt: skip
    group = {"targets": ["Linear"], "weights": weights, "input_activations": None,
             "output_activations": None, "format": "pack-quantized"}  # fmt: skip
    return ids | {
        "architectures": ["Gemma4UnifiedForConditionalGeneration"],
        "model_type": "gemma4_unified", "dtype": "bfloat16", "tie_word_embeddings": True,
        "transformers_version": shipped["transformers_version"],
        "text_config": _text(shape),
        "vision_config": {"mm_embed_dim": hidden, "output_proj_dims": hidden,
                          "model_type": "gemma4_unified_vision"},
        "audio_config": {"audio_embed_dim": 640, "model_type": "gemma4_unified_audio"},
        "quantization_config": {
            "quant_method": "compressed-tensors", "format": "pack-quantized",
            "config_groups": {"group_0": group},
            "ignore": ["lm_head", "re:.*embed_vision.*", "re:.*embed_audio.*"],
        },
    }  # fmt: skip


def _drafter_config(shape: dict[str, Any], drafter: dict[str, Any]) -> dict[str, Any]:
    text = _text(shape | drafter)
    return {
        "architectures": ["Gemma4UnifiedAssistantForCausalLM"], "dtype": "bfloat16",
        "model_type": "gemma4_unified_assistant", "backbone_hidden_size": shape["hidden_size"],
        "text_config": text | {"num_kv_shared_layers": drafter["num_hidden_layers"]},
    }  # fmt: skip


Shapes = dict[str, tuple[str, tuple[int, ...]]]


def _model_tensors(config: dict[str, Any]) -> Shapes:
    """Names, kinds and shapes of every tensor, from the model itself built without memory."""
    import torch
    from transformers import Gemma4UnifiedConfig, Gemma4UnifiedForConditionalGeneration

    plain = {name: value for name, value in config.items() if name != "quantization_config"}
    with torch.device("meta"):
        model = Gemma4UnifiedForConditionalGeneration(Gemma4UnifiedConfig(**plain))
    found: Shapes = {}
    for name, one in model.state_dict().items():
        if name == "lm_head.weight":
            continue
        if "language_model.layers" in name and name.endswith("_proj.weight"):
            base, (outputs, inputs) = name.removesuffix("weight"), one.shape
            found[f"{base}weight_packed"] = ("I32", (outputs, inputs // 8))
            found[f"{base}weight_scale"] = ("BF16", (outputs, inputs // 32))
            found[f"{base}weight_shape"] = ("I64", (2,))
        else:
            found[name] = ("BF16", tuple(one.shape))
    return found


def _drafter_tensors(config: dict[str, Any]) -> Shapes:
    import torch
    from transformers import Gemma4UnifiedAssistantConfig, Gemma4UnifiedAssistantForCausalLM

    with torch.device("meta"):
        model = Gemma4UnifiedAssistantForCausalLM(Gemma4UnifiedAssistantConfig(**config))
    return {name: ("BF16", tuple(one.shape)) for name, one in model.state_dict().items()
            if name != "lm_head.weight"}  # fmt: skip


def _write_shards(directory: Path, tensors: Shapes, seed: int, sparse: bool) -> None:
    """Random codes and small weights, into shards with an index, a block at a time."""
    rng = np.random.default_rng(seed)
    parts: list[Shapes] = [{}]
    size = 0
    for name, (kind, shape) in tensors.items():
        if size > SHARD_BYTES:
            parts.append({})
            size = 0
        parts[-1][name] = (kind, shape)
        size += _bytes(kind, shape)
    where = {}
    for at, part in enumerate(parts, start=1):
        file = directory / f"model-{at:05}-of-{len(parts):05}.safetensors"
        header: dict[str, Any] = {}
        end = 0
        for name, (kind, shape) in part.items():
            start, end = end, end + _bytes(kind, shape)
            header[name] = {"dtype": kind, "shape": shape, "data_offsets": [start, end]}
            where[name] = file.name
        said = json.dumps(header).encode()
        with file.open("wb") as opened:
            opened.write(len(said).to_bytes(8, "little") + said)
            if sparse:
                opened.truncate(8 + len(said) + end)
                continue
            for name, (kind, shape) in part.items():
                if kind == "I64":  # the shape that the packed codes have unpacked
                    rows, columns = tensors[name.replace("weight_shape", "weight_packed")][1]
                    opened.write(np.array([rows, columns * 8], dtype="<i8").tobytes())
                    continue
                for block in _values(name, kind, shape, rng):
                    opened.write(block)
    index = {"metadata": {}, "weight_map": where}
    (directory / "model.safetensors.index.json").write_text(json.dumps(index))


def _bytes(kind: str, shape: tuple[int, ...]) -> int:
    return int(np.prod(shape)) * {"BF16": 2, "I32": 4, "I64": 8}[kind]


def _values(
    name: str, kind: str, shape: tuple[int, ...], rng: np.random.Generator
) -> Iterator[bytes]:
    """Values of one tensor: random codes; the rest drawn once, begun elsewhere each time."""
    left = int(np.prod(shape)) * (4 if kind == "I32" else 2)
    drawn = b"" if kind == "I32" else _drawn(name)
    while left:
        count = min(left, 1 << 22)
        left -= count
        if kind == "I32":
            yield rng.bytes(count)
            continue
        start = 2 * int(rng.integers(0, len(drawn) // 2))
        yield (drawn[start:] + drawn[:start])[:count]


@functools.cache
def _kinds() -> dict[str, bytes]:
    """4 MB of bfloat16 numbers of each kind, all in a range that stays finite."""
    rng = np.random.default_rng(3)
    count = 1 << 21
    values = {
        "scale": rng.random(count, dtype=np.float32) * 0.001 + 0.0015,
        "weight": rng.standard_normal(count, dtype=np.float32) * 0.02,
        "one": np.ones(count, dtype="<f4"),
        "zero": np.zeros(count, dtype="<f4"),
    }
    return {kind: (one.view("<u4") >> 16).astype("<u2").tobytes() for kind, one in values.items()}


def _drawn(name: str) -> bytes:
    kind = "weight"
    if name.endswith("weight_scale"):
        kind = "scale"
    elif "norm" in name or "_ln" in name or name.endswith("layer_scalar"):
        kind = "zero" if name.endswith("bias") else "one"
    return _kinds()[kind]
