"""The trained weights as a published checkpoint, with its card, in the place they ship from."""

from __future__ import annotations

import json
import shutil
import tempfile
import textwrap
from pathlib import Path
from typing import Any

import torch

from training import architecture
from training import tokenizer as tokenizers

DRAFTER = "drafter.pt"
STATE = "state.pt"
TABLE = "bench.json"  # what `python -m bench run pocket --json` wrote


def trained(run: Path) -> tuple[Any, Any, Any, dict[str, Any]]:
    """Model (averaged weights), drafter, tokenizer, and how long it was trained."""
    tokenizer = tokenizers.load(run)
    model, drafter = architecture.new(tokenizer)
    held = torch.load(run / STATE, weights_only=True, map_location="cpu")
    model.load_state_dict(held["average"])
    file = run / DRAFTER
    if file.exists():
        drafter.load_state_dict(torch.load(file, weights_only=True))
    record = {
        "step": held["step"], "spent_s": held["spent_s"], "drafted": file.exists(),
        "story": held.get("story", []),
    }  # fmt: skip
    return model, drafter, tokenizer, record


def take_up(run: Path, checkpoint: Path, steps: int, minutes: float) -> None:
    """Write a run's state as if it had just made the weights of a published checkpoint."""
    from transformers import Gemma4UnifiedAssistantForCausalLM

    tokenizer = tokenizers.load(checkpoint)
    tokenizers.save(tokenizer, run)
    for name in ("config.json", "processor_config.json"):
        shutil.copy(checkpoint / name, run / name)
    weights = _published(checkpoint)
    held = {
        "model": weights, "average": weights, "step": steps, "spent_s": minutes * 60,
        "story": ["It took up the weights of a stretch before (`python -m training resume`)."],
    }  # fmt: skip
    torch.save(held, run / STATE)
    drafter = Gemma4UnifiedAssistantForCausalLM.from_pretrained(
        str(checkpoint / "assistant"), dtype=torch.float32
    )
    torch.save(drafter.state_dict(), run / DRAFTER)


def blend(run: Path, checkpoint: Path, share: float) -> None:
    """Mix a published checkpoint's weights into a run's, `share` of them. A run that went on from
    it stays connected to it, and what it lost on the way comes back (model soups, arXiv
    2203.05482)."""
    held = torch.load(run / STATE, weights_only=True, map_location="cpu")
    old = _published(checkpoint)
    mixed = {name: torch.lerp(tensor, old[name], share) for name, tensor in held["average"].items()}
    held["average"] = mixed
    held["model"] = {name: tensor.clone() for name, tensor in mixed.items()}
    held["warm_from"] = held["step"]
    held.setdefault("story", []).append(
        f"At step {held['step']:,} {share:.0%} of the weights it had gone on from were mixed in."
    )
    torch.save(held, run / STATE)


def _published(checkpoint: Path) -> dict[str, torch.Tensor]:
    from transformers import Gemma4UnifiedForConditionalGeneration

    model = Gemma4UnifiedForConditionalGeneration.from_pretrained(
        str(checkpoint), dtype=torch.float32
    )
    weights: dict[str, torch.Tensor] = model.state_dict()
    return weights


def export(run: Path, place: Path) -> int:
    """Write the checkpoint of a run to `place`, file by file, each whole or not at all; how many
    bytes it has comes back."""
    model, drafter, tokenizer, record = trained(run)
    place.mkdir(parents=True, exist_ok=True)
    total = 0
    with tempfile.TemporaryDirectory(dir=place.parent) as folder:
        fresh = Path(folder)
        architecture.save(model, drafter, tokenizer, fresh)
        (fresh / "README.md").write_text(card(run, model, drafter, tokenizer, record))
        for file in sorted(fresh.rglob("*")):
            if file.is_file():
                file.chmod(0o644)
                total += file.stat().st_size
                target = place / file.relative_to(fresh)
                target.parent.mkdir(exist_ok=True)
                file.replace(target)
    return total


def card(run: Path, model: Any, drafter: Any, tokenizer: Any, record: dict[str, Any]) -> str:
    """The model card."""
    weights = sum(parameter.numel() for parameter in model.parameters())
    drafted = sum(parameter.numel() for parameter in drafter.parameters())
    text = model.config.text_config
    return f"""\
---
license: agpl-3.0
language: en
library_name: transformers
pipeline_tag: any-to-any
tags: [demonstration]
---

# Pocket

The demonstration model of Recollect: Google's encoder-free Gemma 4 Unified architecture made
small, trained from nothing on a generated world. It lets every part of the program be shown and
tested on any machine: it reads, looks, listens, finds and answers through the very same code as
the real checkpoint. **It knows its own world only.** Words still find any document; for meaning
in your own files use the real model (`recollect model list`).

## What it is

- `Gemma4UnifiedForConditionalGeneration`, {weights:,} weights in bfloat16: {text.num_hidden_layers}
  layers of {text.hidden_size} (five sliding over {text.sliding_window} tokens, one global); patches
  of 48 x 48 pixels, at most {architecture.PICTURE_TOKENS} a picture; frames of 640 samples, 16 kHz.
- Drafter: `Gemma4UnifiedAssistantForCausalLM`, {drafted:,} weights, in `assistant/`.
- Tokenizer: its own byte-fallback BPE of {len(tokenizer):,} tokens with the control tokens of the
  real one. Digits stand alone. Each fixed sentence of `model/prompt/prompts.py` is one token:
  change one, and pocket has to be made again (`make pocket`).
- Loads with transformers alone (5.22.2), safetensors, no remote code.

## What it learned from

Only from `training/world`, generated from seeds: training 0 to 99,999,999, measuring from
100,000,000 on, the demonstration library from 200,000,000 on; they never meet. Plain scenes, signs,
pages, charts; notes and meetings spoken by espeak-ng; letters, minutes, invoices, recipes, manuals
and itineraries with questions, answers, quotes, and questions that have no answer. English only.

{textwrap.fill(_training(record), 100)}

## How good it is

{_table(run)}

## What it cannot do

- Anything outside its world: real photographs, real voices, words it never met, other languages.
- What the table says it misses. Passages of real files are longer than most of the sources it
  learned from: there it cites best when it is shown one, and the program shows it one.
- Sounds longer than 15 seconds, prompts longer than about {architecture.WINDOW} tokens (the program
  may give up to {text.max_position_embeddings:,}).
"""


def _training(record: dict[str, Any]) -> str:
    drafter = ", then its drafter" if record["drafted"] else "; the drafter is not trained yet"
    text = (
        f"{record['step']:,} steps of {16 * 192:,} tokens in {record['spent_s'] / 60:.0f} minutes "
        f"on a shared processor{drafter}. "
        "Inside the layers Muon, elsewhere AdamW; bfloat16 products, "
        "float32 weights; the shipped weights are a running average."
    )
    return " ".join([text, *record["story"]])


def _table(run: Path) -> str:
    file = run / TABLE
    if not file.exists():
        return "`python -m bench run pocket` measures it on seeds it never saw."
    report = json.loads(file.read_text())
    lines = ["| what | key | measured | goal | met |", "|---|---|---|---|---|"]
    for row in report["rows"]:
        goal = "" if row["goal"] is None else f"{row['goal']:g}"
        met = {None: "", True: "yes", False: "no"}[row["met"]]
        figure = row["ratio"] if row["ratio"] is not None else row["ours"]
        lines.append(f"| {row['what']} | `{row['key']}` | {figure:.3g} | {goal} | {met} |")
    return "Held-out seeds, `python -m bench run pocket`:\n\n" + "\n".join(lines)
