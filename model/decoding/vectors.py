"""Hidden states to vectors: which states are read, how they are pooled and centred.

- gist: the state of the last token of the control prompt, after the last layer's attention and
  before its MLP (FreeRet, arXiv 2509.24621: the last MLP turns meaning into the next word).
- body: the mean over a passage's own tokens of the states after the middle layer (for long texts
  one-word states are poor, and middle layers beat the last: arXiv 2502.02013). A text that needs
  a body alone is read by these layers alone, with the same numbers as a result.

Whatever decides what a number means is named in `layers_version` and `MATRICES`, which are part of
the Fingerprint.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from model.interface import Content, Float32, Image, Sound

if TYPE_CHECKING:
    import torch

# Version of the centring and whitening matrices; this one leaves vectors as they come.
MATRICES = "none-1"


def body_layer(layer_count: int) -> int:
    """After how many of the decoder's layers the body is read."""
    return max(1, layer_count // 2)


def layers_version(layer_count: int, text_gists: bool) -> str:
    """The states that are read, as the Fingerprint names them; without `text_gists`, texts of the
    library have a body alone."""
    read = f"gist=attention.{layer_count},body=mean.{body_layer(layer_count)}"
    return read if text_gists else f"{read},texts=body"


def body_model(model: Any) -> Any:
    """A stock model (`Gemma4UnifiedModel`) up to the layer after which the body is read. Its
    `last_hidden_state` are the states behind that layer, without a norm. It shares every module
    with `model` and takes no memory of its own."""
    from torch import nn

    text = model.language_model
    layers = nn.ModuleList(text.layers[: body_layer(len(text.layers))])
    lower = _with_modules(text, {"layers": layers, "norm": nn.Identity()})
    return _with_modules(model, {"language_model": lower})


def _with_modules(module: Any, others: dict[str, Any]) -> Any:
    """The same module with `others` in place of some of its children; `module` stays as it is."""
    changed = copy.copy(module)
    changed._modules = module._modules | others
    return changed


@contextmanager
def captured_states(layers: Sequence[Any]) -> Iterator[dict[str, torch.Tensor]]:
    """Meanwhile every forward through the decoder's `layers` leaves the states that vectors are
    made of, (B, T, D) each: `gist` before the last layer's MLP, `body` after the middle layer."""
    captured: dict[str, torch.Tensor] = {}
    middle = layers[body_layer(len(layers)) - 1]
    hooks = [
        layers[-1].pre_feedforward_layernorm.register_forward_pre_hook(
            lambda _, arguments: captured.__setitem__("gist", arguments[0])
        ),
        middle.register_forward_hook(
            lambda _, __, output: captured.__setitem__("body", output.clone())
        ),
    ]
    try:
        yield captured
    finally:
        for hook in hooks:
            hook.remove()


def gist_vector(state: torch.Tensor, content: Content) -> Float32:
    """The unit vector of one last-token state (D,)."""
    return unit_vector(centred_vector(state.float().cpu().numpy(), content))


def body_vector(states: torch.Tensor) -> Float32 | None:
    """The unit vector of a passage's token states (n, D); None where it has no tokens."""
    if not len(states):
        return None
    return unit_vector(states.float().mean(dim=0).cpu().numpy())


def unit_vector(vector: Float32) -> Float32:
    """`vector` (D,) at length 1 in float32; a vector of zeros stays what it is."""
    exact = vector.astype(np.float64)
    length = float(np.linalg.norm(exact))
    return (exact / length if length > 0 else exact).astype(np.float32)


def centred_vector(vector: Float32, content: Content) -> Float32:
    """Subtract the mean of this modality's vectors, where one was fitted: pictures, sounds and
    texts each lie in a cone of their own. Version none-1 has no means to subtract."""
    means = _MEANS.get(modality(content))
    return vector if means is None else vector - means


_MEANS: dict[str, Float32] = {}


def modality(content: Content) -> str:
    """Which mean belongs to this content."""
    if isinstance(content, Image):
        return "picture"
    return "sound" if isinstance(content, Sound) else "text"
