"""Many short texts, pictures and sounds embedded at once and one at a time: equal, and how fast."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence

import numpy as np

from bench.prompts import POCKET, media
from bench.report import Report, Row
from model.gemma import Gemma
from model.interface import Content, Image, Sound, Text, Vectors
from model.weights.installed import find_checkpoint
from model.weights.placement import Placement

ROUNDS = 2  # the best of them: other work on the machine only ever adds
clock = time.process_time  # seconds of the processor, which other work takes no part in


def run(quick: bool) -> Report:
    import torch

    torch.set_num_threads(1)  # as the program runs this model
    model = Gemma(
        find_checkpoint("pocket"), Placement("cpu", "float32", "where every machine can repeat it")
    )
    shown, part = media(), 4 if quick else 1
    contents: dict[str, Sequence[Content]] = {
        "texts": _texts()[: 120 // part],
        "pictures": [content for content in shown if isinstance(content, Image)][: 12 // part],
        "sounds": [content for content in shown if isinstance(content, Sound)][: 8 // part],
    }
    rounds = 1 if quick else ROUNDS
    rows = [row for name, batch in contents.items() for row in _rows(model, name, batch, rounds)]
    mixed = [content for batch in contents.values() for content in batch[:4]]
    rows.append(
        Row("mixed_equal", f"largest difference of a vector's numbers, {len(mixed)} of all kinds",
            _difference(model.embed(mixed), [model.embed([content])[0] for content in mixed]), "",
            goal=1e-4, at_most=True)
    )  # fmt: skip
    return Report("embed", rows, seeds=[])


def _rows(model: Gemma, name: str, contents: Sequence[Content], rounds: int) -> list[Row]:
    model.embed(contents[:2])  # whatever the first of its kind costs
    together_s, alone_s = [], []
    for _ in range(rounds):
        began = clock()
        together = model.embed(contents)
        together_s.append(clock() - began)
        began = clock()
        alone = [model.embed([content])[0] for content in contents]
        alone_s.append(clock() - began)
    count = len(contents)
    return [
        Row(f"{name}_equal", f"largest difference of a vector's numbers, {count} {name} at once "
            "and one at a time", _difference(together, alone), "", goal=1e-4, at_most=True),
        Row(f"{name}_speed", f"{name} a second of the processor, at once over one at a time",
            count / min(together_s), f"{name}/s", count / min(alone_s), 1.0),
    ]  # fmt: skip


def _texts() -> list[Text]:
    """Every passage of the demonstration library: a line or a paragraph each."""
    facts = json.loads((POCKET / "demonstration.json").read_text())
    lines = [
        line
        for file in facts["files"]
        for part in file["words"]
        for line in part["text"].splitlines()
        if len(line.split()) > 2
    ]
    return [Text(line) for line in lines]


def _difference(left: Sequence[Vectors], right: Sequence[Vectors]) -> float:
    """Of unit vectors, number by number, the most over gist and body."""
    most = 0.0
    for first, second in zip(left, right, strict=True):
        pairs = [(first.gist, second.gist), (first.body, second.body)]
        for mine, theirs in pairs:
            assert (mine is None) == (theirs is None)
            if mine is not None and theirs is not None:
                most = max(most, float(np.abs(mine - theirs).max()))
    return most
