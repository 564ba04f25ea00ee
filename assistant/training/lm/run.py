"""A run of training: steps, what is kept to go on after a kill, the adapter in the end."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError

from assistant.training.lm import adapter, losses
from assistant.training.lm.base_model import Base
from assistant.training.lm.batches import Batch, Batches
from assistant.training.lm.lines import Row
from assistant.training.lm.settings import LmSettings
from assistant.training.lm.tokens import Coder, Sequence_
from assistant.training.optimisation import (
    Progress,
    TrainingInvalid,
    adamw,
    clip,
    device,
    warm_and_fall,
)
from assistant.training.state import RunState, seed

Coded = tuple[Sequence_, ...]


@dataclass(frozen=True, slots=True)
class Trained:
    """``before`` and ``after``: the loss on rows held out; ``tokens`` that went through."""

    folder: Path
    before: float
    after: float
    steps: int
    tokens: int
    seconds: float
    losses: tuple[float, ...]


class Run:
    """One model on its way."""

    def __init__(
        self,
        base: Base,
        rows: Sequence[Coded],
        held: Sequence[Coded],
        pad: int,
        settings: LmSettings,
    ) -> None:
        self.settings = settings
        self.model = adapter.adapted(base.model, settings)
        whole = self.model.get_base_model()
        self._decoder, self._head = whole.get_decoder(), whole.get_output_embeddings()
        place = device()
        self.batches = Batches(rows, settings.tokens, pad, settings.seed, place, settings.epochs)
        one = Batches(held, settings.tokens, pad, settings.seed, place) if held else None
        self._held = one.in_order() if one else []
        self.optimizer = adamw(self.model, lambda _: settings.rate, settings.decay)

    def loss(self, batch: Batch) -> Any:
        """What is to become smaller, the mean over tokens or rows."""
        method = self.settings.method
        if method in ("sft", "pretrain"):
            return -self._likelihoods(batch).mean()
        half = len(batch.ids) // 2
        with torch.no_grad(), self.model.disable_adapter():
            reference = losses.by_row(self._likelihoods(batch), batch.learned)
        if method == "dpo":
            policy = losses.by_row(self._likelihoods(batch), batch.learned)
            return losses.dpo(policy.view(2, half), reference.view(2, half), self.settings.beta)
        own, other = _halves(batch, half)
        with torch.no_grad():
            strange = losses.by_row(self._likelihoods(other), other.learned) - reference[half:]
        policy = losses.by_row(self._likelihoods(own), own.learned)
        return losses.kto(
            policy, reference[:half], own.wanted, strange.mean().clamp(min=0), self.settings.beta
        )

    def step(self, step: int) -> tuple[float, int]:
        """Take one step; the loss before it, and its tokens.

        Raises:
            TrainingInvalid: the loss or the gradient is no number; nothing was changed then.
        """
        # Every chance of a step follows from its number: a run gone on with is the unbroken one.
        seed(self.settings.seed * 1_000_003 + step)
        self.model.train()
        self.optimizer.zero_grad(set_to_none=True)
        batch = self.batches.at(step)
        loss = self.loss(batch)
        value = float(loss.detach())
        if math.isfinite(value):
            loss.backward()
            norm = clip(adapter.trained(self.model).values())
        if not math.isfinite(value) or not math.isfinite(norm):
            raise TrainingInvalid(
                f"第 {step + 1} 步的损失不是数字，已停止；上一次保存的状态仍在。请降低 --rate "
                "后另选 --out 重新开始。(The loss is no number any more; the state saved last is "
                "kept. Begin again in another folder with a lower --rate.)"
            )
        warm_and_fall(self.optimizer, step, self.batches.steps, self.settings.warm)
        self.optimizer.step()
        return value, int(batch.mask.sum())

    def held_out(self) -> float:
        """The loss on the rows held out, weighed by what is learned of them."""
        self.model.eval()
        total, count = 0.0, 0
        with torch.no_grad():
            for batch in self._held:
                size = int(batch.learned.sum()) if self._by_token else len(batch.ids)
                total += float(self.loss(batch)) * size
                count += size
        return total / count if count else math.nan

    @property
    def held_tokens(self) -> int:
        """How many tokens the rows held out have that are learned."""
        return sum(int(batch.learned.sum()) for batch in self._held)

    @property
    def _by_token(self) -> bool:
        return self.settings.method in ("sft", "pretrain")

    def _likelihoods(self, batch: Batch) -> Any:
        hidden = self._decoder(
            input_ids=batch.ids, attention_mask=batch.mask.long(), use_cache=False
        ).last_hidden_state
        return losses.log_likelihoods(hidden, self._head, batch.ids, batch.learned)


def _halves(batch: Batch, half: int) -> tuple[Batch, Batch]:
    parts = (batch.ids, batch.mask, batch.learned, batch.wanted)
    return Batch(*(part[:half] for part in parts)), Batch(*(part[half:] for part in parts))


def coded(rows: Sequence[Row], coder: Coder, settings: LmSettings) -> list[Coded]:
    """Rows as token ids; those of which nothing is learned are left out."""
    if settings.method == "pretrain":
        return [(one,) for one in coder.blocks(rows)]
    made = [one for row in rows if (one := coder.coded(row, settings.method))]
    if settings.method == "kto":
        # Another row's completion behind this row's prompt tells how far the model has moved.
        strangers = [
            coder.coded(
                Row(row.place, row.messages, completion=rows[(n + 1) % len(rows)].completion), "kto"
            )
            for n, row in enumerate(rows)
        ]
        pairs = zip(rows, strangers, strict=True)
        made = [
            (*own, *strange)
            for row, strange in pairs
            if (own := coder.coded(row, "kto")) and strange
        ]
    return made


def train(
    base: Base,
    rows: Sequence[Coded],
    held: Sequence[Coded],
    pad: int,
    folder: Path,
    settings: LmSettings,
    report: Progress,
    identity: str = "",
    name: Path | None = None,
) -> Trained:
    """Tune ``base`` on ``rows`` and write the adapter; goes on where a killed run was.

    ``identity``: what else tells this run from another (hashes of the data).

    Raises:
        TrainingInvalid: the loss is no number, there is nothing to learn, or no place on the disk.
        StateInvalid: the folder holds the state of another run.
    """
    if not rows:
        raise TrainingInvalid("没有可学习的内容。(Nothing of the data is learned.)")
    run = Run(base, rows, held, pad, settings)
    state = RunState(
        folder,
        {"lm": {**asdict(settings), "targets": list(settings.targets)},
         "base": base.fingerprint, "numbers": base.numbers, "data": identity},
    )  # fmt: skip
    facts: dict[str, Any] = {"step": 0, "seconds": 0.0, "tokens": 0, "losses": []}
    if (found := state.restore(run.model, run.optimizer)) is not None:
        groups, facts = found
        adapter.restore(run.model, groups["adapter"])
    else:
        facts["before"] = run.held_out()
    clock = time.monotonic() - facts["seconds"]
    saved = ""
    for step in range(facts["step"], run.batches.steps):
        value, tokens = run.step(step)
        facts["tokens"] += tokens
        facts["losses"].append(round(value, 6))
        facts |= {"step": step + 1, "seconds": time.monotonic() - clock}
        if facts["step"] % settings.save_every == 0 and facts["step"] < run.batches.steps:
            saved = _saved(state, run, facts)
        pace = facts["tokens"] / max(1e-9, facts["seconds"])
        recent = facts["losses"][-20:]
        report(
            facts["step"],
            run.batches.steps,
            f"loss {sum(recent) / len(recent):.3f}, {pace:,.0f} tokens/s{saved}",
        )
    after = run.held_out()
    try:
        adapter.write(run.model, folder, name or folder)
    except (OSError, SafetensorError) as error:
        _saved(state, run, facts)
        raise TrainingInvalid(
            f"{folder} 写入失败，磁盘可能已满；腾出空间后再次运行同一命令即可继续。"
            "(The adapter could not be written, perhaps the disk is full; make room and run the "
            "same command again.)"
        ) from error
    state.remove()
    return Trained(
        folder, facts["before"], after, run.batches.steps, facts["tokens"],
        facts["seconds"], tuple(facts["losses"]),
    )  # fmt: skip


def _saved(state: RunState, run: Run, facts: dict[str, Any]) -> str:
    """Keep the state; where the disk is full the older one stays, and this is what is told."""
    try:
        state.save({"adapter": adapter.trained(run.model)}, run.model, run.optimizer, facts)
    except (OSError, SafetensorError):
        return "，磁盘已满，未能保存 (not saved: the disk is full)"
    return ""
