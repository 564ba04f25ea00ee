"""How much of the spread of a feature is of the regions, and how much of how they were measured."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike


def icc(values: ArrayLike) -> float | None:
    """ICC(1,1), one-way random effects, single measurement (Shrout and Fleiss, 1979).

    ``values``: (targets, measurements).  None where a value is missing, or nothing varies.
    """
    table = np.asarray(values, float)
    targets, repeats = table.shape
    if targets < 2 or repeats < 2 or not np.isfinite(table).all():
        return None
    means = table.mean(axis=1)
    between = repeats * ((means - table.mean()) ** 2).sum() / (targets - 1)
    within = ((table - means[:, None]) ** 2).sum() / (targets * (repeats - 1))
    scale = between + (repeats - 1) * within
    # What differs in the last digits only does not vary.
    if scale <= 1e-20 * max(float((table**2).max()), 1e-300):
        return None
    return float((between - within) / scale)
