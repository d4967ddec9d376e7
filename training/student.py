"""The model while it learns: what it makes of a batch, and how far that is from right.

Some labels serve training alone: which sound a frame holds, what a patch shows, which source a
word stands in. Given directly, these are learned long before sentences could teach them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch.nn import functional

from training import citing, lessons, sight
from training.desk import PHONES
from training.packing import NOTHING, Batch
from training.trunk import States, Trunk, masks

Tensor = torch.Tensor

WEIGHTS = {
    lessons.ANSWER: 1.0, lessons.REFUSE: 2.0, lessons.JUDGE: 4.0, lessons.CAPTION: 2.0,
    lessons.READ: 2.0, lessons.TRANSCRIPT: 1.0, lessons.LISTEN: 1.0, lessons.HEAR: 1.0,
    lessons.SEE: 0.6,
}  # fmt: skip
GIST_WEIGHT, BODY_WEIGHT, HEARING_WEIGHT = 1.0, 0.15, 0.3
SEEING_WEIGHTS = {"letters": 1.0, "kinds": 0.5, "colours": 0.25}
CITING_WEIGHTS = {"belongs": 0.3, "cites": 0.5}
EMPTY = 0.3  # how much less it counts that a patch shows nothing
_SOFT = [lessons.TASKS.index(task) for task in (lessons.HEAR, lessons.SEE)]
_ANSWERS = [lessons.TASKS.index(task) for task in (lessons.ANSWER, lessons.REFUSE)]
TURN = 4.0  # how much heavier the deciding tokens of an answer weigh
REMEMBERED = 1500  # items of earlier batches that a query must not be taken for


@dataclass(slots=True)
class Outcome:
    """The result of one batch: the loss and, per task, how many tokens were right of how many."""

    loss: Tensor
    parts: dict[str, float]
    right: dict[str, tuple[int, int]]


class Student:
    """The model with what is needed only in training: the scales of two similarities, and linear
    heads that name the sound of a frame, what a patch shows and the source that a word comes from.
    They train the first layers long before sentences can."""

    def __init__(self, model: Any, tokenizer: Any, compiled: bool = True) -> None:
        model.set_attn_implementation("eager")  # masks are ours; compiled, it is the fastest
        self.model = model
        self.device = next(model.parameters()).device
        self.trunk = Trunk(model, compiled)
        hidden = model.config.text_config.hidden_size
        self.sound_head = torch.nn.Linear(hidden, 2 * PHONES, device=self.device)
        self.patch_head = torch.nn.Linear(hidden, sight.ASKED * sight.ANSWERS, device=self.device)
        self.source_heads = torch.nn.ModuleDict(
            {name: torch.nn.Linear(hidden, citing.NUMBERS) for name in CITING_WEIGHTS}
        ).to(self.device)
        self.odds = torch.ones(sight.ANSWERS, device=self.device)
        self.odds[0] = EMPTY
        # The logarithms of gist's and body's scale.
        self.log_scales = torch.nn.Parameter(torch.tensor([2.3, 2.3], device=self.device))
        # After these an answer decides: whether it knows, which source, where the quote begins.
        self.turns = self._numbers(tokenizer, ["\n", "▁[", '▁"'])
        self.past: tuple[Tensor, ...] = ()  # gists of items of the last batches, and their keys
        self.weights = torch.tensor([WEIGHTS[task] for task in lessons.TASKS], device=self.device)
        self.soft = torch.tensor(_SOFT, device=self.device)
        self.answers = torch.tensor(_ANSWERS, device=self.device)
        self.window = model.config.text_config.sliding_window

    def _numbers(self, tokenizer: Any, tokens: list[str]) -> Tensor:
        return torch.tensor(tokenizer.convert_tokens_to_ids(tokens), device=self.device)

    def learn(self, batch: Batch) -> Outcome:
        """Forward through all tasks of a batch."""
        t = {
            name: torch.from_numpy(getattr(batch, name)).to(self.device)
            for name in ("ids", "positions", "owners", "branches", "blocks", "labels", "tasks",
                         "stakes", "sources", "places", "shown", "phones", "vectors")
        }  # fmt: skip
        patches = torch.from_numpy(batch.patches).to(self.device).float() / 255
        frames = torch.from_numpy(batch.frames).to(self.device)
        allowed = masks(t["positions"], t["owners"], t["branches"], t["blocks"], self.window)
        with torch.autocast(self.device.type, dtype=torch.bfloat16):
            embeds = self.trunk.embed(t["ids"], patches, t["places"], frames)
            states = self.trunk(embeds.float(), t["positions"], allowed)
            taught = t["labels"] != NOTHING
            wanted, tasks = t["labels"][taught], t["tasks"][taught]
            # Soft tokens name what they hold early, so that the layers above can read it there.
            early = self.trunk.text.norm(states.early[taught])
            soft = torch.isin(tasks, self.soft)[:, None]
            logits = self.trunk.logits(torch.where(soft, early, states.last[taught]))
        losses = functional.cross_entropy(logits, wanted, reduction="none")
        weights = self.weights[tasks]
        turning = torch.isin(t["ids"][taught], self.turns) & torch.isin(tasks, self.answers)
        weights = weights * torch.where(turning, TURN, 1.0) * t["stakes"][taught]
        words = (losses * weights).sum() / weights.sum()
        parts = {"words": float(words.detach())}
        loss = words
        hits = logits.argmax(-1) == wanted
        right = {
            task: (int(hits[tasks == number].sum()), int((tasks == number).sum()))
            for number, task in enumerate(lessons.TASKS)
        }
        meeting, met = self._similarity_loss(states, t["vectors"])
        for name, value in met.items():
            right[name] = value
        if meeting is not None:
            loss = loss + meeting
            parts["vectors"] = float(meeting.detach())
        for name, (lost, hit) in self._source_losses(states, t["sources"], taught).items():
            loss = loss + CITING_WEIGHTS[name] * lost
            parts[name] = float(lost.detach())
            right[name] = hit
        if len(t["phones"]):
            heard = states.body[t["ids"] == self.model.config.audio_token_id].float()
            odds = self.sound_head(heard).view(-1, 2, PHONES)
            hearing = functional.cross_entropy(odds.flatten(0, 1), t["phones"].flatten())
            loss = loss + HEARING_WEIGHT * hearing
            parts["hearing"] = float(hearing.detach())
            named = (odds.argmax(-1) == t["phones"]).float().sum()
            right["phones"] = (int(named), t["phones"].numel())
        if len(t["shown"]):
            seeing = self._patch_losses(
                t["ids"] == self.model.config.image_token_id, states, t["shown"]
            )
            for name, (lost, hit) in seeing.items():
                loss = loss + SEEING_WEIGHTS[name] * lost
                parts[name] = float(lost.detach())
                right[name] = hit
        return Outcome(loss, parts, right)

    def _source_losses(
        self, states: States, sources: Tensor, taught: Tensor
    ) -> dict[str, tuple[Tensor, tuple[int, int]]]:
        """How well the words of a source tell its number, half-way up, and the words of an answer
        the number of the source they come from: the loss, and how many were right."""
        labelled, losses = sources != NOTHING, {}
        for name, seen, where in (
            ("belongs", states.body, labelled & ~taught),
            ("cites", states.last, labelled & taught),
        ):
            if where.any():
                odds, wanted = self.source_heads[name](seen[where].float()), sources[where]
                hits = int((odds.argmax(-1) == wanted).sum())
                losses[name] = (functional.cross_entropy(odds, wanted), (hits, len(wanted)))
        return losses

    def _patch_losses(
        self, soft: Tensor, states: States, shown: Tensor
    ) -> dict[str, tuple[Tensor, tuple[int, int]]]:
        """How well patches name what they show, for each sort that they were told: the loss, and
        how many of those that show something were right. Letters are named early, things, which
        reach over many patches, a layer later."""
        kinds = (sight.ASKED, sight.ANSWERS)
        early, later = (self.patch_head(layer[soft].float()).unflatten(-1, kinds)
                        for layer in (states.body, states.early))  # fmt: skip
        losses = {}
        for name, odds, asked in (
            ("letters", early, slice(0, sight.THIRDS)),
            ("kinds", later, slice(sight.KIND, sight.KIND + 1)),
            ("colours", later, slice(sight.COLOUR, sight.COLOUR + 1)),
        ):
            answers = shown[:, asked]
            labelled = answers != NOTHING
            if labelled.any():
                predicted, wanted = odds[:, asked][labelled], answers[labelled]
                present = wanted > 0
                hits = int((predicted.argmax(-1) == wanted)[present].sum())
                lost = functional.cross_entropy(predicted, wanted, self.odds)
                losses[name] = (lost, (hits, int(present.sum())))
        return losses

    def _similarity_loss(
        self, states: States, vectors: Tensor
    ) -> tuple[Tensor | None, dict[str, tuple[int, int]]]:
        """Queries and the items they should find, against all other items of the batch."""
        rows, gists, starts, ends, keys, asks = vectors.T
        items, queries = self._pairs(keys, asks)
        if len(items) < 2:
            return None, {}
        gist_vectors = functional.normalize(states.gist[rows, gists].float(), dim=-1)
        scale = self.log_scales.exp().clamp(max=60)
        loss, met = self._contrast(gist_vectors, items, queries, keys, scale[0], self.past)
        if torch.is_grad_enabled():
            old = self.past or (gist_vectors[:0].detach(), keys[:0])
            once = torch.unique(items)
            new = (gist_vectors[once].detach(), keys[once])
            self.past = tuple(torch.cat(both)[-REMEMBERED:] for both in zip(old, new, strict=True))
        loss = GIST_WEIGHT * loss
        measures = {"gist": met}
        both = (ends[items] > starts[items]) & (ends[queries] > starts[queries])
        if both.sum() > 1:
            order = torch.arange(states.body.shape[1], device=self.device)
            own = (order >= starts[:, None]) & (order < ends[:, None])
            sums = (states.body[rows].float() * own[..., None]).sum(1)
            body = functional.normalize(sums / own.sum(1, keepdim=True).clamp(min=1), dim=-1)
            more, met = self._contrast(body, items[both], queries[both], keys, scale[1])
            loss = loss + BODY_WEIGHT * more
            measures["body"] = met
        return loss, measures

    @staticmethod
    def _pairs(keys: Tensor, asks: Tensor) -> tuple[Tensor, Tensor]:
        numbered = list(enumerate(zip(keys.tolist(), asks.tolist(), strict=True)))
        item_of = {key: place for place, (key, ask) in numbered if not ask and key >= 0}
        pairs = [(item_of[key], place) for place, (key, ask) in numbered if ask and key in item_of]
        rows = torch.tensor(pairs, dtype=torch.long, device=keys.device).reshape(-1, 2)
        return rows[:, 0], rows[:, 1]

    @staticmethod
    def _contrast(
        batch_vectors: Tensor,
        items: Tensor,
        queries: Tensor,
        keys: Tensor,
        scale: Tensor,
        past: tuple[Tensor, ...] = (),
    ) -> tuple[Tensor, tuple[int, int]]:
        """Each query against the items of this batch and those of the `past` (vectors, keys)."""
        count = len(items)
        held, named = batch_vectors[items], keys[items]
        if past:
            held, named = torch.cat([held, past[0]]), torch.cat([named, past[1]])
        likeness = batch_vectors[queries] @ held.T * scale
        same = keys[queries][:, None] == named[None, :]
        own = torch.eye(count, len(named), dtype=torch.bool, device=named.device)
        likeness = likeness.masked_fill(same & ~own, -1e4)
        goal = torch.arange(count, device=named.device)
        back = likeness[:, :count].T
        loss = functional.cross_entropy(likeness, goal) + functional.cross_entropy(back, goal)
        return loss / 2, (int((likeness.argmax(1) == goal).sum()), count)
