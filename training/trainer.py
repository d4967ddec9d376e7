"""The training of the demonstration model: one mixture of all tasks, on a processor.

Matrices inside the layers learn by Muon, which needs far fewer examples at this size than AdamW;
everything else learns by AdamW. Matrix products run in bfloat16, weights and sums are float32.
What is exported is a running average of the weights.
"""

from __future__ import annotations

import copy
import json
import time
from pathlib import Path
from typing import Any

import torch

from training import architecture, loader
from training import tokenizer as tokenizers
from training.packing import Batch
from training.student import Outcome, Student
from training.world import seeds

MUON_RATE, ADAM_RATE = 4e-3, 1.5e-3
SLOWER = {"patch_dense.weight": 0.2, "embed_audio": 0.3}  # large first maps, well begun
WARM_STEPS, DECAY_FROM = 60, 0.8
CLIP = 1.0
AVERAGE = 0.995
LOG_EVERY, CHECK_EVERY, SAVE_EVERY = 25, 400, 100
PATIENCE_S = 120  # with the maker of batches, which may have died


class Run:
    """A training that can be stopped and taken up again; everything lies in `directory`."""

    def __init__(
        self, directory: Path, media: Path, minutes: float, peak: float = 1.0, seed: int = 0
    ) -> None:
        self.directory, self.media, self.budget_s = directory, media, minutes * 60
        self.peak = peak
        self.tokenizer = tokenizers.load(directory)
        model, _ = architecture.new(self.tokenizer, seed)
        device = "cuda" if torch.cuda.is_available() else "cpu"
        self.student = Student(model.to(device), self.tokenizer)
        self.average = copy.deepcopy(model)
        self.optimizers = _optimizers(self.student)
        self.step, self.spent_s, self.salt = 0, 0.0, seed
        self.warm_from = 0
        self.story: list[str] = []  # where the weights come from, for the card
        self.file = directory / "state.pt"
        if self.file.exists():
            self._resume()

    @property
    def progress(self) -> float:
        return min(1.0, self.spent_s / self.budget_s)

    def go(self) -> None:
        """Train until the time is used up."""
        config = loader.Ids(self.student.model.config)
        queue, progress, process = loader.start(
            self.directory, self.media, config, self.salt + 1000 * self.step
        )
        checks = _checks(self.directory, config)
        seen: dict[str, list[int]] = {}
        begun = time.monotonic()
        parts: dict[str, float] = {}
        try:
            while self.progress < 1:
                progress.value = self.progress
                outcome = self.take_step(queue.get(timeout=PATIENCE_S))
                now = time.monotonic()
                self.spent_s += min(60.0, now - begun)
                begun = now
                for name, value in outcome.parts.items():
                    parts[name] = parts.get(name, value) * 0.9 + value * 0.1
                _count(seen, outcome)
                if self.step % LOG_EVERY == 0:
                    self._log("train", parts, seen)
                    seen = {}
                if self.step % CHECK_EVERY == 0:
                    self._check(checks)
                if self.step % SAVE_EVERY == 0:
                    self.save()
            self.save()
        finally:
            process.terminate()

    def take_step(self, batch: Batch) -> Outcome:
        """Learn from one batch."""
        self.step += 1
        rate = self.peak * _rate(self.step - self.warm_from, self.progress)
        for optimizer in self.optimizers:
            for group in optimizer.param_groups:
                group["lr"] = group["peak"] * rate
        outcome = self.student.learn(batch)
        outcome.loss.backward()  # type: ignore[no-untyped-call]
        every = [parameter for group in _groups(self.optimizers) for parameter in group["params"]]
        torch.nn.utils.clip_grad_norm_(every, CLIP)
        for optimizer in self.optimizers:
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        keep = min(AVERAGE, self.step / (self.step + 10))
        with torch.no_grad():
            for mean, now in zip(
                self.average.parameters(), self.student.model.parameters(), strict=True
            ):
                mean.lerp_(now, 1 - keep)
        return outcome

    @torch.no_grad()
    def _check(self, checks: list[Batch]) -> None:
        """Accuracy on held-out seeds, of the averaged weights."""
        live = copy.deepcopy(self.student.model.state_dict())
        self.student.model.load_state_dict(self.average.state_dict())
        seen: dict[str, list[int]] = {}
        for batch in checks:
            _count(seen, self.student.learn(batch))
        self.student.model.load_state_dict(live)
        self._log("held out", {}, seen)

    def _log(self, what: str, parts: dict[str, float], seen: dict[str, list[int]]) -> None:
        line: dict[str, Any] = {"what": what, "step": self.step, "minutes": self.spent_s / 60}
        line |= {name: round(value, 4) for name, value in parts.items()}
        line["right"] = {name: round(a / b, 4) for name, (a, b) in seen.items() if b}
        text = json.dumps(line)
        print(text, flush=True)
        with (self.directory / "curve.jsonl").open("a") as curve:
            curve.write(text + "\n")

    def save(self) -> None:
        """Write everything that is needed to go on."""
        held = {
            "model": self.student.model.state_dict(), "average": self.average.state_dict(),
            "ear": self.student.sound_head.state_dict(),
            "eye": self.student.patch_head.state_dict(),
            "finger": self.student.source_heads.state_dict(),
            "heat": self.student.log_scales.detach(), "warm_from": self.warm_from,
            "story": self.story,
            "optimizers": [optimizer.state_dict() for optimizer in self.optimizers],
            "step": self.step, "spent_s": self.spent_s,
        }  # fmt: skip
        waiting = self.file.with_suffix(".tmp")
        torch.save(held, waiting)
        waiting.replace(self.file)

    def _resume(self) -> None:
        held = torch.load(self.file, weights_only=True, map_location=self.student.device)
        self.student.model.load_state_dict(held["model"])
        self.average.load_state_dict(held["average"])
        self.step, self.spent_s = held["step"], held["spent_s"]
        self.warm_from = held.get("warm_from", self.step)
        self.story = held.get("story", [])
        if "optimizers" not in held:  # taken up from a published checkpoint
            return
        self.student.sound_head.load_state_dict(held["ear"])
        self.student.patch_head.load_state_dict(held["eye"])
        self.student.source_heads.load_state_dict(held["finger"])
        self.student.log_scales.data.copy_(held["heat"])
        for optimizer, state in zip(self.optimizers, held["optimizers"], strict=True):
            peaks = [group["peak"] for group in optimizer.param_groups]
            optimizer.load_state_dict(state)
            for group, peak in zip(optimizer.param_groups, peaks, strict=True):
                group["peak"] = peak


def _optimizers(student: Student) -> list[Any]:
    inner, outer = [], []
    for name, weight in student.model.named_parameters():
        if ".layers." in name and weight.ndim == 2:
            inner.append(weight)
        else:
            slow = next((part for key, part in SLOWER.items() if key in name), 1.0)
            outer.append({"params": [weight], "peak": ADAM_RATE * slow})
    heads = (student.sound_head, student.patch_head, student.source_heads)
    helpers = [
        *(parameter for head in heads for parameter in head.parameters()),
        student.log_scales,
    ]
    outer.append({"params": helpers, "peak": ADAM_RATE})
    muon = torch.optim.Muon(inner, lr=MUON_RATE, weight_decay=0.01, adjust_lr_fn="match_rms_adamw")
    for group in muon.param_groups:
        group["peak"] = MUON_RATE
    return [muon, torch.optim.AdamW(outer, lr=ADAM_RATE, betas=(0.9, 0.98), weight_decay=0.0)]


def _groups(optimizers: list[Any]) -> list[dict[str, Any]]:
    return [group for optimizer in optimizers for group in optimizer.param_groups]


def _rate(step: int, progress: float) -> float:
    """Warm up, stay, and go down to a fiftieth."""
    warm = min(1.0, step / WARM_STEPS)
    down = 1 - max(0.0, progress - DECAY_FROM) / (1 - DECAY_FROM)
    return warm * max(0.02, down)


def _count(seen: dict[str, list[int]], outcome: Outcome) -> None:
    for name, (right, of) in outcome.right.items():
        held = seen.setdefault(name, [0, 0])
        held[0] += right
        held[1] += of


def _checks(directory: Path, config: Any) -> list[Batch]:
    """Batches of held-out seeds, the same every time."""
    from model.prompt.inputs import MediaFormat
    from training import renders

    held = directory / "held"
    for kind in renders.MAKERS:
        renders.render(kind, held, renders.SHARD, MediaFormat.of(directory), range_=seeds.EVAL)
    table = loader.Table(directory, held, config, seeds.EVAL, 0)
    table.refresh()
    return [table.batch(number, loader.mix(0.5)) for number in range(3)]
