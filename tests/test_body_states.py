"""Bodies of texts from the lower layers alone: bit for bit those of the whole pass, whatever the
checkpoint, and with nothing of the upper layers run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch  # noqa: TID253

from model.gemma import Gemma
from model.interface import Text
from model.prompt import prompts
from model.prompt.inputs import Inputs
from model.weights import quantization
from model.weights.checkpoint import Checkpoint
from model.weights.installed import find_checkpoint
from model.weights.placement import Placement
from tests import packed, tiny

LAYERS = 6  # three below, one of them global


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Checkpoint:
    folder = tmp_path_factory.mktemp("plain")
    return find_checkpoint(tiny.write(folder, drafter=False, layers=LAYERS))


@pytest.fixture(scope="module")
def four_bits(plain: Checkpoint, tmp_path_factory: pytest.TempPathFactory) -> Checkpoint:
    folder = tmp_path_factory.mktemp("packed")
    packed.write_on_grid(plain.directory, folder)
    return find_checkpoint(folder)


@pytest.fixture(
    scope="module",
    params=["plain float32", "plain bfloat16", "packed float32", "packed bfloat16", "int8 table"],
)
def gemma(plain: Checkpoint, four_bits: Checkpoint, request: pytest.FixtureRequest) -> Gemma:
    layout, dtype = request.param.split()
    checkpoint = plain if layout == "plain" else four_bits
    if layout == "int8":
        checkpoint, dtype = replace(checkpoint, int8_embedding=True), "bfloat16"
    loaded = Gemma(checkpoint, Placement("cpu", dtype, "a test"))
    layer = loaded._text.layers[0].mlp.up_proj
    assert isinstance(layer, quantization.PackedLinear) == (layout != "plain")
    return loaded


# Tokens of each text: alone and many, equal and not, below and beyond the window of 64, and so many
# that packed weights are multiplied in tiles.
SHAPES: dict[str, list[int]] = {
    "one word": [1],
    "equal": [12, 12, 12],
    "mixed": [1, 5, 40, 63, 64, 65],
    "long": [150],
    "many": [20] * 24,
}


@pytest.mark.parametrize("shape", SHAPES)
def test_states_are_those_of_the_whole_pass(gemma: Gemma, shape: str) -> None:
    rows = _rows(gemma, _texts(SHAPES[shape]))
    with torch.inference_mode():
        whole = gemma._states(rows)[1]
    assert torch.equal(gemma._body_states(rows), whole)
    states = whole.float().flatten(0, 1)
    assert states.isfinite().all()
    assert not torch.equal(states[0], states[1])


def test_a_text_has_the_body_of_a_query_which_takes_the_whole_pass(gemma: Gemma) -> None:
    texts = _texts(SHAPES["mixed"])
    for item, query in zip(gemma.embed(texts), gemma.embed(texts, "query"), strict=True):
        assert item.gist is None
        assert query.gist is not None
        assert item.body is not None
        assert np.array_equal(item.body, np.asarray(query.body))


def test_nothing_above_the_middle_runs_for_a_text(gemma: Gemma) -> None:
    ran: list[int] = []

    def note(number: int) -> Callable[..., None]:
        return lambda *_: ran.append(number)

    hooks: list[Any] = [
        layer.register_forward_hook(note(number)) for number, layer in enumerate(gemma._text.layers)
    ]
    try:
        gemma.embed([Text("the red bicycle")])
        assert ran == [0, 1, 2]
        ran.clear()
        gemma.embed([Text("the red bicycle")], "query")
        assert ran == [0, 1, 2, 3, 4, 5]
    finally:
        for hook in hooks:
            hook.remove()


def test_the_lower_layers_take_no_memory_of_their_own(gemma: Gemma) -> None:
    lower = {tensor.data_ptr() for tensor in gemma._body_model.parameters()}
    assert lower <= {tensor.data_ptr() for tensor in gemma._model.parameters()}


def test_which_texts_have_a_gist_is_part_of_the_fingerprint(plain: Checkpoint) -> None:
    assert not plain.text_gists
    assert plain.fingerprint.layers.endswith("texts=body")
    pocket = find_checkpoint("pocket")
    assert pocket.text_gists
    assert pocket.fingerprint.layers == "gist=attention.6,body=mean.3"
    assert (plain.unloaded.text_gists, pocket.unloaded.text_gists) == (False, True)


def _texts(lengths: list[int]) -> list[Text]:
    rng = np.random.default_rng(9)
    return [Text(tiny.words(rng, length)) for length in lengths]


def _rows(gemma: Gemma, texts: list[Text]) -> list[Inputs]:
    return [gemma._render(prompts.gist_prompt(text)) for text in texts]
