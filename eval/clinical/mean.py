"""A mean over cases with the percentile interval of the bootstrap."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from eval.clinical.result import Figure
from eval.significance import RESAMPLES, SEED

_BLOCK = 100


def mean(name: str, values: Sequence[float], *, unit: str = "", group: str = "") -> Figure:
    """The mean of ``values``, one a case, with its 95 % interval; 0 without one where none are."""
    n = len(values)
    if n == 0:
        return Figure(name=name, value=0.0, n=0, unit=unit, group=group)
    array = np.asarray(values, dtype=np.float64)
    rng = np.random.default_rng(SEED)
    drawn = np.concatenate(
        [
            rng.multinomial(n, np.full(n, 1 / n), _BLOCK) @ array / n
            for _ in range(RESAMPLES // _BLOCK)
        ]
    )
    low, high = np.percentile(drawn, (2.5, 97.5))
    return Figure(
        name=name,
        value=round(float(array.mean()), 6),
        low=round(float(low), 6),
        high=round(float(high), 6),
        n=n,
        unit=unit,
        group=group,
    )
