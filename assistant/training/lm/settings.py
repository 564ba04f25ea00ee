"""What a run of training is told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Numbers = Literal["auto", "bf16", "f32"]
Method = Literal["sft", "dpo", "kto", "pretrain"]
TARGETS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
"""The projections of a layer of Llama, Qwen2 and their like."""


@dataclass(frozen=True, slots=True)
class LmSettings:
    """``tokens`` a step at most (one line may be more), ``length`` of a line at most.

    ``rank``, ``alpha``, ``targets``: of LoRA (Hu et al. 2021).  ``beta``: how closely DPO and KTO
    hold to the base.  ``save_every`` in steps.  ``checkpointing``: layers are computed again on the
    way back instead of being kept.
    """

    method: Method = "sft"
    epochs: int = 1
    tokens: int = 1_024
    length: int = 1_024
    rank: int = 8
    alpha: float = 16.0
    targets: tuple[str, ...] = TARGETS
    dora: bool = False
    rate: float = 2e-4
    warm: float = 0.05
    decay: float = 0.0
    beta: float = 0.1
    numbers: Numbers = "auto"
    checkpointing: bool = False
    seed: int = 1
    save_every: int = 20
