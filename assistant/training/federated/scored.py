"""Numbers of spans at each threshold: what a site says of its dev set."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from assistant.training.federated.message import MessageInvalid
from assistant.training.federated.plan import Counts
from assistant.training.scoring import THRESHOLDS, Scores


def of(scores: Sequence[Scores]) -> Counts:
    """The counts of `SpanTask.at_thresholds`: [in the data, found, right] at each threshold."""
    return [[one.gold, one.found, one.right] for one in (x.micro() for x in scores)]


def checked(counts: Any) -> Counts:
    """Counts as a site sends them.

    Raises:
        MessageInvalid: they are no whole numbers, or cannot be true.
    """
    try:
        table = np.array(counts)
    except ValueError as error:
        raise MessageInvalid(_WRONG) from error
    fits = (
        table.shape == (len(THRESHOLDS), 3)
        and np.issubdtype(table.dtype, np.integer)
        and bool((table >= 0).all())
        and bool((table[:, 2] <= table[:, :2].min(axis=1)).all())
    )
    if not fits:
        raise MessageInvalid(_WRONG)
    made: Counts = table.tolist()
    return made


def best(counts: Sequence[Counts]) -> tuple[float, float]:
    """The threshold that is best for all sites together, and the micro-F1 with it.

    Spans are counted together, so the F1 is that of one dev set of all.
    """
    if not counts:
        return 0.5, 0.0
    gold, found, right = np.sum(np.array(counts, np.int64), axis=0).T
    f1 = 2 * right / np.maximum(1, gold + found)
    top = max(range(len(THRESHOLDS)), key=lambda k: (f1[k], -abs(THRESHOLDS[k] - 0.5)))
    return THRESHOLDS[top], float(f1[top])


_WRONG = "验证计数不合理。(The counts of the dev set cannot be.)"
