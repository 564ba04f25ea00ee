"""What every fine-tuning says of its steps."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class StepSettings:
    """``tokens`` a step; ``size``: the longest window; ``rate`` of the encoder, ``head_rate`` of
    the head; ``warm``: the share of steps in which rates rise; ``hidden``: share of tokens masked.
    """

    tokens: int = 4_096
    size: int = 254
    rate: float = 5e-4
    head_rate: float = 2e-3
    warm: float = 0.05
    decay: float = 0.01
    dropout: float = 0.1
    hidden: float = 0.0
    seed: int = 1
