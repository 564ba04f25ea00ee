"""How well boxes agree with those that are taken for right."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from serving.vision.boxes import Found, ious, joined

OVERLAP = 0.5
_APART = 1e6
"""Pixels between images that are put side by side; no image is as wide."""


def side_by_side(images: Sequence[Found]) -> Found:
    """The boxes of several images as of one, in which none meets another image's."""
    return joined([one.moved(number * _APART, 0.0) for number, one in enumerate(images)])


def average_precision(found: Found, truth: Found, overlap: float = OVERLAP) -> float:
    """The mean over the classes of ``truth`` of the area under precision and recall, 0 to 1.

    A box hits what it overlaps (IoU) by ``overlap`` at least, each once, the likeliest first;
    precision at a recall is the best at that or any higher one (as PASCAL VOC 2010 has it).
    1 where there is neither truth nor a box, 0 where there are boxes alone.
    """
    classes = np.unique(truth.numbers)
    if not len(classes):
        return 0.0 if len(found) else 1.0
    return float(
        np.mean(
            [
                _of_class(found.of(found.numbers == one), truth.of(truth.numbers == one), overlap)
                for one in classes
            ]
        )
    )


def _of_class(found: Found, truth: Found, overlap: float) -> float:
    found = found.of(np.argsort(-found.scores, kind="stable"))
    free = np.ones(len(truth), bool)
    right = np.zeros(len(found), bool)
    for number, corners in enumerate(found.corners):
        shares = np.where(free, ious(corners, truth.corners), 0.0)
        best = int(shares.argmax())
        if shares[best] >= overlap:
            free[best], right[number] = False, True
    hits = np.cumsum(right)
    precision = hits / np.arange(1, len(found) + 1)
    best_after = np.maximum.accumulate(precision[::-1])[::-1]
    return float((best_after * right).sum() / len(truth))
