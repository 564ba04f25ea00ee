"""What is made smaller: cross entropy, DPO, KTO.

Logits are made only where a token is learned: with a vocabulary of 150,000 the head is a quarter of
a small model's work, and most tokens of a clinical prompt are not learned.
"""

from __future__ import annotations

from typing import Any

import torch
from torch.nn import functional


def log_likelihoods(hidden: Any, head: Any, ids: Any, learned: Any) -> Any:
    """The log-likelihood of every learned token, in the order of rows and places.

    ``hidden`` [batch, length, width] of the decoder, ``ids`` and ``learned`` [batch, length].
    """
    chosen = learned[:, 1:]
    rows = hidden[:, :-1][chosen]
    scores = head(rows).float()
    return -functional.cross_entropy(scores, ids[:, 1:][chosen], reduction="none")


def by_row(values: Any, learned: Any) -> Any:
    """Sums of ``values`` (see `log_likelihoods`) a row [batch]."""
    rows = learned[:, 1:].nonzero()[:, 0]
    return values.new_zeros(len(learned)).index_add(0, rows, values)


def dpo(policy: Any, reference: Any, beta: float) -> Any:
    """Direct preference optimisation (Rafailov et al. 2023, eq. 7), the mean over pairs.

    ``policy``, ``reference`` [2, pairs]: log-likelihoods of chosen and rejected texts.
    """
    gain = (policy - reference)[0] - (policy - reference)[1]
    return -functional.logsigmoid(beta * gain).mean()


def kto(policy: Any, reference: Any, wanted: Any, divergence: Any, beta: float) -> Any:
    """Kahneman-Tversky optimisation (Ethayarajh et al. 2024, eq. 8, both weights 1), the mean.

    ``policy``, ``reference`` [rows] log-likelihoods; ``wanted`` [rows]; ``divergence`` the estimate
    of KL(policy, base), not below 0, through which nothing flows back.
    """
    reward = policy - reference
    sign = torch.where(wanted, 1.0, -1.0)
    return (1 - torch.sigmoid(beta * sign * (reward - divergence))).mean()
