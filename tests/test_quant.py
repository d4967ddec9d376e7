"""Weights of 4 bits: the kernel against the plain way, the files of compressed-tensors against the
library's own model, the grid found again."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch  # noqa: TID253

from model.interface import ModelError
from model.weights import loading, memory_plan, quantization
from model.weights.checkpoint import Checkpoint
from model.weights.installed import find_checkpoint
from model.weights.placement import Placement
from model.weights.shards import stored_tensors
from model.weights.tensor_layout import is_decoder_linear
from tests import packed, tiny

# Outputs and inputs of every linear layer of the 12B's decoder, sliding and global.
SHAPES_12B = [(4096, 3840), (2048, 3840), (3840, 4096), (8192, 3840), (512, 3840), (3840, 8192),
              (15360, 3840), (3840, 15360)]  # fmt: skip
SMALL = [(16, 32), (48, 64), (80, 96), (64, 256), (192, 128)]


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.write(tmp_path_factory.mktemp("plain"))


def _layer(outputs: int, inputs: int, dtype: torch.dtype) -> tuple[quantization.PackedLinear, Any]:
    generator = torch.Generator().manual_seed(outputs * 31 + inputs)
    nibbles = torch.randint(0, 256, (outputs, inputs // 2), dtype=torch.uint8, generator=generator)
    scales = (torch.rand(outputs, inputs // 32, generator=generator) * 0.01 + 0.001).to(dtype)
    scales[::2] *= -1  # a step may be negative
    reference = quantization.dequantize(nibbles, scales.float())
    return quantization.PackedLinear(
        nibbles, scales, quantization.choose_matmul("cpu", dtype)
    ), reference


def _error(
    layer: quantization.PackedLinear, reference: Any, rows: int, dtype: torch.dtype
) -> float:
    generator = torch.Generator().manual_seed(rows)
    states = torch.randn(2, rows, layer.in_features, generator=generator).to(dtype)[:1]
    expected = states.float() @ reference.T
    return float((layer(states).float() - expected).norm() / expected.norm())


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32])
@pytest.mark.parametrize(("outputs", "inputs"), SMALL)
def test_a_packed_layer_multiplies_as_the_plain_weights_do(
    outputs: int, inputs: int, dtype: torch.dtype
) -> None:
    layer, reference = _layer(outputs, inputs, dtype)
    bound = 1e-5 if dtype is torch.float32 else 5e-3
    for rows in (1, 2, 3, 7, 64, 193):
        assert _error(layer, reference, rows, dtype) < bound


@pytest.mark.slow
@pytest.mark.parametrize(("outputs", "inputs"), SHAPES_12B)
def test_the_kernel_is_right_for_every_shape_of_the_12b(outputs: int, inputs: int) -> None:
    layer, reference = _layer(outputs, inputs, torch.bfloat16)
    for rows in (1, 3, 5, 64, 191, 192, 512):
        assert _error(layer, reference, rows, torch.bfloat16) < 5e-3


def test_the_tiles_read_the_kernels_own_layout() -> None:
    if not quantization._layout_known("cpu"):
        pytest.skip("this processor packs in another layout, and tiles are not used on it")
    layer, reference = _layer(192, 128, torch.bfloat16)
    rows = torch.eye(128).to(torch.bfloat16)
    assert torch.equal(
        layer._tiles(rows).flatten(1).T.float(), reference.to(torch.bfloat16).float()
    )


@pytest.mark.parametrize(("outputs", "inputs"), [(64, 32), (192, 128), (512, 3840)])
def test_weights_are_packed_as_torch_packs_them(outputs: int, inputs: int) -> None:
    if not quantization._layout_known("cpu"):
        pytest.skip("this processor packs in another layout, and torch's own packing is used on it")
    generator = torch.Generator().manual_seed(outputs)
    plain = torch.randint(0, 256, (outputs, inputs // 2), dtype=torch.uint8, generator=generator)
    by_torch = torch.ops.aten._convert_weight_to_int4pack_for_cpu(
        quantization.codes(plain).to(torch.int32), 1
    )
    assert torch.equal(quantization._packed(plain), by_torch)


@pytest.mark.parametrize("known", [True, False])
def test_a_layer_multiplies_the_same_where_the_layout_is_unknown(
    known: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not known:
        monkeypatch.setattr(quantization, "_layout_known", lambda _: False)
    layer, reference = _layer(192, 128, torch.bfloat16)
    assert (layer.tiles_from_rows is not None) == (known and quantization._layout_known("cpu"))
    for rows in (1, 63, 64, 200):
        assert _error(layer, reference, rows, torch.bfloat16) < 1e-2


def test_a_kernel_that_is_wrong_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    quantization._kernel_agrees.cache_clear()
    monkeypatch.setattr(quantization, "_multiply", lambda rows, *_: rows.new_zeros(len(rows), 64))
    layer, reference = _layer(64, 256, torch.bfloat16)
    assert layer.method == "plain"
    assert _error(layer, reference, 5, torch.bfloat16) < 5e-3
    quantization._kernel_agrees.cache_clear()


def test_packing_loses_nothing() -> None:
    codes = torch.randint(0, 16, (48, 64), dtype=torch.uint8)
    assert torch.equal(quantization.codes(quantization.nibbles(codes)), codes)


# --- the files of compressed-tensors


def _logits(model: Any, ids: torch.Tensor) -> torch.Tensor:
    with torch.inference_mode():
        logits = model(input_ids=ids, mm_token_type_ids=torch.zeros_like(ids)).logits[0].float()
    return torch.as_tensor(logits)


def _prompts(count: int) -> list[torch.Tensor]:
    rng = np.random.default_rng(4)
    return [torch.tensor(rng.integers(13, 380, (1, rng.integers(3, 120)))) for _ in range(count)]


def _on_cpu(checkpoint: Checkpoint, dtype: str) -> Any:
    return loading.load_model(checkpoint, Placement("cpu", dtype, ""))[0]


@pytest.mark.slow
def test_what_compressed_tensors_wrote_gives_its_own_models_logits(
    plain: Path, tmp_path: Path
) -> None:
    reference = packed.write(plain, tmp_path, "float32")
    checkpoint = find_checkpoint(tmp_path)
    assert checkpoint.layout.kind == "packed"
    ours = _on_cpu(checkpoint, "float32")
    assert isinstance(ours.model.language_model.layers[0].mlp.up_proj, quantization.PackedLinear)
    for ids in _prompts(200):
        mine, theirs = _logits(ours, ids), _logits(reference, ids)
        assert mine[-1].argmax() == theirs[-1].argmax()
        assert (mine - theirs).norm() < 1e-2 * theirs.norm()


def test_the_kernel_is_as_near_to_the_truth_as_the_librarys_bfloat16(
    plain: Path, tmp_path: Path
) -> None:
    """Rounding to bfloat16 moves a model this small by percents; the kernel no more than that."""
    library = packed.write(plain, tmp_path, "bfloat16")
    checkpoint = find_checkpoint(tmp_path)
    truth = _on_cpu(checkpoint, "float32")
    ours = _on_cpu(checkpoint, "bfloat16")
    mine = theirs = 0.0
    for ids in _prompts(12):
        right = _logits(truth, ids)
        mine += float((_logits(ours, ids) - right).norm() / right.norm())
        theirs += float((_logits(library, ids) - right).norm() / right.norm())
    assert mine < 1.1 * theirs


def test_scalars_and_computed_buffers_survive(plain: Path, tmp_path: Path) -> None:
    reference = packed.write(plain, tmp_path, "float32")
    ours = _on_cpu(find_checkpoint(tmp_path), "float32")
    mine, theirs = dict(ours.named_buffers()), dict(reference.named_buffers())
    kept = [name for name in theirs if "weight_" not in name]
    assert any("layer_scalar" in name for name in kept)
    assert any("inv_freq" in name for name in kept)
    for name in kept:
        assert torch.equal(mine[name], theirs[name]), name


# --- the grid


def test_the_grid_of_plain_bfloat16_is_found_again(plain: Path, tmp_path: Path) -> None:
    packed.write_on_grid(plain, tmp_path)
    checkpoint = find_checkpoint(tmp_path)
    assert checkpoint.layout.kind == "grid"
    ours = _on_cpu(checkpoint, "float32")
    stock, _ = _stock_weights(tmp_path)
    compared = 0
    for name, module in ours.named_modules():
        if isinstance(module, quantization.PackedLinear):
            wanted = stock[f"{name}.weight"].float()
            recovered = quantization.dequantize(module.packed, module.scales)
            # as near as the file's own rounding to bfloat16
            assert ((recovered - wanted).abs() <= 2**-7 * wanted.abs() + 1e-9).all(), name
            compared += 1
    assert compared == len([name for name in stock if is_decoder_linear(name)])


def _stock_weights(directory: Path) -> tuple[dict[str, torch.Tensor], Any]:
    model = packed._stock(directory, "bfloat16")
    return model.state_dict(), model


def test_weights_off_the_grid_stay_plain(plain: Path, tmp_path: Path) -> None:
    assert quantization.recover_grid(torch.randn(64, 64)) is None
    shutil.copytree(plain, tmp_path, dirs_exist_ok=True)
    packed._stock(plain, "bfloat16").save_pretrained(tmp_path)
    assert find_checkpoint(tmp_path).layout.kind == "plain"


def test_one_layer_off_the_grid_is_refused_not_rounded(plain: Path, tmp_path: Path) -> None:
    packed.write_on_grid(plain, tmp_path)
    stored = [
        tensor for name, tensor in stored_tensors(tmp_path).items() if is_decoder_linear(name)
    ]
    last = max(stored, key=lambda tensor: tensor.start)
    with last.file.open("r+b") as file:
        file.seek(last.start)
        noise = torch.randn(last.count).to(torch.bfloat16)
        file.write(noise.view(torch.uint8).numpy().tobytes())
    with pytest.raises(ModelError, match="does not lie on the grid"):
        _on_cpu(find_checkpoint(tmp_path), "float32")


# --- the word table in int8


@pytest.mark.parametrize(("dtype", "bound"), [("float32", 5e-2), ("bfloat16", 1e-1)])
def test_an_int8_word_table_costs_little(plain: Path, dtype: str, bound: float) -> None:
    whole = find_checkpoint(plain)
    small = dataclasses.replace(whole, int8_embedding=True)
    assert small.fingerprint != whole.fingerprint  # its vectors are others
    model, shrunk = _on_cpu(whole, dtype), _on_cpu(small, dtype)
    for ids in _prompts(5):
        expected, output = _logits(model, ids), _logits(shrunk, ids)
        assert (output - expected).norm() < bound * expected.norm()
    table = shrunk.model.language_model.embed_tokens.weight
    assert table.dtype is torch.int8
    plan = memory_plan.plan_memory(small, Placement("cpu", dtype, ""))
    assert (
        plan.weight_bytes < memory_plan.plan_memory(whole, Placement("cpu", dtype, "")).weight_bytes
    )


def test_the_int8_head_is_the_int8_table() -> None:
    table = torch.randn(300, 64).to(torch.bfloat16)
    codes, scales = quantization.quantize_int8(table)
    states = torch.randn(2, 5, 64).to(torch.bfloat16)
    spelled = codes.float() * scales.float()[:, None]
    assert (spelled - table.float()).norm() < 1e-2 * table.float().norm()
    output = quantization.Int8Head(codes, scales)(states).float()
    assert (output - states.float() @ spelled.T).norm() < 1e-2 * output.norm()
