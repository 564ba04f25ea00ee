"""Pre-training by masked tokens: an encoder from text alone."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from assistant.training import export
from assistant.training.corpus import Blocks, blocks, masked
from assistant.training.model import MaskedModel, encoder_weights, load
from assistant.training.optimisation import (
    Numbers,
    Progress,
    TrainingInvalid,
    adamw,
    clip,
    device,
    extended,
    products,
    warm_and_fall,
)
from assistant.training.state import RunState, seed
from serving.encoder.checkpoint import BertCheckpoint
from serving.encoder.shape import Shape
from serving.encoder.vocabulary import Vocabulary

_HELD = 64
_MASK_SEED_OF_HELD = 20_190_611


@dataclass(frozen=True, slots=True)
class PretrainSettings:
    """``length`` tokens a row, ``batch`` rows a step; ``rate`` is the highest learning rate.

    ``extension``: see `fitting.FitSettings`.  ``save_every`` and ``look_every`` are in steps.
    """

    steps: int = 3_200
    batch: int = 16
    length: int = 128
    rate: float = 1e-3
    warm: float = 0.05
    decay: float = 0.01
    dropout: float = 0.0
    numbers: Numbers = "auto"
    extension: bool = False
    seed: int = 1
    save_every: int = 100
    look_every: int = 200


@dataclass(frozen=True, slots=True)
class Pretrained:
    """``loss`` and ``right`` (share of hidden characters told right) are of rows held out."""

    folder: Path
    loss: float
    right: float
    tokens: int
    seconds: float


class _Run:
    def __init__(
        self, model: Any, vocabulary: Vocabulary, rows: Blocks, settings: PretrainSettings
    ) -> None:
        order = np.random.default_rng(settings.seed).permutation(len(rows))
        held = min(_HELD, len(rows) // 10)
        self._held = rows[order[:held]]
        self._rows = rows[order[held:]]
        self._vocabulary = vocabulary
        self._settings = settings
        self._positions = model.bert.embeddings.position_embeddings.num_embeddings
        self._device = device()
        self.model = model.to(self._device)
        self.optimizer = adamw(model, lambda _: settings.rate, settings.decay)
        _, self.optimizer = extended(self.model, self.optimizer, settings.extension)

    def batch(self, step: int) -> tuple[Any, Any, Any]:
        """Ids, flat places of the hidden ones, what they were.  Follows from the step alone."""
        size, count = self._settings.batch, len(self._rows)
        places = range(step * size, (step + 1) * size)
        chosen = [self._rows[self._order(place // count)[place % count]] for place in places]
        rows = np.stack(chosen)
        return self._masked(rows, np.random.default_rng([self._settings.seed, step]))

    def step(self, step: int) -> float:
        """Take one step; the loss before it."""
        seed(self._settings.seed * 1_000_003 + step)
        ids, places, targets = self.batch(step)
        self.model.train()
        # Rows are short, positions many: a row begins anywhere, so that all are learnt.
        random = np.random.default_rng([self._settings.seed, step, 1])
        first = int(random.integers(0, self._positions - ids.shape[1] + 1))
        with products(self._settings.numbers):
            loss = functional.cross_entropy(self.model(ids, places, first).float(), targets)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        clip(self.model.parameters())
        warm_and_fall(self.optimizer, step, self._settings.steps, self._settings.warm)
        self.optimizer.step()
        value = float(loss.detach())
        if not np.isfinite(value):
            raise TrainingInvalid(f"The loss is no number at step {step}; lower --rate.")
        return value

    def held_out(self) -> tuple[float, float]:
        """Loss and share told right of the rows held out, always with the same ones hidden."""
        random = np.random.default_rng(_MASK_SEED_OF_HELD)
        self.model.eval()
        loss, right, count = 0.0, 0, 0
        with torch.no_grad(), products(self._settings.numbers):
            for start in range(0, len(self._held), self._settings.batch):
                rows = self._held[start : start + self._settings.batch]
                ids, places, targets = self._masked(rows, random)
                scores = self.model(ids, places).float()
                loss += float(functional.cross_entropy(scores, targets, reduction="sum"))
                right += int((scores.argmax(-1) == targets).sum())
                count += len(targets)
        return loss / max(1, count), right / max(1, count)

    def _masked(self, rows: Blocks, random: np.random.Generator) -> tuple[Any, Any, Any]:
        hidden, places = masked(rows, self._vocabulary, random)
        targets = rows.reshape(-1)[places].astype(np.int64)
        ids, flat, wanted = (
            torch.from_numpy(part).to(self._device)
            for part in (hidden.astype(np.int64), places, targets)
        )
        return ids, flat, wanted

    def _order(self, epoch: int) -> Any:
        if epoch != getattr(self, "_epoch", None):
            self._epoch = epoch
            random = np.random.default_rng([self._settings.seed, 7, epoch])
            self._permutation = random.permutation(len(self._rows))
        return self._permutation


def pretrain(
    texts: Sequence[str],
    vocabulary: Vocabulary,
    shape: Shape,
    folder: Path,
    settings: PretrainSettings,
    report: Progress,
    start: BertCheckpoint | None = None,
) -> Pretrained:
    """Train an encoder on ``texts`` and write it to ``folder``; goes on where a killed run was.

    Raises:
        TrainingInvalid: the loss is no number any more.
        StateInvalid: the folder holds the state of another run.
        DatasetInvalid: there is too little text.
    """
    shape = replace(shape, vocab_size=len(vocabulary))
    rows = blocks(texts, vocabulary, min(settings.length, shape.max_position_embeddings))
    seed(settings.seed)
    model = MaskedModel(shape, settings.dropout)
    if start is not None:
        load(model, start.encoder_tensors())
    run = _Run(model, vocabulary, rows, settings)
    state = RunState(folder, {"pretrain": asdict(settings), "shape": asdict(shape)})
    begun, spent = 0, 0.0
    found = state.restore(model, run.optimizer)
    if found is not None:
        groups, facts = found
        model.load_state_dict(groups["model"])
        begun, spent = facts["step"], facts["seconds"]
    clock = time.monotonic() - spent
    figures = ""
    for step in range(begun, settings.steps):
        loss = run.step(step)
        done = step + 1
        if done % settings.look_every == 0 or done == settings.steps:
            held = run.held_out()
            figures = f", held out {held[0]:.3f}, {held[1]:.1%} right"
        if done % settings.save_every == 0 and done < settings.steps:
            taken = time.monotonic() - clock
            state.save(
                {"model": model.state_dict()}, model, run.optimizer,
                {"step": done, "seconds": taken},
            )  # fmt: skip
        pace = done * settings.batch * rows.shape[1] / (time.monotonic() - clock)
        report(done, settings.steps, f"loss {loss:.3f}{figures}, {pace:,.0f} tokens/s")
    seconds = time.monotonic() - clock
    loss, right = run.held_out()
    tokens = settings.steps * settings.batch * rows.shape[1]
    told_of = {"steps": settings.steps, "tokens": tokens, "held_out_loss": round(loss, 4),
               "held_out_right": round(right, 4), "seed": settings.seed}  # fmt: skip
    export.write(folder, encoder_weights(model), shape, vocabulary, facts={"pretrain": told_of})
    state.remove()
    return Pretrained(folder, loss, right, tokens, seconds)
