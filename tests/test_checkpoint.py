"""Finding and checking checkpoints, all before a weight is loaded."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from model.interface import ModelError
from model.weights.checkpoint import POCKET
from model.weights.installed import find_checkpoint, list_models
from model.weights.memory_plan import require_plan
from tests import tiny


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.write(tmp_path_factory.mktemp("pristine"))


@pytest.fixture
def folder(pristine: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(pristine, tmp_path / "my model"))


def test_a_directory_is_a_model(folder: Path) -> None:
    checkpoint = find_checkpoint(folder)
    assert checkpoint.name == "my model"
    assert checkpoint.drafter == folder / "assistant"
    assert not checkpoint.demonstration
    assert checkpoint.unloaded.resident_bytes == 0
    assert checkpoint.unloaded.drafter
    assert require_plan(checkpoint).weight_bytes == checkpoint.weight_count * 4
    assert checkpoint.fingerprint.dim == tiny.HIDDEN


def _without(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).unlink()


def _truncated(folder: Path) -> None:
    shard = folder / "model.safetensors"
    shard.write_bytes(shard.read_bytes()[:-100])


def _truncated_drafter(folder: Path) -> None:
    shard = folder / "assistant" / "model.safetensors"
    shard.write_bytes(shard.read_bytes()[:20])


def _garbled(folder: Path) -> None:
    (folder / "model.safetensors").write_bytes(b"\x08\0\0\0\0\0\0\0nonsense")


def _pickled(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")


def _other_kind(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"model_type": "llama"}))


def _packed(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    packing = {"quant_method": "bitsandbytes", "load_in_4bit": True}
    (folder / "config.json").write_text(json.dumps(config | {"quantization_config": packing}))


def _missing_shard(folder: Path) -> None:
    index = {"weight_map": {"a": "model.safetensors", "b": "model-00002.safetensors"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))


def _broken_config(folder: Path) -> None:
    (folder / "config.json").write_text("{")


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        (_without("config.json"), "no model at"),
        (_without("tokenizer.json"), "no tokenizer.json"),
        (_without("chat_template.jinja"), "no chat template"),
        (_without("model.safetensors"), "no weights"),
        (_truncated, r"my model/model\.safetensors is damaged"),
        (_truncated_drafter, r"assistant/model\.safetensors is damaged"),
        (_garbled, "is damaged"),
        (_pickled, "pickled"),
        (_other_kind, "of type llama"),
        (_packed, "packed"),
        (_missing_shard, r"model-00002\.safetensors cannot be read"),
        (_broken_config, "config.json cannot be read"),
    ],
)
def test_a_harmed_checkpoint_is_refused_with_the_cure(
    folder: Path, harm: Callable[[Path], None], message: str
) -> None:
    harm(folder)
    with pytest.raises(ModelError, match=message):
        find_checkpoint(folder)


def test_a_hub_id_that_is_not_here_says_how_to_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    with pytest.raises(
        ModelError,
        match=r"is not on this machine; bring it .* pull nobody",
    ):
        find_checkpoint("nobody/has-this-model")


def test_a_wrong_drafter_is_refused(folder: Path, pristine: Path) -> None:
    with pytest.raises(ModelError, match="no drafter"):
        find_checkpoint(folder, drafter=pristine)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("backbone_hidden_size", 2304, "of width 2304, and my model has 32"),
        ("text_config", {"vocab_size": 99}, "of vocabulary 99, and my model has 382"),
    ],
)
def test_a_drafter_of_another_model_is_refused(
    folder: Path, key: str, value: object, message: str
) -> None:
    file = folder / "assistant" / "config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {key: value}))
    with pytest.raises(ModelError, match=f"{message}; use the drafter of this model, or move"):
        find_checkpoint(folder)


def test_without_a_drafter_a_model_is_one_and_says_so(folder: Path) -> None:
    shutil.rmtree(folder / "assistant")
    assert find_checkpoint(folder).drafter is None
    listed = {listing["name"]: listing for listing in list_models(str(folder))}
    assert listed[str(folder)]["present"]
    assert not listed[str(folder)]["drafter"]
    (folder / "assistant").mkdir()  # begun, and nothing in it
    (folder / "assistant" / "config.json").write_text("{}")
    with pytest.raises(ModelError, match="assistant has no weights"):
        find_checkpoint(folder)


def test_an_index_that_names_files_elsewhere_is_refused(folder: Path) -> None:
    index = {"weight_map": {"a": "../other/model.safetensors"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    with pytest.raises(ModelError, match="names files elsewhere"):
        find_checkpoint(folder)


def test_the_fingerprint_follows_the_bytes_not_the_place(folder: Path, pristine: Path) -> None:
    assert find_checkpoint(folder).fingerprint == find_checkpoint(pristine).fingerprint
    shard = folder / "model.safetensors"
    whole = bytearray(shard.read_bytes())
    whole[-1] ^= 1
    shard.write_bytes(bytes(whole))
    assert find_checkpoint(folder).fingerprint.key != find_checkpoint(pristine).fingerprint.key


def test_large_weights_are_told_apart_by_samples(
    folder: Path, pristine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("model.weights.checkpoint.SMALL_BYTES", 0)
    before = find_checkpoint(pristine).fingerprint
    assert find_checkpoint(folder).fingerprint == before
    shard = folder / "model.safetensors"
    whole = bytearray(shard.read_bytes())
    whole[len(whole) // 2] ^= 1
    shard.write_bytes(bytes(whole))
    assert find_checkpoint(folder).fingerprint != before


def test_the_models_are_listed(folder: Path) -> None:
    listed = {listing["name"]: listing for listing in list_models(str(folder))}
    assert listed["pocket"]["demonstration"]
    assert listed[str(folder)]["in_use"]
    assert listed[str(folder)]["present"]
    assert listed["google/gemma-4-12B-it"]["size_bytes"] > 2e10


def test_looking_costs_no_torch() -> None:
    code = (
        "import sys; from model.runtime import runtime; from model.weights import installed; "
        "checkpoint = installed.find_checkpoint('pocket'); checkpoint.fingerprint; "
        "runtime.Runtime(checkpoint).card; "
        "installed.list_models(); sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=POCKET.parent.parent).returncode == 0


def test_pocket_ships_whole() -> None:
    checkpoint = find_checkpoint("pocket")
    assert checkpoint.demonstration
    assert checkpoint.drafter is not None
    assert sum(file.stat().st_size for file in POCKET.rglob("*") if file.is_file()) <= 25 * 2**20
