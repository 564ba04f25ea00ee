"""Dice and cross-entropy together, as Isensee et al. 2021 (nnU-Net) have them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch.nn import functional

_SMOOTH = 1.0
_MOST = 10.0


def dice_and_entropy(scores: Any, labels: Any, weights: Any) -> Any:
    """A scalar: 1 − mean soft Dice over the structures of the batch, and the cross-entropy.

    ``scores`` [batch, class, …space]; ``labels`` [batch, …space] of int64; ``weights`` [class] of
    the cross-entropy.
    """
    entropy = functional.cross_entropy(scores, labels, weights)
    shares = scores.softmax(1)
    wanted = functional.one_hot(labels, scores.shape[1]).movedim(-1, 1).to(shares.dtype)
    space = [0, *range(2, shares.dim())]
    both = (shares * wanted).sum(space)
    total = shares.sum(space) + wanted.sum(space)
    dice = (2 * both + _SMOOTH) / (total + _SMOOTH)
    # Of what the batch has none of, cross-entropy says enough; its Dice is all or nothing.
    held = (wanted.sum(space) > 0)[1:]
    return entropy + 1 - (dice[1:][held].mean() if held.any() else 1)


def weights_of(counts: Sequence[int]) -> Any:
    """A weight for each class by how many voxels it has, so that a small structure is learnt too:
    by the root of how rare it is beside the background, within bounds."""
    shares = torch.tensor([max(one, 1) for one in counts], dtype=torch.float32)
    return (shares[0] / shares).sqrt().clamp(1 / _MOST, _MOST)


def right(scores: Any, labels: Any) -> Any:
    """The share of voxels whose greatest class is the right one."""
    return (scores.argmax(1) == labels).to(torch.float32).mean()
