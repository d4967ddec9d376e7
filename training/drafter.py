"""The drafter learns to foretell the target: several tokens ahead from one state.

As in use, it sees the embedding of the newest token beside the target's state before it, then its
own state; it stays at the newest token's position and attends to the keys and values of the
target's last sliding and last global layer. It learns the target's whole distribution.
"""

from __future__ import annotations

import json
import random
import time
from collections import UserDict
from pathlib import Path
from typing import Any

import torch
from torch.nn import functional

from training import loader
from training.continuations import continuations
from training.packing import NOTHING, Batch, Example, pack
from training.trunk import Trunk, masks
from training.world import seeds

Tensor = torch.Tensor

AHEAD = 4  # tokens predicted from one state
PLACES = 24  # states of a row it learns from, at one go
RATE, WARM_STEPS = 2e-3, 50
LOG_EVERY = 25
WRITING = 0.3  # of the time is for writing continuations
FEWEST, ROW = 40, 768


def distil(model: Any, drafter: Any, directory: Path, media: Path, minutes: float) -> float:
    """Train `drafter` in place for so many minutes: on the world's texts, with what the target
    thinks of them, and after a third of the time on what the target itself says. The held-out share
    of first guesses that the target agrees with comes back."""
    model.set_attn_implementation("eager")
    drafter.set_attn_implementation("eager")
    lesson = _Lesson(model.eval().requires_grad_(False), drafter)
    ids = loader.Ids(model.config)
    queue, progress, process = loader.start(directory, media, ids, 77)
    progress.value = 0.6
    table = loader.Table(directory, media, ids, seeds.TRAIN, 78)
    table.refresh()
    examples = continuations(model, table.desk, table.items.get("note", []), minutes * WRITING)
    print(f"{len(examples)} continuations", flush=True)
    optimizer = torch.optim.AdamW(drafter.parameters(), lr=RATE, betas=(0.9, 0.98))
    minutes *= 1 - WRITING
    begun, step = time.monotonic(), 0
    dice = torch.Generator().manual_seed(1)
    try:
        while (part := (time.monotonic() - begun) / (minutes * 60)) < 1:
            step += 1
            for group in optimizer.param_groups:
                group["lr"] = RATE * min(1.0, step / WARM_STEPS) * max(0.02, min(1.0, 2 - 2 * part))
            own = part > 0.3 and len(examples) > FEWEST and step % 4 > 0
            batch = _own(examples, step, ids) if own else queue.get()
            loss, agreed = lesson(batch, dice)
            loss.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(drafter.parameters(), 1.0)
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
            if step % LOG_EVERY == 0:
                line = {"what": "drafter", "step": step, "loss": float(loss), "agreed": agreed}
                text = json.dumps(line)
                print(text, flush=True)
                with (directory / "curve.jsonl").open("a") as curve:
                    curve.write(text + "\n")
    finally:
        process.terminate()
    return held_out(lesson, directory, ids)


def _own(examples: list[Example], step: int, ids: loader.Ids) -> Batch:
    chosen = random.Random(step).sample(examples, min(len(examples), 24))
    return pack([example for example in chosen if len(example) <= ROW], 4, ROW, ids)


@torch.no_grad()
def held_out(lesson: _Lesson, directory: Path, ids: Any) -> float:
    """Agreement of first guesses on seeds nobody was trained on."""
    table = loader.Table(directory, directory / "held", ids, seeds.EVAL, 1)
    table.refresh()
    dice = torch.Generator().manual_seed(2)
    shares = [lesson(table.batch(number, loader.mix(0.5)), dice)[1][0] for number in range(4)]
    return sum(shares) / len(shares)


class _Lesson:
    """One batch: what the target thinks, and how well the drafter foretells it."""

    def __init__(self, target: Any, drafter: Any) -> None:
        self.target, self.drafter = target, drafter
        self.trunk = Trunk(target, compiled=False)
        self.window = target.config.text_config.sliding_window

    def __call__(self, batch: Batch, dice: torch.Generator) -> tuple[Tensor, list[float]]:
        """The loss, and for each token ahead the share that the target agrees with."""
        ids, labels = torch.from_numpy(batch.ids), torch.from_numpy(batch.labels)
        config = self.target.config
        soft = (ids == config.audio_token_id) | (ids == config.image_token_id)
        labels = labels.masked_fill(soft, NOTHING)
        positions, owners = torch.from_numpy(batch.positions), torch.from_numpy(batch.owners)
        branches, blocks = torch.from_numpy(batch.branches), torch.from_numpy(batch.blocks)
        allowed = masks(positions, owners, branches, blocks, self.window)
        shared: UserDict[str, tuple[Tensor, Tensor]] = UserDict()
        with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
            embeds = self.trunk.embed(
                ids,
                torch.from_numpy(batch.patches).float() / 255,
                torch.from_numpy(batch.places),
                torch.from_numpy(batch.frames),
            ).float()
            states = self.trunk(embeds, positions, allowed, shared).last
            rows, places, good = _choose(labels, dice)
            known = {kind: mask[:, 0][rows, places][:, None] for kind, mask in allowed.items()}
        # The newest token has not been read yet: its own keys are not there.
        known = {
            kind: mask.scatter(3, places[:, None, :, None], -1e9) for kind, mask in known.items()
        }
        state = states[rows, places - 1].float()
        at = positions[rows, places]
        losses, agreed = [], []
        for step in range(AHEAD):
            now = (places + step).clamp(max=ids.shape[1] - 1)
            embedded = embeds[rows, now]
            seen = self.drafter.pre_projection(torch.cat([embedded, state], dim=-1))
            out = self.drafter.model(
                inputs_embeds=seen,
                attention_mask=known,
                position_ids=at,
                shared_kv_states={k: (a.float(), b.float()) for k, (a, b) in shared.items()},
                use_cache=False,
            ).last_hidden_state
            state = self.drafter.post_projection(out)
            guess = self.drafter.lm_head(out).float()
            with torch.no_grad():
                wanted = self.trunk.logits(states[rows, now])
            real = good & (labels[rows, now] != NOTHING)
            lost = functional.cross_entropy(guess[real], wanted[real].softmax(-1), reduction="mean")
            losses.append(lost)
            same = (guess.argmax(-1) == wanted.argmax(-1))[real]
            agreed.append(round(float(same.float().mean()), 4))
        return torch.stack(losses).mean(), agreed


def _choose(labels: Tensor, dice: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
    """PLACES newest tokens in each row, (b, PLACES) each: the row, the place, and whether it is
    real (rows with nothing to say get places that do not count)."""
    # The newest token has been chosen by the model: the place before it was taught.
    taught = labels != NOTHING
    newest = taught.clone()
    newest[:, 1:] &= taught[:, :-1]
    newest[:, 0] = False
    odds = newest.float() + 1e-6
    odds[:, 0] = 0
    places = torch.multinomial(odds, PLACES, replacement=True, generator=dice)
    rows = torch.arange(len(labels))[:, None].expand_as(places)
    return rows, places, newest[rows, places]
