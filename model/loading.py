"""Weights from disk onto the device: the only file that builds the models of transformers."""

from __future__ import annotations

import logging
import time
from typing import Any

import torch
from transformers import (
    Gemma4UnifiedAssistantForCausalLM,
    Gemma4UnifiedForConditionalGeneration,
)
from transformers.utils import logging as transformers_logging

from model.checkpoint import Checkpoint
from model.interface import ModelProblem
from model.placement import Placement

logger = logging.getLogger(__name__)


def load(checkpoint: Checkpoint, placement: Placement) -> tuple[Any, Any | None]:
    """The model and its drafter, ready for inference. Raises ModelProblem where the files do not
    hold what their config.json says."""
    transformers_logging.disable_progress_bar()
    begun = time.perf_counter()
    wanted = [(Gemma4UnifiedForConditionalGeneration, checkpoint.directory)]
    if checkpoint.drafter is not None:
        wanted.append((Gemma4UnifiedAssistantForCausalLM, checkpoint.drafter))
    loaded = []
    for kind, directory in wanted:
        try:
            model, told = kind.from_pretrained(
                directory,
                dtype=getattr(torch, placement.dtype),
                local_files_only=True,
                use_safetensors=True,
                output_loading_info=True,
            )
            model = model.to(placement.device).eval()
        except (OSError, RuntimeError, ValueError, KeyError) as why:
            raise ModelProblem(
                f"The weights in {directory} cannot be loaded ({str(why).splitlines()[0]}); "
                "download the checkpoint again, or use the small model with --model pocket."
            ) from why
        if told["missing_keys"] or told["mismatched_keys"]:
            raise ModelProblem(
                f"The weights in {directory} do not fit its config.json; download it again."
            )
        loaded.append(model.requires_grad_(False))
    logger.info("%s loaded in %.1f s", checkpoint.name, time.perf_counter() - begun)
    return loaded[0], loaded[1] if len(loaded) > 1 else None
