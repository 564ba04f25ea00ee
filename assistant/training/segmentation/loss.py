"""Dice and cross-entropy together, as Isensee et al. 2021 (nnU-Net) have them."""

from __future__ import annotations

from typing import Any

import torch
from torch.nn import functional

_SMOOTH = 1.0


def dice_and_entropy(scores: Any, labels: Any) -> Any:
    """A scalar: 1 − mean soft Dice over the structures of the batch, and the cross-entropy.

    ``scores`` [batch, class, …space]; ``labels`` [batch, …space] of int64.
    """
    entropy = functional.cross_entropy(scores, labels)
    shares = scores.softmax(1)
    wanted = functional.one_hot(labels, scores.shape[1]).movedim(-1, 1).to(shares.dtype)
    space = [0, *range(2, shares.dim())]
    both = (shares * wanted).sum(space)
    total = shares.sum(space) + wanted.sum(space)
    dice = (2 * both + _SMOOTH) / (total + _SMOOTH)
    # Of what the batch has none of, cross-entropy says enough; its Dice is all or nothing.
    held = (wanted.sum(space) > 0)[1:]
    return entropy + 1 - (dice[1:][held].mean() if held.any() else 1)


def right(scores: Any, labels: Any) -> Any:
    """The share of voxels whose greatest class is the right one."""
    return (scores.argmax(1) == labels).to(torch.float32).mean()
