"""What a model takes in memory: told before, held against what is held, refused with a way out."""

from __future__ import annotations

import dataclasses
import json
import os
import resource
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from bench.shape import FULL, FULL_DRAFTER, write
from indexer.extract.process.reader import MEMORY_BYTES
from model.interface import ModelError
from model.weights import memory_plan, system_memory
from model.weights.checkpoint import Checkpoint
from model.weights.installed import find_checkpoint
from model.weights.placement import Placement
from recollect import build
from tests import packed, tiny
from tests.conftest import ENVIRONMENT, ROOT
from web.machine.settings import Settings

ON_CPU = Placement("cpu", "bfloat16", "")


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.write(tmp_path_factory.mktemp("plain"))


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The full 12B shape: its headers, and holes in the file where the weights would be."""
    directory = tmp_path_factory.mktemp("full")
    write(directory, FULL, FULL_DRAFTER, sparse=True)
    return directory


def _free(monkeypatch: pytest.MonkeyPatch, free_gb: float, total_gb: float = 16) -> None:
    monkeypatch.setattr(
        memory_plan, "free_memory", lambda _: (int(free_gb * 1e9), int(total_gb * 1e9))
    )


def test_the_weights_are_planned_to_the_byte(plain: Path, tmp_path: Path) -> None:
    from model.weights import loading

    packed.write(plain, tmp_path, "bfloat16")
    for directory in (plain, tmp_path):
        for small in (False, True):
            checkpoint = dataclasses.replace(find_checkpoint(directory), int8_embedding=small)
            models = loading.load_model(checkpoint, ON_CPU)
            held = {tensor.data_ptr(): tensor for model in models if model is not None
                    for tensor in [*model.parameters(), *model.buffers()]}  # fmt: skip
            held_bytes = sum(tensor.numel() * tensor.element_size() for tensor in held.values())
            planned = memory_plan.plan_memory(checkpoint, ON_CPU).weight_bytes
            # what is computed instead of stored is some hundred bytes
            assert 0 <= held_bytes - planned < 1000, (directory, small)


@pytest.mark.parametrize("window", [None, 64, 1024])
@pytest.mark.parametrize("tokens", [1, 700, 1024, 1500, 5000, 8192])
def test_the_room_for_keys_and_values_is_the_caches_own(tokens: int, window: int | None) -> None:
    import torch

    from model.decoding.decoder import PART_TOKENS
    from model.decoding.kv_cache import KVCache

    cache = KVCache([window])
    left = tokens
    while left:
        count = min(left, PART_TOKENS)
        tensor = torch.zeros(count, 1, 8)
        cache.append(0, tensor, tensor)
        left -= count
    (layer,) = cache._layers
    assert layer.keys is not None
    assert layer.values is not None
    held_bytes = layer.keys.nbytes + layer.values.nbytes
    assert held_bytes == memory_plan.cache_capacity(tokens, window) * 8 * 4 * 2


def test_the_12b_is_planned_as_it_was_measured(full: Path) -> None:
    checkpoint = find_checkpoint(full)
    assert checkpoint.layout.kind == "packed"
    assert 11.8e9 < checkpoint.layout.count < 12.1e9
    plan = memory_plan.plan_memory(checkpoint, ON_CPU)
    lines = {line["what"]: line["bytes"] for line in plan.lines}
    assert lines["word table"] == 262_144 * 3840 * 2
    assert 6.7e9 < lines["decoder layers, 4 bits"] < 6.9e9
    assert 0.8e9 < lines["drafter"] < 0.9e9
    measured = dataclasses.replace(checkpoint, context_tokens=1024)
    assert 11.2e9 < memory_plan.plan_memory(measured, ON_CPU).needed_bytes < 11.7e9


def _less_context(checkpoint: Checkpoint) -> Checkpoint:
    return dataclasses.replace(checkpoint, context_tokens=memory_plan.SMALLEST_CONTEXT)


@pytest.mark.parametrize(
    ("less", "message"),
    [
        (lambda whole: dataclasses.replace(whole, context_tokens=16_384), "set context = 16384 in"),
        (_less_context, "set context = 2048 in"),
        (lambda whole: dataclasses.replace(whole, int8_embedding=True, context_tokens=32_768),
         'set embedding = "int8"'),
        (lambda whole: dataclasses.replace(_less_context(whole), int8_embedding=True, drafter=None),
         'set embedding = "int8" and drafter = false and context = 2048'),
    ],
)  # fmt: skip
def test_the_nearest_choice_that_fits_is_named(
    full: Path,
    monkeypatch: pytest.MonkeyPatch,
    less: Callable[[Checkpoint], Checkpoint],
    message: str,
) -> None:
    """Just so much memory is free that a lesser choice fits; that one is named."""
    checkpoint = dataclasses.replace(find_checkpoint(full), context_tokens=32_768)
    smaller = memory_plan.plan_memory(less(checkpoint), ON_CPU).needed_bytes
    _free(monkeypatch, (smaller * (1 + memory_plan.MARGIN_SHARE) + 1e6) / 1e9)
    with pytest.raises(ModelError) as problem:
        memory_plan.require_plan(checkpoint, ON_CPU)
    assert message in str(problem.value)


def test_where_nothing_fits_the_small_model_is_named(
    full: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _free(monkeypatch, 6.5, 8)
    with pytest.raises(ModelError, match=r"needs .* of 8\.0 GB are free .* --model pocket"):
        memory_plan.require_plan(find_checkpoint(full))
    assert memory_plan.require_plan(find_checkpoint("pocket")).weight_bytes > 0


@pytest.mark.slow
def test_a_machine_of_8_gb_refuses_in_a_sentence(full: Path, tmp_path: Path) -> None:
    """The system allows the process no more than that, which is what it goes by."""
    most = 8_000_000_000
    process = subprocess.run(
        [sys.executable, "-m", "recollect", "--data", tmp_path, "--model", full,
         "doctor", "--json"],
        capture_output=True, text=True, cwd=ROOT, env=ENVIRONMENT,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (most, most)),
    )  # fmt: skip
    assert process.returncode == 1, process.stderr
    findings = {finding["what"]: finding for finding in json.loads(process.stdout)}
    memory = findings["Memory"]
    assert not memory["ok"]
    assert "of 8.0 GB are free on this machine" in memory["said"]
    assert "--model pocket" in memory["said"]
    assert sum(count for _, count in memory["table"]) > 9e9


def test_text_longer_than_the_context_is_refused_before_it_is_read(plain: Path) -> None:
    from model.gemma import Gemma
    from model.interface import Evidence

    model = Gemma(dataclasses.replace(find_checkpoint(plain), context_tokens=1024))
    words = "red bicycle " * 600
    with pytest.raises(ModelError, match=r"tokens long, .* for 1,024; .* set context = "):
        list(model.answer("What is here?", [Evidence(1, "long", words, None)]))
    assert list(model.answer("What is here?", [Evidence(1, "short", "red", None)]))


@pytest.mark.parametrize(("total_gb", "children"), [(12, 1), (16, 2), (64, 3)])
def test_fault_77_children_that_read_are_given_what_the_model_leaves(
    full: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, total_gb: int, children: int
) -> None:
    """Each of them may take 2 GiB; one more is kept for people."""
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    monkeypatch.setattr(system_memory, "system_memory", lambda: (0, total_gb << 30))
    library = build(Settings(data=tmp_path, model=str(full)))
    with closing(library):
        size_bytes = find_checkpoint(full).size_bytes
        given = library._pipeline._readers.children
        assert given == children
        assert given == 1 or size_bytes + (given + 1) * MEMORY_BYTES < total_gb << 30
